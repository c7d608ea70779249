"""One TOML file -> one Board, or a BadBoard that says all that is wrong with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from hil.board.checks import failures
from hil.board.types import Board
from hil.errors import BadBoard
from hil.nearest import did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_FOLLOWING = ("id", "digest", "own_clock")  # fields that are no keys
_REMEDY = "fields, units and ranges are in boards/README.md (docs/add-a-board.md walks through a new one)"


def read_board(path: Path) -> Board:
    """Read and check one profile; its id is the file's name.

    Raises:
        BadBoard: the file cannot be read, is not TOML, or fails a check.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadBoard(f"{path}: cannot be read: {error}", remedy="name a board profile (.toml)") from error
    return parse_board(text, board_id=path.stem, where=str(path))


def parse_board(text: str, *, board_id: str, where: str) -> Board:
    """Make a Board of a profile's text.

    Args:
        text: TOML.
        board_id: the id that it gets.
        where: what errors call the text, usually the path.

    Raises:
        BadBoard: not TOML, a key missing, unknown or of the wrong type, or a check of hil.board.checks fails.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadBoard(f"{where}: not valid TOML: {error}", remedy=_REMEDY) from error
    given = [f"{key}: unknown key; it follows from the file" for key in _FOLLOWING if key in data]
    if given:
        raise _bad_board(where, given)
    digest = hashlib.sha256(text.encode()).hexdigest()
    board = _validate({**data, "id": board_id, "digest": digest}, where)
    wrong = failures(board)
    if wrong:
        raise _bad_board(where, wrong)
    return board


def _bad_board(where: str, sentences: list[str]) -> BadBoard:
    lines = "".join(f"\n  - {sentence}" for sentence in sentences)
    return BadBoard(f"{where}: not a valid board profile:{lines}", remedy=_REMEDY)


def _validate(data: Mapping[str, Any], where: str) -> Board:
    from pydantic import ValidationError

    try:
        # Strict JSON mode takes lists for tuples and whole numbers for floats, but no text or boolean for
        # a number.
        return _adapter().validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        problems = [_describe(tuple(item["loc"]), item["type"], item["msg"]) for item in error.errors()]
        raise _bad_board(where, problems) from error


@cache
def _adapter() -> TypeAdapter[Board]:
    from pydantic import TypeAdapter

    return TypeAdapter(Board)


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in location)
    if kind == "unexpected_keyword_argument":
        known = _fields_at(location[:-1])
        return f"{key}: unknown key; {did_you_mean(str(location[-1]), known, all_of_them='keys')}"
    if kind == "missing":
        return f"{key}: missing"
    expected = message.removeprefix("Input should be ")
    return f"{key}: expected {expected}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the table at `location`; e.g. ("flash",) -> base, size_bytes, ..."""
    table: Any = Board
    for part in location:
        if dataclasses.is_dataclass(table):
            table = get_type_hints(table)[str(part)]
            # "Power | None" and "Mapping[str, OperatorCost]": the last dataclass among the arguments.
            options = [option for option in get_args(table) if dataclasses.is_dataclass(option)]
            if options and get_args(table)[0] is not str:
                table = options[0]
        elif get_args(table):
            table = get_args(table)[-1]
    if not dataclasses.is_dataclass(table):
        return []
    return [field.name for field in dataclasses.fields(table) if field.name not in _FOLLOWING]
