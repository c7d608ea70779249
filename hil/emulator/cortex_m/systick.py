"""SysTick: a counter of 24 bits that counts the core's cycles down.

ARMv7-M Architecture Reference Manual, B3.3; ARMv6-M has the same.  Its interrupt and its slower clock are not
modelled.
"""

from __future__ import annotations

from hil.emulator.cortex_m.dwt import CycleSource
from hil.emulator.registers import Register, RegisterBlock, Unmodelled

BASE = 0xE000_E010
_CSR, _RVR, _CVR = 0x0, 0x4, 0x8
_ENABLE, _CLKSOURCE = 1 << 0, 1 << 2
_BITS = 0x00FF_FFFF


class SysTick(RegisterBlock):
    """Counts from RVR down to 0 and starts again.  It stands still while the core sleeps."""

    def __init__(self, source: CycleSource) -> None:
        self._source = source
        self._origin = 0  # cycle at which CVR was last 0
        super().__init__(
            "SysTick",
            BASE,
            0x10,
            {
                _CSR: Register("CSR", bits=_ENABLE | _CLKSOURCE, on_write=self._switch),
                _RVR: Register("RVR", bits=_BITS),
                _CVR: Register("CVR", on_read=self._read, on_write=self._clear),
            },
        )

    def _switch(self, value: int) -> None:
        if value & _ENABLE and not value & _CLKSOURCE:
            raise Unmodelled("SysTick counts the core's clock only in this emulator (CSR.CLKSOURCE)")
        self._origin = self._source.cycles_now()

    def _clear(self, _value: int) -> None:
        self.set_value(_CVR, 0)  # any write clears it
        self._origin = self._source.cycles_now()

    def _read(self) -> int:
        if not self.value(_CSR) & _ENABLE:
            return 0
        self._source.clock_was_read()
        passed = self._source.cycles_now() - self._origin
        return -passed % (self.value(_RVR) + 1)
