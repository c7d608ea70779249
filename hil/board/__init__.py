"""Boards: passive facts about one kind of board, read from `boards/*.toml`.

`types` holds the facts, `checks` what must hold among them, `read` turns one file into a Board, `find` knows
where the files lie.  Fields and units: boards/README.md.
"""

from hil.board.find import board_files, list_boards, load_board
from hil.board.read import parse_board, read_board
from hil.board.types import (
    Board,
    Build,
    Cache,
    Clock,
    Core,
    Flash,
    OperatorCost,
    Power,
    Ram,
    Serial,
    Simulator,
)

__all__ = [
    "Board",
    "Build",
    "Cache",
    "Clock",
    "Core",
    "Flash",
    "OperatorCost",
    "Power",
    "Ram",
    "Serial",
    "Simulator",
    "board_files",
    "list_boards",
    "load_board",
    "parse_board",
    "read_board",
]
