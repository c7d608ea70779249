"""`hilnas report` and `hilnas export`: what a study found, and one of its networks as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import console

Study = Annotated[
    Path, typer.Argument(metavar="STUDY", help="Folder of a study, as `hilnas search` printed it.")
]


def report(
    study: Study,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write; default is the study's folder."),
    ] = None,
) -> None:
    """Show the Pareto front of a study, and write its page and pictures.

    Works while the search is still running.

    [dim]$[/dim] hilnas report studies/digits
    """
    from search.store import Store

    with Store.read(study) as store:
        show(store, output or study)


def show(store: object, folder: Path) -> None:
    """Print the front of a study, and write its report into `folder`."""
    from search.report.collect import collect
    from search.report.table import front_table, summary, why_none
    from search.report.write import write_report
    from search.store import Store

    assert isinstance(store, Store)
    found = collect(store)
    out = console.output()
    if not found.front:
        out.print(f"No network meets all limits yet: {summary(found)}.")
        for line in why_none(found):
            out.print(f"  {line}", markup=False)
    else:
        out.print(front_table(found, out.width))
    files = write_report(found, folder)
    for label, path in (("page", files.page), ("picture", files.png), ("", files.svg)):
        if path is not None:
            out.print(f"{label:>8}  {path}", markup=False, soft_wrap=True)


def export(
    study: Study,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", help="Number of the trial, as in the report.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="New or empty folder.")],
    drop_constant_channels: Annotated[
        bool,
        typer.Option(
            "--drop-constant-channels",
            help="Leave out channels proven constant from the C sources; the output stays the same.",
        ),
    ] = False,
) -> None:
    """Write one network of a study: .tflite, Keras model, C sources, and a PlatformIO project to flash.

    [dim]$[/dim] hilnas export studies/digits 17 -o best
    """
    from search.cli.export import export_trial
    from search.store import Store

    optimize = ("constant-channels",) if drop_constant_channels else ()
    with Store.read(study) as store, console.working(f"exporting trial {trial}"):
        reduction = export_trial(store, trial, output, optimize)
    if reduction is not None:
        console.output().print(str(reduction), markup=False)
    console.output().print(f"exported trial {trial} to {output}", markup=False, soft_wrap=True)
