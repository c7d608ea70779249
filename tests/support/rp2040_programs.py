"""Small bare-metal programs for the emulated RP2040, assembled in tests."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from hil.board import Board, load_board
from hil.emulator.machine import Machine
from hil.emulator.types import State
from tests.support.arm_programs import COMPILER

STACK_TOP = 0x2001_0000
RESULT = 0x2000_0000
_LONG = 10**7  # cycles

# The second boot stage is not run; `main` starts with SysTick counting, every exception but reset goes to
# `handler`, which goes to `on_exception` where that is.
START = f"""
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word {STACK_TOP}
    .word start
    .rept 46
    .word handler
    .endr
    .text
    .align 4
    .thumb_func
handler:
    .weak on_exception
    ldr r0, =on_exception
    cmp r0, #0
    beq 1f
    bx r0
1:  b 1b
    .ltorg
    .thumb_func
start:
    ldr r0, =0xE000E010
    ldr r1, =0x00FFFFFF
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #5
    str r1, [r0]
    bl main
1:  wfe
    b 1b
    .ltorg
"""


def pico(*, wait_states: int | None = None) -> Board:
    """The profile of the Pico, with other wait states where they are given."""
    board = load_board("pico")
    if wait_states is None:
        return board
    return dataclasses.replace(board, flash=dataclasses.replace(board.flash, wait_states=wait_states))


def assembly_elf(text: str, folder: Path) -> Path:
    """A firmware whose `main` is in `text`; `on_exception` may be, too."""
    source, elf = folder / "program.S", folder / "program.elf"
    source.write_text(START + text)
    command = [COMPILER, "-mcpu=cortex-m0plus", "-mthumb", "-nostdlib", str(source), "-o", str(elf)]
    command += ["-Wl,--section-start=.vectors=0x10000100", "-Wl,-Ttext=0x10000200", "-Wl,-e,0"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return elf


def run(text: str, folder: Path, *, board: Board | None = None) -> Machine:
    """Run the program until it sleeps for good."""
    machine = Machine(board or pico(), device="emulated:test")
    machine.load(assembly_elf(text, folder))
    assert machine.run(_LONG) is State.ASLEEP
    return machine
