"""All commands in one table."""

from __future__ import annotations

from typing import Annotated

import typer

from hil.cli.boards import boards
from hil.cli.console import EXIT_CODES
from hil.cli.doctor import doctor
from hil.cli.emulate import emulate
from hil.cli.measure import measure
from hil.cli.mlperf import mlperf
from hil.cli.plans import plans
from search.cli.report import export, report
from search.cli.search import search
from search.cli.spaces import spaces

app = typer.Typer(
    name="hilnas",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hilnas {version('hilnas')}")
        raise typer.Exit


@app.callback()
def _hilnas(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Neural architecture search for microcontrollers, with the board in the loop.

    [dim]$[/dim] hilnas search examples/01_digits_nrf52840.toml
    [dim]$[/dim] hilnas measure model.tflite --board nrf52840_dk --per-layer
    """


SEARCH, DEVICES = "Search", "Models and boards"
app.command(rich_help_panel=SEARCH)(search)
app.command(rich_help_panel=SEARCH)(spaces)
app.command(rich_help_panel=SEARCH)(report)
app.command(rich_help_panel=SEARCH)(export)
app.command(rich_help_panel=DEVICES)(measure)
app.command(rich_help_panel=DEVICES)(plans)
app.command(rich_help_panel=DEVICES)(mlperf)
app.command(rich_help_panel=DEVICES)(boards)
app.command(rich_help_panel=DEVICES)(doctor)
app.command(rich_help_panel=DEVICES)(emulate)
