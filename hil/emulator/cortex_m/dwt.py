"""DWT: the cycle counter.  ARMv7-M Architecture Reference Manual, C1.8.  Nothing else of it is modelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled

BASE = 0xE000_1000
_CTRL, _CYCCNT, _LAR = 0x000, 0x004, 0xFB0
_KEY = 0xC5AC_CE55
_CYCCNTENA = 1
_FOUR_COMPARATORS = 4 << 28


class CycleSource(Protocol):
    """Where the time comes from."""

    def cycles_now(self) -> int: ...
    def clock_was_read(self) -> None: ...


class Dwt(RegisterBlock):
    """CYCCNT counts while DEMCR.TRCENA and CTRL.CYCCNTENA are set and the core is awake."""

    def __init__(self, source: CycleSource, trace_enabled: Callable[[], bool]) -> None:
        self._source = source
        self._trace_enabled = trace_enabled
        self._origin = 0  # cycle at which the counter was 0, while it counts
        self._held = 0  # its value while it does not
        super().__init__(
            "DWT",
            BASE,
            0x1000,
            {
                _CTRL: Register(
                    "CTRL",
                    bits=_CYCCNTENA | _FOUR_COMPARATORS,
                    on_read=lambda: self.value(_CTRL) & _CYCCNTENA | _FOUR_COMPARATORS,
                    on_write=self._switch,
                ),
                _CYCCNT: Register("CYCCNT", on_read=self._read, on_write=self._set),
            },
        )
        self._counting = False

    def reset(self) -> None:
        super().reset()
        self._counting = False
        self._held = 0

    def _switch(self, value: int) -> None:
        now = self._source.cycles_now()
        if self._counting:
            self._held = now - self._origin
        self._counting = bool(value & _CYCCNTENA) and self._trace_enabled()
        self._origin = now - self._held

    def _read(self) -> int:
        self._source.clock_was_read()
        now = self._source.cycles_now()
        return ((now - self._origin) if self._counting else self._held) & 0xFFFF_FFFF

    def _set(self, value: int) -> None:
        self._held = value
        self._origin = self._source.cycles_now() - value


class LockedDwt(Dwt):
    """With the software lock of Cortex-M7: until LAR has its key, the core ignores what is written.

    Arm CoreSight architecture, "Lock Access Register"; on STM32F7 the counter stands at 0 without it.
    """

    def __init__(self, source: CycleSource, trace_enabled: Callable[[], bool]) -> None:
        self._locked = True
        super().__init__(source, trace_enabled)
        self.add({_LAR: Register("LAR", on_write=self._unlock, readable=False)})

    def reset(self) -> None:
        super().reset()
        self._locked = True

    def write(self, offset: int, size: int, value: int) -> None:
        if self._locked and offset != _LAR:
            raise Unmodelled("DWT is written while it is locked: the core ignores that until LAR has the key")
        super().write(offset, size, value)

    def _unlock(self, value: int) -> None:
        self._locked = value != _KEY
