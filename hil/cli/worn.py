"""`--allow-worn`, for all commands that flash."""

from __future__ import annotations

import os

import typer

OPTION = typer.Option(
    "--allow-worn", help="Flash a board, too, that has used up 90 % of its flash's rated erase cycles."
)


def accept(allow_worn: bool) -> None:
    """Let the devices of this process know; not given, the environment variable stays as the user set it."""
    if allow_worn:
        from hil.devices.wear import VARIABLE

        os.environ[VARIABLE] = "1"
