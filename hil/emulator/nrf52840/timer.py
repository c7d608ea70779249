"""TIMER1 as a counter of events.  nRF52840 product specification, chapter "TIMER".

Only the counter modes are modelled; counting time is an error.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, RegisterBlock, Unmodelled, task

BASE = 0x4000_9000
COUNT = 0x008
_MODE, _BITMODE, _CC = 0x504, 0x508, 0x540
_CHANNELS = 4
_WIDTHS = {0: 16, 1: 8, 2: 24, 3: 32}


class CounterTimer(RegisterBlock):
    """COUNT, CLEAR and CAPTURE of a TIMER in counter mode."""

    def __init__(self) -> None:
        self._count = 0
        self._running = False
        registers = {
            0x000: task("TASKS_START", self._start),
            0x004: task("TASKS_STOP", self._stop),
            COUNT: task("TASKS_COUNT", lambda: self._add(1)),
            0x00C: task("TASKS_CLEAR", self._clear),
            _MODE: Register("MODE", bits=3),
            _BITMODE: Register("BITMODE", bits=3),
        }
        for channel in range(_CHANNELS):
            registers[0x040 + 4 * channel] = task(f"TASKS_CAPTURE[{channel}]", self._capture(channel))
            registers[_CC + 4 * channel] = Register(f"CC[{channel}]", writable=False)
        super().__init__("TIMER1", BASE, 0x1000, registers)

    def reset(self) -> None:
        super().reset()
        self._count = 0
        self._running = False

    def trigger(self, offset: int, times: int) -> None:
        if offset == COUNT:
            self._add(times)
        else:
            super().trigger(offset, times)

    def _start(self) -> None:
        if self.value(_MODE) not in (1, 2):
            raise Unmodelled("TIMER1 is started in timer mode: only the counter modes are modelled")
        self._running = True

    def _stop(self) -> None:
        self._running = False

    def _clear(self) -> None:
        self._count = 0

    def _add(self, times: int) -> None:
        if self._running:
            self._count = (self._count + times) % (1 << _WIDTHS[self.value(_BITMODE)])

    def _capture(self, channel: int) -> Callable[[], None]:
        return lambda: self.set_value(_CC + 4 * channel, self._count)
