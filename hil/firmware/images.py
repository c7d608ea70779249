"""Images that were built before, so that the same program is not built twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from hil.board import Board
from hil.firmware.failures import cache_error
from hil.firmware.template import board_ini
from hil.program import Program
from hil.resources import cache_dir
from hil.toolchain import Compiler

# 1,000 images of about 150 kB.
_KEPT = 1000
BUILD_DIGEST_BYTES = 8


def image_key(program: Program, board: Board, template_digest: str, compiler: Compiler) -> str:
    """SHA-256 (hex) over all that decides the image's bytes."""
    facts = {
        "sources": dict(sorted(program.sources.items())),
        "environment": board.build.environment,
        "board": board_ini(board),
        "template": template_digest,
        "compiler": [compiler.prefix, compiler.version],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def build_digest(key: str) -> bytes:
    """What the firmware built under `key` says of itself in INFO: the key's first 8 bytes."""
    return bytes.fromhex(key)[:BUILD_DIGEST_BYTES]


def find_image(key: str) -> Path | None:
    """The ELF file that was kept under `key`.

    Raises:
        CacheError: the cache cannot be made.
    """
    path = cache_dir("images") / f"{key}.elf"
    if not path.is_file():
        return None
    with contextlib.suppress(OSError):  # a read-only cache still serves
        os.utime(path)
    return path


def keep_image(key: str, elf: Path) -> Path:
    """Keep a copy of `elf` under `key`; the longest unused ones make room for it.

    Raises:
        CacheError: the copy cannot be written.
    """
    folder = cache_dir("images")
    target = folder / f"{key}.elf"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as copy:
            try:
                with elf.open("rb") as source:
                    shutil.copyfileobj(source, copy)
                copy.close()
                os.replace(copy.name, target)
            except BaseException:
                os.unlink(copy.name)
                raise
    except OSError as error:
        raise cache_error(f"the image cannot be kept in {folder}", error) from error
    _make_room(folder)
    return target


def _make_room(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another process may be making room as well
        images = sorted(folder.glob("*.elf"), key=lambda path: path.stat().st_mtime)
        for path in images[:-_KEPT]:
            path.unlink(missing_ok=True)
