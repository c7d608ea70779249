"""What tests of boards with an AVR need, and the small programs that they run on the emulated chip."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil import toolchain
from hil.board import load_board
from hil.emulator.avr.machine import AvrMachine
from hil.emulator.types import State
from hil.errors import ToolMissing

_LONG = 10**8  # cycles; more than any program here takes between two signs of life


def _simavr() -> bool:
    from hil.emulator.avr.library import library

    try:
        library()
    except ToolMissing:
        return False
    return True


needs_simavr = pytest.mark.skipif(
    shutil.which("avr-gcc") is None or not _simavr(), reason="needs avr-gcc, cc and libsimavr-dev"
)
needs_avr_toolchain = pytest.mark.skipif(
    not (toolchain.available("avr-") and _simavr()),
    reason="needs avr-gcc, avr-libc, arduino-core-avr, libsimavr-dev and PlatformIO",
)


def assembled(text: str, folder: Path, *, chip: str = "atmega328p") -> Path:
    """A firmware of nothing but `text`, which begins at the reset vector."""
    source, elf = folder / "program.S", folder / "program.elf"
    source.write_text(f"#define __SFR_OFFSET 0\n#include <avr/io.h>\n{text}\n")
    command = ["avr-gcc", f"-mmcu={chip}", "-nostartfiles", "-nostdlib", str(source), "-o", str(elf)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return elf


def machine_of(elf: Path, board_id: str = "uno") -> AvrMachine:
    """A machine that is about to run `elf`."""
    machine = AvrMachine(load_board(board_id), device=f"emulated:{board_id}")
    machine.load(elf)
    return machine


def run_to_sleep(machine: AvrMachine) -> bytes:
    """Run until nothing moves any more; returns what was sent."""
    output = b""
    while True:
        state = machine.run(_LONG)
        output += machine.take_output()
        if state is State.ASLEEP:
            return output
        assert state is State.OUTPUT, "the program runs on and on"
