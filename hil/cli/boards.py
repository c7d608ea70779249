"""`hilnas boards`: what is known, what is attached."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hil.cli import console


def boards(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    no_ask: Annotated[
        bool,
        typer.Option("--no-ask", help="Do not open the ports: firmware stays unknown, no board restarts."),
    ] = False,
) -> None:
    """List the boards that are known, and those that are attached: firmware, who uses them, flash wear.

    A free board that is known by its USB id is asked who it is; to open the port restarts some boards.
    A board of your own is one TOML file: docs/add-a-board.md; HILNAS_BOARDS names folders with more.
    """
    from hil.board import list_boards, load_board
    from hil.cli.board_tables import attached_table, known_table, to_dict
    from hil.devices.survey import survey

    known = [load_board(board_id) for board_id in list_boards()]
    with console.working("asking the boards that are attached"):
        attached = survey(ask=not no_ask)
    if as_json:
        typer.echo(json.dumps(to_dict(known, attached), indent=2))
        return
    out = console.output()
    out.print(known_table(known, out.width))
    if not attached:
        out.print("attached: no serial port found\n")
        return
    boards = [found for found in attached if found.boards]
    if boards:
        out.print("attached\n", style="bold")
    for found in boards:
        out.print(attached_table(found))
        out.print()
    others = [found.port for found in attached if not found.boards]
    if others:
        out.print(
            "attached, but no known board by its USB id (--board ID names it):", style="dim", soft_wrap=True
        )
        for port in others:
            says = "" if port.description == "n/a" else f"  {port.description}"  # pyserial's word for nothing
            out.print(f"  serial:{port.port}{says}", markup=False)
