"""Thumb code of a few lines, assembled and decoded, for tests of timing tables."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.emulator.instructions import Decoder, Instruction

_ORIGIN = 0x100


def decode(text: str, folder: Path) -> tuple[Instruction, ...]:
    """The instructions that `text` assembles to; data must not be among them."""
    source, unlinked, code = folder / "code.s", folder / "code.o", folder / "code.bin"
    source.write_text(f".syntax unified\n.thumb\n{text}\n")
    subprocess.run(
        ["arm-none-eabi-as", "-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16", source, "-o", unlinked],
        check=True,
        capture_output=True,
    )
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", unlinked, code], check=True)
    return Decoder().decode(code.read_bytes(), _ORIGIN)
