"""Where board profiles lie: those that ship with the package, the user's folders, and a path."""

from __future__ import annotations

import os
from pathlib import Path

from hil.board.read import read_board
from hil.board.types import Board
from hil.errors import BadBoard, InputError, UnknownBoard
from hil.nearest import did_you_mean
from hil.resources import boards_dir
from hil.units import read_frequency

VARIABLE = "HILNAS_BOARDS"
"""Environment variable: folders of the user's own profiles, separated like PATH."""


def _folders() -> list[Path]:
    own = [Path(text).expanduser() for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]
    for folder in own:
        if not folder.is_dir():
            raise BadBoard(
                f"{VARIABLE} names {folder}, which is not a folder",
                remedy=f"correct it, or `unset {VARIABLE}`",
            )
    return [boards_dir(), *own]


def board_files() -> dict[str, Path]:
    """Id -> file, sorted by id.  A user's profile takes the place of a shipped one of the same id.

    Raises:
        BadBoard: HILNAS_BOARDS names something that is not a folder.
    """
    files = {path.stem: path for folder in _folders() for path in sorted(folder.glob("*.toml"))}
    return dict(sorted(files.items()))


def list_boards() -> tuple[str, ...]:
    """Ids of all known boards, sorted.  `load_board` reads one of them.

    Raises:
        BadBoard: HILNAS_BOARDS names something that is not a folder.
    """
    return tuple(board_files())


def load_board(name: str | Path) -> Board:
    """The board of an id, or of a profile's path (anything that ends in .toml), at its own clock or another.

    Example:
        load_board("nrf52840_dk"), load_board("nucleo_f446re@84MHz"), load_board("./my_board.toml")

    Raises:
        UnknownBoard: no such id, file or clock; the remedy names those that there are.
        BadBoard: the profile is not valid.
    """
    text, at, clock = str(name).rpartition("@")
    if at and not clock.endswith(".toml"):
        return _load(text).at_clock(_clock_hz(str(name), clock))
    return _load(str(name))


def _clock_hz(name: str, clock: str) -> int:
    try:
        return read_frequency(clock)
    except InputError as error:
        raise UnknownBoard(f"'{name}': '{clock}' is no clock", remedy=error.remedy) from error


def _load(text: str) -> Board:
    if text.endswith(".toml"):
        path = Path(text).expanduser()
        if not path.is_file():
            raise UnknownBoard(
                f"no board profile at {path}",
                remedy="name a board (`hilnas boards`), or the path of a profile",
            )
        return read_board(path)
    files = board_files()
    if text not in files:
        raise UnknownBoard(
            f"unknown board '{text}'", remedy=did_you_mean(text, files, all_of_them="known boards")
        )
    return read_board(files[text])
