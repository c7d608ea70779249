"""`hilnas search`: run or continue a study."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import console, worn


def search(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Study file (TOML): data, space, strategy, objectives, board."),
    ],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", "-f", metavar="DIR", help="The study's folder; default is studies/NAME."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Budget of trials, instead of the file's.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.1, help="Budget of minutes, instead of the file's.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", "-d", metavar="DEVICE", help="Device, instead of the file's.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", min=1, help="Processes that build and train, instead of the file's."),
    ] = None,
    allow_worn: Annotated[bool, worn.OPTION] = False,
) -> None:
    """Search networks for a board; ends with the Pareto front, its picture, and the best network as files.

    Ctrl-C leaves a study that the same command continues.  So does a crash: nothing that was done is lost.

    [dim]$[/dim] hilnas search examples/01_digits_nrf52840.toml
    [dim]$[/dim] hilnas search study.toml --device simulated:nrf52840_dk --trials 10
    [dim]$[/dim] hilnas search study.toml --workers 4
    """
    from search.cli.export import export_trial
    from search.cli.report import show
    from search.config import load
    from search.progress import for_terminal
    from search.study import Ending, Study

    worn.accept(allow_worn)
    config = load(file)
    if device is not None:
        # The board in the configuration may be that of the file's device: only a port needs it told.
        board = config.board if device.startswith("serial:") else ""
        config = replace(config, device=device, board=board)
    if workers is not None:
        config = replace(config, run=replace(config.run, workers=workers))
    if trials is not None or minutes is not None:
        budget = replace(
            config.budget, trials=trials or config.budget.trials, minutes=minutes or config.budget.minutes
        )
        config = replace(config, budget=budget)
    where = folder or Path("studies") / config.name
    with Study.open(config, where) as study:
        summary = study.run(for_terminal(sys.stderr))
        show(study.store, where)
        if summary.ending is Ending.INTERRUPTED:
            raise typer.Exit(console.INTERRUPTED)
        best = study.best()
        if best is None:
            raise typer.Exit(console.NOTHING_MEETS_THE_LIMITS)
        with console.working(f"exporting trial {best.number}"):
            export_trial(study.store, best.number, where / "best")
        console.output().print(
            f"    best  {where / 'best'}  (trial {best.number}: README.md says what is in it)", soft_wrap=True
        )
