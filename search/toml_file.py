"""A TOML file with the lines of its keys, so that an error can say where to look.

The parser of the standard library gives values without positions; a small scan finds them again.  It knows
table headers, bare, quoted and dotted keys; a key inside an inline table is placed at the line of that table.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.errors import BadConfig

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[{{1,2}}\s*({_DOTTED})\s*\]{{1,2}}\s*(?:#.*)?")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_PLACE = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.S
)


@dataclass(frozen=True)
class TomlFile:
    """What a TOML file says, and where.

    Attributes:
        name: as it is to appear in messages.
        data: its values.
    """

    name: str
    text: str
    data: dict[str, Any]

    def line_of(self, key: tuple[str, ...], *, near: str | None = None) -> int:
        """Line (from 1) of a key, or of the nearest table above it that has one; 1 where none has.

        Args:
            near: text that stands in the value, e.g. one item of a list: its line is preferred.
        """
        lines = _key_lines(self.text)
        found = next((lines[key[:size]] for size in range(len(key), 0, -1) if key[:size] in lines), 1)
        if near is not None:
            for number, line in enumerate(self.text.splitlines()[found - 1 :], start=found):
                if near in line:
                    return number
        return found


def read_toml(path: Path) -> TomlFile:
    """Read a file.

    Raises:
        BadConfig: it is missing, cannot be read, or is malformed (with line, column and key).
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BadConfig(
            f"{path}: there is no such file", remedy="check the path; examples/ holds files to start from"
        ) from None
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: byte {error.start} is not UTF-8", remedy="save the file as UTF-8") from None
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read: {error.strerror}") from error
    return parse_toml(text, name=str(path))


def parse_toml(text: str, *, name: str) -> TomlFile:
    """Parse a text.

    Args:
        name: what messages call it.

    Raises:
        BadConfig: malformed, with line, column and key.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return TomlFile(name, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        lines = text.splitlines() or [""]
        match = _PLACE.fullmatch(str(error))
        what = match["what"] if match else str(error)
        line = int(match["line"]) if match and match["line"] else len(lines)
        column = int(match["column"]) if match and match["column"] else len(lines[-1]) + 1
        shown = lines[min(line, len(lines)) - 1].strip()
        key = _ASSIGNMENT.match(shown)
        place = f" at key '{key[1]}'" if key else ""
        raise BadConfig(
            f"{name}:{line}:{column}: malformed TOML{place}: {what}",
            remedy=f"the line reads: {shown}" if shown else "the file ends too early",
        ) from None


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            key = table + _parts(assignment[1])
            for size in range(len(table) + 1, len(key) + 1):
                lines.setdefault(key[:size], number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple([part.strip("\"'") for part in re.findall(_KEY, dotted)])
