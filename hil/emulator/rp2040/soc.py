"""The RP2040 as a whole: its peripherals, and what else lies in its address space.

One core runs, as after reset; the other waits in the boot ROM.  The emulation begins behind boot ROM and
second boot stage, which leave the flash mapped and the core at the vectors behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.board import Board
from hil.emulator.chip import Chip
from hil.emulator.registers import Peripheral
from hil.emulator.rp2040 import clocks, gpio, resets, timer, uart
from hil.emulator.surroundings import Surroundings

TRIGGER_PIN = 2  # GP2 marks an inference
_TX_PIN, _RX_PIN = 0, 1
_BOOT2_BYTES = 0x100

# What the chip has and this emulator has not (data sheet, 2.2 "Address Map").
_NOT_MODELLED = (
    (0x0000_0000, 0x0000_4000, "the boot ROM"),
    (0x1000_0000, 0x1500_0000, "flash beyond the board's, or past its cache, or written"),
    (0x1500_0000, 0x1500_4000, "the cache as memory"),
    (0x1800_0000, 0x1800_1000, "the flash interface SSI"),
    (0x2100_0000, 0x2104_0000, "RAM, bank by bank"),
    (0x4000_0000, 0x5040_0000, "a peripheral"),
    (0xD000_0000, 0xD000_1000, "SIO"),
    (0xE000_0000, 0xE010_0000, "the private peripheral bus"),
)


class Soc:
    """The peripherals of one chip."""

    def __init__(self, board: Board, around: Surroundings) -> None:
        held = resets.Resets()
        states = resets.PowerOnStates()
        watchdog = resets.Watchdog(states, around.request_reset)
        crystal = clocks.Crystal()
        pll = clocks.SystemPll(crystal, held.holds("PLL_SYS"))
        tree = clocks.Clocks(crystal, pll, board.core.clock_hz)
        pins = gpio.Pins(held.holds("IO_BANK0"))
        self.receiver = uart.Uart(
            around,
            board.serial.baud,
            lambda: tree.peripheral_hz,
            lambda: pins.function(_TX_PIN) == pins.function(_RX_PIN) == gpio.UART,
            held.holds("UART0"),
        )
        self.all: Sequence[Peripheral] = (
            held,
            states,
            watchdog,
            crystal,
            pll,
            tree,
            pins,
            gpio.make_pads(held.holds("PADS_BANK0")),
            gpio.SingleCycleIo(TRIGGER_PIN, pins, around.trigger_pin),
            self.receiver,
            timer.Microseconds(
                around,
                board.core.clock_hz,
                lambda: tree.reference_is_crystal and watchdog.ticks_microseconds,
                held.holds("TIMER"),
            ),
            timer.FlashCacheSwitch(around),
        )


RP2040 = Chip(
    architecture="cortex-m0plus",
    flash_base=0x1000_0000,
    vectors_offset=_BOOT2_BYTES,
    interrupts=32,  # data sheet, 2.3.2: 26 are used, the core has 32
    priority_bits=2,  # ARMv6-M
    make_peripherals=Soc,
    not_modelled=_NOT_MODELLED,
)
