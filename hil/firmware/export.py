"""Program + Board -> a PlatformIO project that stands on its own."""

from __future__ import annotations

from pathlib import Path

from hil.board import Board
from hil.errors import InputError
from hil.firmware.environments import environment_of
from hil.firmware.template import load_template, project_files, write_files
from hil.program import Program


def write_project(program: Program, board: Board, folder: Path) -> None:
    """Write a project that `pio run` builds and `pio run -t upload` flashes, without hilnas.

    Args:
        folder: new, empty, or of an earlier export, which is brought up to date.

    Raises:
        InputError: no firmware for this board yet, or the folder holds something else.
        CacheError: the folder cannot be written.
    """
    environment_of(board)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "board.ini").is_file():
        raise InputError(
            f"{folder} is not empty and holds no earlier export", remedy="name a new or empty folder"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", remedy="name a new or empty folder")
    write_files(project_files(load_template(), program, board), folder)
