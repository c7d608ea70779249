"""`hilnas plans`: the ways to execute a model, arena against work, before anything is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import console


def plans(
    model: Annotated[
        Path,
        typer.Argument(help="An int8 .tflite file, or a .keras file (quantized first).", metavar="MODEL"),
    ],
    board: Annotated[
        str,
        typer.Option("--board", "-b", metavar="ID", help="Kind of board: its core decides on the kernels."),
    ] = "nrf52840_dk",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the ways to execute a model: less RAM for more work, in stripes.

    Nothing is built.  `hilnas measure --arena-limit` takes the cheapest plan that keeps a limit.

    [dim]$[/dim] hilnas plans model.tflite --board nrf52840_dk
    """
    from rich import box
    from rich.table import Table

    from hil import units
    from hil.api import plans as plans_of

    with console.working(f"planning {model.name} for {board}"):
        found = plans_of(model, board=board)
    plain = found[0]
    if as_json:
        listing = [
            {
                "arena_bytes": plan.arena_bytes,
                "macs": plan.macs,
                "patches": None if plan.patches is None else plan.patches.to_dict(),
            }
            for plan in found
        ]
        typer.echo(json.dumps(listing, indent=2))
        return
    out = console.output()
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"plans of {model.name} for {board}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("operators", no_wrap=True)
    for heading in ("stripes", "arena bytes", "of plain", "MACs", "more MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for plan in found:
        patches = plan.patches
        table.add_row(
            "in one piece" if patches is None else f"{patches.first}-{patches.last}",
            "" if patches is None else str(patches.stripes),
            f"{plan.arena_bytes:,}",
            f"{plan.arena_bytes / plain.arena_bytes:.0%}",
            units.count(plan.macs),
            "" if patches is None else f"{patches.overhead:.1%}",
        )
    out.print(table)
