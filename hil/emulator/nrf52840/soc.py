"""The nRF52840 as a whole: its peripherals, and what else lies in its address space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.board import Board
from hil.emulator.cortex_m import dwt
from hil.emulator.nrf52840 import clock, ficr, gpio, nvmc, ppi, timer, uarte
from hil.emulator.registers import Peripheral

INTERRUPTS = 48  # nrf52840.h: the highest is SPIM3_IRQn, 47
PRIORITY_BITS = 3  # nrf52840.h: __NVIC_PRIO_BITS

# What the chip has and this emulator has not (chapter "Memory", memory map).  Elsewhere the core takes a bus
# fault.
_NOT_MODELLED = (
    (0x0080_0000, 0x0084_0000, "the RAM's second address, in the code region"),
    (0x1000_0000, 0x1000_2000, "FICR and UICR"),
    (0x1200_0000, 0x1A00_0000, "QSPI flash"),
    (0x4000_0000, 0x6000_0000, "a peripheral"),
    (0xE000_0000, 0xE010_0000, "the private peripheral bus"),
)


class Surroundings(uarte.Surroundings, nvmc.Cache, dwt.CycleSource, Protocol):
    """What the peripherals need of the machine around them."""

    def trigger_task(self, address: int, times: int) -> None: ...


class Soc:
    """The peripherals of one chip.

    Attributes:
        uarte: the serial line of the board.
        peripherals: all of them.
    """

    def __init__(self, board: Board, around: Surroundings, flash_bytes: int, ram_bytes: int) -> None:
        self.ppi = ppi.Ppi(around.trigger_task)
        self.uarte = uarte.Uarte(around, board.serial.baud)
        self.peripherals: tuple[Peripheral, ...] = (
            clock.ClockPower(),
            self.uarte,
            timer.CounterTimer(),
            nvmc.Nvmc(around),
            self.ppi,
            gpio.Gpio(),
            ficr.make_ficr(flash_bytes, ram_bytes),
            ficr.make_uicr(),
        )


def unmodelled_at(address: int) -> str | None:
    """What the chip has at `address`; None where it has nothing."""
    for first, end, what in _NOT_MODELLED:
        if first <= address < end:
            return what
    return None


# Boards whose chip is modelled here: id of the profile -> its chip.
SOCS: dict[str, Callable[[Board, Surroundings, int, int], Soc]] = {"nrf52840_dk": Soc}
