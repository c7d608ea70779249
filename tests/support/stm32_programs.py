"""Small bare-metal programs for the emulated STM32F746, over the headers and the clock of its port."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.board import Board, load_board
from hil.emulator.machine import Machine
from tests.support.arm_programs import COMPILER

PORT = Path(__file__).parents[2] / "firmware" / "lib" / "port"
_INCLUDES = [f"-I{PORT}", f"-I{PORT / 'cortex_m'}", f"-I{PORT / 'stm32'}", f"-I{PORT / 'stm32' / 'f746'}"]
_FLAGS = ["-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", "-O1", "-std=c99"]
_CLOCK = "-DHIL_CLOCK_HZ=216000000u"
_START = """
#include "chip.h"
#include "clock.h"
void reset(void);
void handler(void);
int main(void);
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[114] = {
  0x20010000, (uintptr_t)reset, [2 ... 113] = (uintptr_t)handler};
void reset(void) { main(); for (;;) __asm volatile("wfe"); }
void handler(void) { for (;;) { } }
static inline void open_line(uint32_t divider) {
  USART_BRR = divider;
  USART_CR1 = USART_CR1_UE | USART_CR1_RE | USART_CR1_TE;
}
static inline void start_clock(void) {
  SCB_DEMCR |= SCB_DEMCR_TRCENA; DWT_LAR = DWT_LAR_KEY; DWT_CTRL |= DWT_CTRL_CYCCNTENA;
}
static inline void send(uint32_t word) {
  for (int i = 0; i < 4; i++) USART_SEND = word >> (8 * i) & 0xFF;
}
#define BRR_1M 108
"""


def disco() -> Board:
    """The profile of the 32F746GDISCOVERY."""
    return load_board("disco_f746ng")


def program(text: str, folder: Path) -> Machine:
    """A machine that is about to run `text`, which defines `main`."""
    source, elf = folder / "program.c", folder / "program.elf"
    source.write_text(_START + text)
    command = [COMPILER, *_FLAGS, _CLOCK, *_INCLUDES, "-nostdlib", "-ffreestanding", str(source)]
    command += [str(PORT / "stm32" / "f746" / "clock.c"), "-o", str(elf)]
    command += ["-Wl,--section-start=.vectors=0x08000000", "-Wl,-Ttext=0x08000200", "-Wl,-e,0x08000000"]
    command += ["-Wl,-Tdata=0x20000000", "-Wl,-Tbss=0x20001000"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    machine = Machine(disco(), device="emulated:test")
    machine.load(elf)
    return machine
