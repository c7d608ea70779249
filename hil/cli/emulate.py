"""`hilnas emulate`: a board on a pseudo-terminal, for whatever opens serial ports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import console


def emulate(
    board: Annotated[str, typer.Argument(metavar="BOARD", help="Kind of board, e.g. nrf52840_dk.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", "-f", metavar="DIR", help="Where the link to the port is put; default: the cache."
        ),
    ] = None,
) -> None:
    """Serve an emulated board on a pseudo-terminal until Ctrl-C.

    Its port is opened like that of a real board, and `pio run -t upload` flashes it; what to type is printed.
    Its figures are labelled emulated: it answers the question for its serial number with EMULATED.
    """
    from hil.board import load_board
    from hil.devices.emulated_pty import UPLOAD_COMMAND
    from hil.emulator.open import require_emulated
    from hil.emulator.serve import serve
    from hil.resources import cache_dir

    profile = load_board(board)
    require_emulated(profile)
    where = folder or cache_dir("emulated", profile.id)
    where.mkdir(parents=True, exist_ok=True)

    def ready(port: str) -> None:
        out = console.output()
        out.print(f"{profile.name}, emulated, on {port}  (Ctrl-C ends it)", markup=False, soft_wrap=True)
        out.print("In another terminal:", markup=False)
        for line in (
            f'export HILNAS_UPLOAD_COMMAND="{UPLOAD_COMMAND}"',
            f"hilnas measure MODEL --board {profile.id} --device serial:{port}",
        ):
            out.print(f"  {line}", markup=False, soft_wrap=True)

    serve(profile, where, ready)
