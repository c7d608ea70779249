"""Which environments firmware/platformio.ini has, and where the platform of each comes from.

`platform = symlink://...` is a platform of this project; it takes the compiler of this computer, so that
nothing is fetched.  Any other platform comes from PlatformIO's registry, with its compiler and its Arduino
core (hil.firmware.registry).
"""

from __future__ import annotations

import configparser
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hil import toolchain
from hil.board import Board
from hil.errors import HostError, InputError
from hil.nearest import did_you_mean
from hil.resources import firmware_dir

_PREFIX = "env:"
_LOCAL = "symlink://"


@dataclass(frozen=True)
class Environment:
    """One [env:...] of firmware/platformio.ini.  `platform` as written there, e.g. "nordicnrf52@^10"."""

    name: str
    platform: str

    @property
    def is_local(self) -> bool:
        """Whether it is built with what this computer has, instead of packages of the registry."""
        return self.platform.startswith(_LOCAL)


def environments() -> Mapping[str, Environment]:
    """Name -> environment, in the order of the file.

    Raises:
        HostError: the file is missing or cannot be understood.
    """
    return read_environments(firmware_dir() / "platformio.ini")


@functools.lru_cache(maxsize=4)
def read_environments(path: Path) -> Mapping[str, Environment]:
    """The environments of one platformio.ini.

    Raises:
        HostError: the file is missing or cannot be understood.
    """
    parser = configparser.RawConfigParser(inline_comment_prefixes=("; ", " ;"), strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        found = {
            name: Environment(name, _option(parser, section, "platform"))
            for section in parser.sections()
            if section.startswith(_PREFIX) and (name := section.removeprefix(_PREFIX))
        }
    except (OSError, configparser.Error, KeyError) as error:
        raise HostError(f"{path} cannot be read: {error}", remedy="install hilnas again") from error
    return found


def _option(parser: configparser.RawConfigParser, section: str, name: str) -> str:
    for holder in _line_of_descent(parser, section, ()):
        if parser.has_option(holder, name):
            return parser.get(holder, name)
    raise KeyError(f"[{section}] and what it extends have no {name!r}")


def _line_of_descent(
    parser: configparser.RawConfigParser, section: str, below: tuple[str, ...]
) -> Iterator[str]:
    """`section`, then those that it extends, as PlatformIO looks for an option: the last named one first."""
    if section in below:
        raise KeyError(f"[{section}] extends itself")
    yield section
    if parser.has_option(section, "extends"):
        for parent in reversed(parser.get(section, "extends").replace(",", " ").split()):
            yield from _line_of_descent(parser, parent, (*below, section))


def environment_of(board: Board) -> Environment:
    """The environment that builds for `board`.

    Raises:
        InputError: firmware/platformio.ini has none of that name.
    """
    known = environments()
    name = board.build.environment
    if name not in known:
        raise InputError(
            f"firmware/platformio.ini has no environment {name!r}, which the profile of {board.id} names",
            remedy=f"{did_you_mean(name, known, all_of_them='environments')}; "
            f"--device simulated:{board.id} needs no firmware",
        )
    return known[name]


def can_build(board: Board) -> bool:
    """Whether firmware for `board` can be built here.

    Packages of the registry that are not here yet count as there: whether they can be fetched shows when
    they are.
    """
    environment = environments().get(board.build.environment)
    if environment is None:
        return False
    if environment.is_local:
        return toolchain.available(board.build.toolchain)
    return find_spec("platformio") is not None
