"""Small bare-metal programs for the emulated nRF52840, assembled and compiled in tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil.board import Board, load_board
from hil.emulator.counter import Hooks
from hil.emulator.machine import Machine
from hil.emulator.types import State

COMPILER = "arm-none-eabi-gcc"
needs_compiler = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason=f"needs {COMPILER} (`hilnas doctor`)"
)
_FLAGS = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O1", "-std=c99"]
STACK_TOP = 0x2001_0000
_LONG = 10**7  # cycles; more than any of these programs takes between two signs of life

# Vectors, then `main` runs with all peripherals at hand; every exception but reset goes to `handler`.
ASSEMBLY_START = f"""
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word {STACK_TOP}
    .word start
    .rept 62
    .word handler
    .endr
    .text
    .align 4
    .thumb_func
handler:
    .weak on_exception
    ldr r0, =on_exception
    cbz r0, 1f
    bx r0
1:  b 1b
    .ltorg
    .thumb_func
start:
    ldr r0, =0xE000EDFC     @ DEMCR.TRCENA
    ldr r1, =0x01000000
    str r1, [r0]
    ldr r0, =0xE000ED88     @ CPACR: floating-point unit on
    ldr r1, =0x00F00000
    str r1, [r0]
    ldr r0, =0xE0001000     @ DWT.CTRL.CYCCNTENA
    movs r1, #1
    str r1, [r0]
    b main
    .ltorg
"""

C_START = f"""
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
void reset(void);
void handler(void);
int main(void);
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[64] = {{
  {STACK_TOP}, (uintptr_t)reset, [2 ... 63] = (uintptr_t)handler}};
static inline void open_line(void) {{
  REG(0x4000250C) = 6; REG(0x40002514) = 8; REG(0x40002524) = 0x10000000; REG(0x40002500) = 8;
}}
static inline void send(const volatile void *data, uint32_t size) {{
  REG(0x40002544) = (uintptr_t)data; REG(0x40002548) = size; REG(0x40002120) = 0; REG(0x40002008) = 1;
  while (REG(0x40002120) == 0) {{ }}
}}
static inline void start_clock(void) {{ REG(0xE000EDFC) |= 1u << 24; REG(0xE0001000) |= 1u; }}
void reset(void) {{ REG(0xE000ED88) |= 0xFu << 20; main(); for (;;) __asm volatile("wfe"); }}
"""


def dk() -> Board:
    """The profile of the nRF52840 DK."""
    return load_board("nrf52840_dk")


def link(source: Path, elf: Path, *flags: str) -> Path:
    """Compile or assemble one file to a firmware."""
    command = [COMPILER, *_FLAGS, *flags, "-nostdlib", "-ffreestanding", str(source), "-o", str(elf)]
    command += ["-Wl,--section-start=.vectors=0", "-Wl,-Ttext=0x100", "-Wl,-Tdata=0x20000000", "-Wl,-e,0"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return elf


def assembly_elf(text: str, folder: Path) -> Path:
    """A firmware whose `main` is in `text`; `on_exception` may be, too."""
    source = folder / "program.S"
    source.write_text(ASSEMBLY_START + text)
    return link(source, folder / "program.elf")


def c_elf(text: str, folder: Path, *flags: str) -> Path:
    """A firmware of C: `text` defines `main` and `handler`."""
    source = folder / "program.c"
    source.write_text(C_START + text)
    return link(source, folder / "program.elf", *flags)


def machine_of(elf: Path, *, board: Board | None = None, hooks: Hooks | None = None) -> Machine:
    """A machine that is about to run `elf`."""
    machine = Machine(board or dk(), device="emulated:test", hooks=hooks)
    machine.load(elf)
    return machine


def run_to_sleep(machine: Machine) -> bytes:
    """Run until nothing moves any more; returns what was sent."""
    output = b""
    while True:
        state = machine.run(_LONG)
        output += machine.take_output()
        if state is State.ASLEEP:
            return output
        assert state is State.OUTPUT, "the program runs on and on"
