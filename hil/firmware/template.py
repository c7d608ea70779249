"""The firmware project as it travels with the package, and what a model and a board add to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hil.board import Board
from hil.errors import HostError
from hil.firmware.failures import cache_error
from hil.program import Program
from hil.resources import firmware_dir

# What of firmware/ makes up the project; the rest (installers, notes) is not needed to build.
_PARTS = ("platformio.ini", "README.md", "src", "lib", "platforms")
_GENERATED = PurePosixPath("src")
_BOARD_INI = PurePosixPath("board.ini")
_BUILD_C = """\
/* Generated; do not edit. */
#include "hil_build.h"

const HIL_FLASH uint8_t hil_build_digest[HIL_BUILD_DIGEST_BYTES] = {{{digest}}};
"""


@dataclass(frozen=True)
class Template:
    """The project's files, path -> content, and the SHA-256 (hex) over them."""

    files: Mapping[PurePosixPath, bytes]
    digest: str


def load_template() -> Template:
    """Read the project that travels with the package.

    Raises:
        HostError: it is missing or unreadable.
    """
    root = firmware_dir()
    try:
        files = {path: (root / path).read_bytes() for path in sorted(_walk(root))}
    except OSError as error:
        raise HostError(
            f"the firmware in {root} cannot be read: {error.strerror}", remedy="install hilnas again"
        ) from error
    if PurePosixPath("platformio.ini") not in files:
        raise HostError(f"the firmware is missing from {root}", remedy="install hilnas again")
    sha = hashlib.sha256()
    for path, content in files.items():
        sha.update(str(path).encode() + b"\0" + len(content).to_bytes(8, "little") + content)
    return Template(files, sha.hexdigest())


def _walk(root: Path) -> list[PurePosixPath]:
    found = []
    for part in _PARTS:
        if (root / part).is_file():
            found.append(PurePosixPath(part))
        for folder, folders, names in os.walk(root / part):
            folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
            relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
            found += [relative / name for name in names if not name.startswith(".")]
    return found


def board_ini(board: Board) -> str:
    """What firmware/platformio.ini takes of `board`: its figures, and which environment `pio run` builds."""
    return (
        f"; Figures of the board profile {board.id}.\n"
        "[platformio]\n"
        f"default_envs = {board.build.environment}\n"
        "[board]\n"
        f"id = {board.id}\n"
        f"baud = {board.serial.baud}\n"
        f"clock_hz = {board.core.clock_hz}\n"
        f"stack_bytes = {board.build.stack_bytes}\n"
        f"flash_base = {board.flash.base}\n"
        f"flash_bytes = {board.flash.size_bytes}\n"
        f"ram_bytes = {board.ram.size_bytes}\n"
        f"power_sensor = {int(board.build.power_sensor)}\n"
    )


def fixed_digest(template: Template, board: Board) -> str:
    """SHA-256 (hex) over all of a project but the model."""
    return hashlib.sha256((template.digest + board_ini(board)).encode()).hexdigest()


def project_files(
    template: Template, program: Program, board: Board, build_digest: bytes = bytes(8)
) -> dict[PurePosixPath, bytes]:
    """All files of the project that builds `program` for `board`.

    Args:
        build_digest: what the firmware says of itself in INFO; zeros for a project that somebody else builds.
    """
    digest = ", ".join(f"0x{byte:02x}" for byte in build_digest)
    sources = {**program.sources, "build.c": _BUILD_C.format(digest=digest)}
    generated = {_GENERATED / name: text.encode() for name, text in sources.items()}
    return {**template.files, **generated, _BOARD_INI: board_ini(board).encode()}


def write_files(files: Mapping[PurePosixPath, bytes], folder: Path) -> None:
    """Make `folder` hold `files`; those that are there already are left untouched, so nothing is compiled
    twice.

    Sources in `src/` that are not among `files` (of an earlier model) are removed.

    Raises:
        CacheError: the folder cannot be written.
    """
    try:
        for path, content in files.items():
            target = folder / path
            if not _holds(target, content):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        for source in (folder / _GENERATED).glob("*.[ch]"):
            if _GENERATED / source.name not in files:
                source.unlink()
    except OSError as error:
        raise cache_error(f"the firmware project cannot be written to {folder}", error) from error


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
