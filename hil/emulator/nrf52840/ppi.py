"""PPI: leads events to tasks.

nRF52840 product specification, chapter "PPI".  The 20 programmable channels.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock

BASE = 0x4001_F000
_CHEN = 0x500
_CHANNELS = 20
_ALL = (1 << _CHANNELS) - 1


class Ppi(RegisterBlock):
    """Channels with one event end point and one task end point each.

    Args:
        trigger: triggers the task at an address, so many times.
    """

    def __init__(self, trigger: Callable[[int, int], None]) -> None:
        self._trigger = trigger
        registers = {
            _CHEN: Register("CHEN", bits=_ALL),
            0x504: Register(
                "CHENSET", bits=_ALL, on_read=self._enabled, on_write=lambda b: self._enable(b, 0)
            ),
            0x508: Register(
                "CHENCLR", bits=_ALL, on_read=self._enabled, on_write=lambda b: self._enable(0, b)
            ),
        }
        for channel in range(_CHANNELS):
            registers[0x510 + 8 * channel] = Register(f"CH[{channel}].EEP")
            registers[0x514 + 8 * channel] = Register(f"CH[{channel}].TEP")
        super().__init__("PPI", BASE, 0x1000, registers)

    def event(self, address: int, times: int) -> None:
        """The event at `address` was generated `times` times."""
        enabled = self._enabled()
        for channel in range(_CHANNELS):
            if enabled >> channel & 1 and self.value(0x510 + 8 * channel) == address:
                self._trigger(self.value(0x514 + 8 * channel), times)

    def _enabled(self) -> int:
        return self.value(_CHEN)

    def _enable(self, on: int, off: int) -> None:
        self.set_value(_CHEN, self._enabled() & ~off | on)
