"""Pins: IO_BANK0 and PADS_BANK0 (RP2040 data sheet, 2.19), SIO (2.3.1).

One pin is watched: the one that marks an inference (hil_port_trigger).
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock
from hil.emulator.rp2040.atomic import AtomicBlock

IO_BASE, PADS_BASE, SIO_BASE = 0x4001_4000, 0x4001_C000, 0xD000_0000
PINS = 30
UART, SIO, NONE = 2, 5, 31  # functions of a pin
_PAD_AFTER_RESET, _PAD_BITS = 0x56, 0xFF
_OUT, _OE = 0x10, 0x20


class Pins(AtomicBlock):
    """IO_BANK0: the function of each pin."""

    def __init__(self, in_reset: Callable[[], bool]) -> None:
        registers = {8 * pin + 4: Register(f"GPIO{pin}_CTRL", reset=NONE, bits=0x1F) for pin in range(PINS)}
        super().__init__("IO_BANK0", IO_BASE, registers, in_reset)

    def function(self, pin: int) -> int:
        """What `pin` is connected to."""
        return self.value(8 * pin + 4)


def make_pads(in_reset: Callable[[], bool]) -> AtomicBlock:
    """PADS_BANK0: pulls and drive, which change nothing here."""
    registers = {
        4 * pin + 4: Register(f"GPIO{pin}", reset=_PAD_AFTER_RESET, bits=_PAD_BITS) for pin in range(PINS)
    }
    return AtomicBlock("PADS_BANK0", PADS_BASE, registers, in_reset)


class SingleCycleIo(RegisterBlock):
    """SIO: level and direction of the pins.

    Args:
        watched: number of the pin that is watched.
        pins: the pin must be given to SIO to show a level.
        on_change: told its level when it changes.
    """

    def __init__(self, watched: int, pins: Pins, on_change: Callable[[bool], None]) -> None:
        self._watched, self._pins, self._on_change = watched, pins, on_change
        self._level = False
        registers: dict[int, Register] = {}
        for base, name in ((_OUT, "GPIO_OUT"), (_OE, "GPIO_OE")):
            registers[base] = Register(name, bits=(1 << PINS) - 1, on_write=lambda _: self._look())
            registers[base + 4] = self._changer(f"{name}_SET", base, lambda old, bits: old | bits)
            registers[base + 8] = self._changer(f"{name}_CLR", base, lambda old, bits: old & ~bits)
        super().__init__("SIO", SIO_BASE, 0x1000, registers)

    def reset(self) -> None:
        super().reset()
        self._look()

    def _changer(self, name: str, base: int, combine: Callable[[int, int], int]) -> Register:
        def change(bits: int) -> None:
            self.set_value(base, combine(self.value(base), bits))
            self._look()

        return Register(name, bits=(1 << PINS) - 1, on_write=change, readable=False)

    def _look(self) -> None:
        high = bool(self.value(_OUT) & self.value(_OE) & 1 << self._watched)
        level = high and self._pins.function(self._watched) == SIO
        if level != self._level:
            self._level = level
            self._on_change(level)
