"""`hilnas mlperf`: the dialogue of MLPerf Tiny's performance mode with one board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import console

if TYPE_CHECKING:
    from rich.table import Table

    from hil.mlperf.session import Session


def mlperf(
    model: Annotated[
        Path,
        typer.Argument(help="An int8 .tflite file, or a .keras file (quantized first).", metavar="MODEL"),
    ],
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", metavar="ID", help="Kind of board, e.g. nrf52840_dk."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="DEVICE",
            help="One device: serial:PORT (with --board) or emulated[+pty]:BOARD.",
        ),
    ] = None,
    window_s: Annotated[
        float,
        typer.Option(
            "--window", metavar="SECONDS", min=0.001, help="Length of a window by the board's clock."
        ),
    ] = 10.0,
) -> None:
    """Drive a model by the text commands of MLPerf Tiny, as its public runner does.

    Five windows of at least 10 s and 10 inferences; the score is their median.  This is a rehearsal: a
    result that may carry the name comes from the benchmark's own runner (docs/mlperf.md).

    [dim]$[/dim] hilnas mlperf kws.tflite --device emulated:nrf52840_dk
    [dim]$[/dim] hilnas mlperf kws.tflite --device serial:/dev/ttyACM0 --board nrf52840_dk
    """
    from hil.api import compile_model
    from hil.devices import open_device
    from hil.devices.choose import choose_device
    from hil.errors import InputError
    from hil.mlperf.session import run_session

    chosen = choose_device(device, board)
    if chosen.name.startswith("simulated:"):
        raise InputError(
            f"{chosen.name} runs no firmware, so it understands no text commands",
            remedy="use --device emulated:BOARD, or a real board",
        )
    if chosen.reason:
        console.note(chosen.reason)
    opened = open_device(chosen.name, board=board)
    try:
        with console.working(f"{model.name} on {chosen.name}"):
            session = run_session(compile_model(model, board=opened.board), opened, window_s=window_s)
    finally:
        opened.close()
    console.output().print(_table(f"{model.name} on {chosen.name}", opened.provenance.value, session))
    if session.exact and not session.right:
        raise typer.Exit(console.DEVICE)


def _table(title: str, provenance: str, session: Session) -> Table:
    from rich import box
    from rich.table import Table

    from hil.mlperf.performance import MIN_WINDOW_S

    performance = session.performance
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    for heading in ("", "inferences", "seconds", "per second", "origin"):
        table.add_column(heading, justify="left" if heading in ("", "origin") else "right")
    for number, window in enumerate(performance.windows, 1):
        seconds = f"{window.elapsed_us / 1e6:.3f}"
        rate = f"{window.inferences_per_s:.3f}"
        table.add_row(f"window {number}", str(window.iterations), seconds, rate, provenance)
    by_rule = all(window.elapsed_us >= MIN_WINDOW_S * 1e6 for window in performance.windows)
    note = "" if by_rule else f"\nnot by the rules, which want windows of {MIN_WINDOW_S:g} s"
    median = f"{performance.inferences_per_s:.3f}"
    table.add_row("[bold]median[/bold]", "", "", f"[bold]{median}[/bold]", provenance)
    verdict = "equal to" if session.right else "different from"
    table.caption = f"{session.task} on {session.board}; results {verdict} those of {session.reference}{note}"
    table.caption_justify = "left"
    return table
