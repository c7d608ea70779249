"""`hilnas measure`: one model on one device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import console, worn


def measure(
    model: Annotated[
        Path,
        typer.Argument(help="An int8 .tflite file, or a .keras file (quantized first).", metavar="MODEL"),
    ],
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            "-b",
            metavar="ID",
            help="Kind of board, e.g. nrf52840_dk: the one on USB, else emulated, else simulated.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="DEVICE",
            help="One device: serial:PORT, serial:SERIALNUMBER or serial:URL (with --board), "
            "emulated[+pty]:BOARD or simulated:BOARD.",
        ),
    ] = None,
    per_layer: Annotated[bool, typer.Option("--per-layer", help="Show each operator's share.")] = False,
    drop_constant_channels: Annotated[
        bool,
        typer.Option(
            "--drop-constant-channels",
            help="For a trained network: leave out channels proven constant; the output stays the same.",
        ),
    ] = False,
    arena_limit: Annotated[
        str | None,
        typer.Option(
            "--arena-limit",
            metavar="SIZE",
            help="E.g. 24k: run the first operators in stripes where the arena would be larger.",
        ),
    ] = None,
    meter: Annotated[
        str | None,
        typer.Option(
            "--meter",
            metavar="METER",
            help="Measure energy: ppk2[:PORT], joulescope[:SERIAL], ina226, ina219, emulated, or estimate "
            "(the profile's figures, the default).  docs/energy.md tells the wires.",
        ),
    ] = None,
    subtract_idle: Annotated[
        bool, typer.Option("--subtract-idle", help="With --meter: leave out the board's idle current.")
    ] = False,
    allow_worn: Annotated[bool, worn.OPTION] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole measurement as JSON.")] = False,
) -> None:
    """Measure latency, RAM, flash and energy of a model.

    Every figure says where it comes from: hardware, emulated, simulated or estimated.

    [dim]$[/dim] hilnas measure model.tflite --board nrf52840_dk
    [dim]$[/dim] hilnas measure model.keras --device emulated:nrf52840_dk --per-layer
    [dim]$[/dim] hilnas measure model.tflite --board nrf52840_dk --arena-limit 24k
    [dim]$[/dim] hilnas measure model.tflite --board nrf52840_dk --meter ppk2:/dev/ttyACM1 --subtract-idle
    [dim]$[/dim] hilnas measure model.tflite --device serial:/dev/ttyACM0 --board nrf52840_dk --json
    """
    from hil.api import measure as measure_model
    from hil.cli.tables import layers_table, measurement_table
    from hil.devices.choose import choose_device
    from hil.measurement_json import to_dict
    from hil.optimize import Reduction

    worn.accept(allow_worn)
    optimize = ("constant-channels",) if drop_constant_channels else ()
    chosen = choose_device(device, board)
    if chosen.reason:
        console.note(chosen.reason)
    with console.working(f"measuring {model.name} on {chosen.name}"):
        measurement = measure_model(
            model,
            device=chosen.name,
            board=board,
            per_layer=per_layer,
            optimize=optimize,
            arena_limit=arena_limit,
            meter=meter,
            subtract_idle=subtract_idle,
        )
    if as_json:
        typer.echo(json.dumps(to_dict(measurement), indent=2))
        return
    out = console.output()
    table = measurement_table(model.name, measurement)
    if reduction := Reduction.from_settings(measurement.origin.settings):
        table.add_row("channels", f"{reduction.channels_after:,}", str(reduction), "proven")
    out.print(table)
    if per_layer:
        out.print(layers_table(measurement, out.width))
