"""The nRF52840 and the nRF52833 as a whole: their peripherals, and what else lies in their address space."""

from __future__ import annotations

from collections.abc import Sequence

from hil.board import Board
from hil.emulator.chip import Chip
from hil.emulator.nrf52840 import clock, ficr, gpio, nvmc, ppi, timer, twim, uarte
from hil.emulator.power_sensor import Ina219, Ina226
from hil.emulator.registers import Bus, Peripheral
from hil.emulator.supply import Supply
from hil.emulator.surroundings import Surroundings

TRIGGER_PIN = 3  # P0.03 marks an inference

# What the chip has and this emulator has not (chapter "Memory", memory map).
_NOT_MODELLED = (
    (0x0080_0000, 0x0084_0000, "the RAM's second address, in the code region"),
    (0x1000_0000, 0x1000_2000, "FICR and UICR"),
    (0x1200_0000, 0x1A00_0000, "QSPI flash"),
    (0x4000_0000, 0x6000_0000, "a peripheral"),
    (0xE000_0000, 0xE010_0000, "the private peripheral bus"),
)


class Soc:
    """The peripherals of one chip."""

    def __init__(self, part: int, board: Board, around: Surroundings) -> None:
        channels = ppi.Ppi(self._trigger_task)
        supply = Supply(board, around)
        self.receiver = uarte.Uarte(around, board.serial.baud, channels.event)
        self.all: Sequence[Peripheral] = (
            clock.ClockPower(),
            self.receiver,
            timer.CounterTimer(),
            nvmc.Nvmc(around),
            channels,
            gpio.Gpio(0, TRIGGER_PIN, around.trigger_pin),
            gpio.Gpio(1, None, around.trigger_pin),
            twim.Twim(around, {0x40: Ina226(supply), 0x41: Ina219(supply)}),
            ficr.make_ficr(part, board.flash.size_bytes, board.ram.size_bytes),
            ficr.make_uicr(),
        )
        self._bus = Bus(self.all)

    def _trigger_task(self, address: int, times: int) -> None:
        self._bus.trigger(address, times)


def _chip(part: int) -> Chip:
    return Chip(
        architecture="cortex-m4",
        flash_base=0,
        interrupts=48,  # nrf52840.h, nrf52833.h: the highest is SPIM3_IRQn, 47
        priority_bits=3,  # __NVIC_PRIO_BITS of both
        make_peripherals=lambda board, around: Soc(part, board, around),
        not_modelled=_NOT_MODELLED,
    )


NRF52840, NRF52833 = _chip(0x52840), _chip(0x52833)
