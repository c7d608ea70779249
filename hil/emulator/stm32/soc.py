"""The STM32 chips as a whole: their peripherals, and what else lies in their address spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.board import Board
from hil.emulator.chip import Chip
from hil.emulator.line import Receiver
from hil.emulator.registers import Peripheral, RegisterBlock
from hil.emulator.stm32 import f4_f7, l4, u5
from hil.emulator.stm32.clock import Clock, Flash, Needs
from hil.emulator.stm32.gpio import Gpio
from hil.emulator.stm32.unique_id import make_unique_id
from hil.emulator.stm32.usart import Facts, Usart, UsartV1
from hil.emulator.surroundings import Surroundings

_FLASH_BASE = 0x0800_0000
_PRIORITY_BITS = 4  # __NVIC_PRIO_BITS of all four
_LATENCY_AND_PREFETCH, _ICEN, _DCEN = 0x10F, 1 << 9, 1 << 10
_BUSES = (
    (0x4000_0000, 0x6000_0000, "a peripheral"),
    (0xE000_0000, 0xE010_0000, "the private peripheral bus"),
)


@dataclass
class Soc:
    """The peripherals of one chip."""

    receiver: Receiver
    all: Sequence[Peripheral]


def _ports(
    letters: str, base: int, rcc: Clock, enable: int, watched: tuple[str, int], around: Surroundings
) -> list[RegisterBlock]:
    """GPIO ports; each has a bit of its own in the enable register, and 1 kB of addresses, from A on."""
    return [
        Gpio(
            letter,
            base + 0x400 * number,
            rcc.clocks(enable, number),
            watched[1] if letter == watched[0] else None,
            around.trigger_pin,
        )
        for letter in letters
        for number in (ord(letter) - ord("A"),)
    ]


def _accelerator(around: Surroundings) -> Callable[[int], None]:
    """The two caches of the ART accelerator, switched in FLASH.ACR."""

    def switch(value: int) -> None:
        around.set_cache(bool(value & _ICEN))
        around.set_data_cache(bool(value & _DCEN))

    return switch


def _f446(board: Board, around: Surroundings) -> Soc:
    flash = Flash(f4_f7.FLASH_BASE, _LATENCY_AND_PREFETCH | _ICEN | _DCEN, _accelerator(around))
    pwr = f4_f7.Pwr(f4_f7.F446_MOST_HZ)
    rcc = f4_f7.Rcc(board, Needs(flash.wait_states, pwr.lacks))
    facts = Facts("USART2", 0x4000_4400, interrupt=38, clock_hz=board.core.clock_hz // 4)
    usart = UsartV1(facts, around, rcc.clocks(f4_f7.APB1ENR, 17), board.serial.baud)
    ports = _ports("A", 0x4002_0000, rcc, f4_f7.AHB1ENR, ("A", 10), around)
    return Soc(usart, (flash, pwr, rcc, usart, *ports, make_unique_id(0x1FFF_7A10)))


def _f746(board: Board, around: Surroundings) -> Soc:
    flash = Flash(f4_f7.FLASH_BASE, _LATENCY_AND_PREFETCH)
    pwr = f4_f7.Pwr(f4_f7.F746_MOST_HZ)
    rcc = f4_f7.Rcc(board, Needs(flash.wait_states, pwr.lacks))
    facts = Facts("USART1", 0x4001_1000, interrupt=37, clock_hz=board.core.clock_hz // 2)
    usart = Usart(facts, around, rcc.clocks(f4_f7.APB2ENR, 4), board.serial.baud)
    ports = _ports("ABG", 0x4002_0000, rcc, f4_f7.AHB1ENR, ("G", 6), around)
    return Soc(usart, (flash, pwr, rcc, usart, *ports, make_unique_id(0x1FF0_F420)))


def _l4r5(board: Board, around: Surroundings) -> Soc:
    flash = Flash(l4.FLASH_BASE, _LATENCY_AND_PREFETCH | _ICEN | _DCEN, _accelerator(around))
    pwr = l4.Pwr()
    rcc = l4.Rcc(board, Needs(flash.wait_states, pwr.lacks))
    facts = Facts("LPUART1", 0x4000_8000, interrupt=70, clock_hz=board.core.clock_hz, divider_unit=256)
    clocked = rcc.clocks(l4.APB1ENR2, 0)
    usart = Usart(facts, around, lambda: clocked() and pwr.port_g_is_supplied(), board.serial.baud)
    ports = _ports("FG", 0x4800_0000, rcc, l4.AHB2ENR, ("F", 15), around)
    return Soc(usart, (flash, pwr, rcc, usart, *ports, make_unique_id(0x1FFF_7590)))


def _u575(board: Board, around: Surroundings) -> Soc:
    flash = Flash(u5.FLASH_BASE, _LATENCY_AND_PREFETCH)
    pwr = u5.Pwr()
    rcc = u5.Rcc(board, Needs(flash.wait_states, pwr.lacks))
    facts = Facts("USART1", 0x4001_3800, interrupt=61, clock_hz=board.core.clock_hz)
    usart = Usart(facts, around, rcc.clocks(u5.APB2ENR, 14), board.serial.baud)
    ports = _ports("AF", 0x4202_0000, rcc, u5.AHB2ENR1, ("F", 15), around)
    cache = u5.make_icache(around.set_cache)
    return Soc(usart, (flash, pwr, rcc, usart, cache, *ports, make_unique_id(0x0BFA_0700)))


def _chip(
    architecture: str,
    interrupts: int,
    make: Callable[[Board, Surroundings], Soc],
    *not_modelled: tuple[int, int, str],
) -> Chip:
    return Chip(
        architecture=architecture,
        flash_base=_FLASH_BASE,
        interrupts=interrupts,
        priority_bits=_PRIORITY_BITS,
        make_peripherals=make,
        not_modelled=(*not_modelled, *_BUSES),
    )


# Interrupts: one more than the highest of the device header.  Memory maps: the chapters "Memory and bus
# architecture" of the reference manuals.
STM32F446 = _chip(
    "cortex-m4",
    97,
    _f446,
    (0x0000_0000, 0x0008_0000, "flash at its second address"),
    (0x1FFF_0000, 0x1FFF_7A30, "system memory"),
)
STM32F746 = _chip(
    "cortex-m7",
    98,
    _f746,
    (0x0000_0000, 0x0000_4000, "ITCM RAM"),
    (0x0010_0000, 0x0030_0000, "system memory, or flash at its second address"),
    (0x1FF0_0000, 0x1FF1_0000, "system memory"),
)
STM32L4R5 = _chip(
    "cortex-m4",
    95,
    _l4r5,
    (0x0000_0000, 0x0020_0000, "flash at its second address"),
    (0x1000_0000, 0x1001_0000, "SRAM2 at its second address"),
    (0x1FFF_0000, 0x1FFF_7830, "system memory"),
)
STM32U575 = _chip(
    "cortex-m33",
    126,
    _u575,
    (0x0A00_0000, 0x0A0C_0000, "RAM at its second address"),
    (0x0BF9_0000, 0x0BFB_0000, "system memory"),
    (0x0C00_0000, 0x1000_0000, "secure addresses"),
    (0x2800_0000, 0x2800_4000, "SRAM4"),
    (0x3000_0000, 0x4000_0000, "secure addresses"),
)
