"""GPIO ports.

nRF52840 product specification, chapter "GPIO".  One pin is watched: the one that marks an inference
(hil_port_trigger).  The others lead nowhere; what is set can be read back.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock

BASE, PORT_1 = 0x5000_0000, 0x300  # the second port's registers lie behind the first one's
_OUT, _DIR = 0x504, 0x514
_PIN_CNF, _PINS = 0x700, 32
_PIN_CNF_BITS = 0x0003_070F


class Gpio(RegisterBlock):
    """OUT, DIR with their set and clear registers, and PIN_CNF of each pin.

    Args:
        port: 0 or 1.
        watched: number of the pin that is watched; None for none.
        on_change: told its level when it changes.
    """

    def __init__(self, port: int, watched: int | None, on_change: Callable[[bool], None]) -> None:
        self._watched, self._on_change = 0 if watched is None else 1 << watched, on_change
        self._level = False
        registers = {
            _OUT: Register("OUT", on_write=lambda _: self._look()),
            0x508: Register(
                "OUTSET", on_write=lambda bits: self._set(_OUT, bits), on_read=lambda: self.value(_OUT)
            ),
            0x50C: Register(
                "OUTCLR", on_write=lambda bits: self._clear(_OUT, bits), on_read=lambda: self.value(_OUT)
            ),
            _DIR: Register("DIR", on_write=lambda _: self._look()),
            0x518: Register(
                "DIRSET", on_write=lambda bits: self._set(_DIR, bits), on_read=lambda: self.value(_DIR)
            ),
            0x51C: Register(
                "DIRCLR", on_write=lambda bits: self._clear(_DIR, bits), on_read=lambda: self.value(_DIR)
            ),
        }
        for pin in range(_PINS):
            registers[_PIN_CNF + 4 * pin] = self._pin(pin)
        super().__init__(f"P{port}", BASE + PORT_1 * port, 0x500 + PORT_1, registers)

    def _pin(self, pin: int) -> Register:
        def configure(value: int) -> None:
            (self._set if value & 1 else self._clear)(_DIR, 1 << pin)

        return Register(f"PIN_CNF[{pin}]", reset=2, bits=_PIN_CNF_BITS, on_write=configure)

    def reset(self) -> None:
        super().reset()
        self._look()

    def _set(self, offset: int, bits: int) -> None:
        self.set_value(offset, self.value(offset) | bits)
        self._look()

    def _clear(self, offset: int, bits: int) -> None:
        self.set_value(offset, self.value(offset) & ~bits)
        self._look()

    def _look(self) -> None:
        level = bool(self.value(_OUT) & self.value(_DIR) & self._watched)
        if level != self._level:
            self._level = level
            self._on_change(level)
