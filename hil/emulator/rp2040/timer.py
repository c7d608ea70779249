"""TIMER, which counts microseconds, and the switch of the flash cache (XIP_CTRL).

RP2040 data sheet, 4.6 and 2.6.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled
from hil.emulator.rp2040.atomic import AtomicBlock

TIMER_BASE, XIP_CTRL_BASE = 0x4005_4000, 0x1400_0000
_TIMERAWL = 0x28
_CTRL, _EN, _ERR_BADWRITE = 0x00, 1 << 0, 1 << 1


class Time(Protocol):
    """Where the time comes from."""

    def time_now(self) -> int: ...


class Cache(Protocol):
    """The cache between cores and flash."""

    def set_cache(self, on: bool) -> None: ...


class Microseconds(AtomicBlock):
    """TIMERAWL.

    Args:
        clock_hz: cycles per second of the time that it is given.
        ticks: whether it gets its tick, once a microsecond.
    """

    def __init__(
        self, time: Time, clock_hz: int, ticks: Callable[[], bool], in_reset: Callable[[], bool]
    ) -> None:
        self._time, self._clock_hz, self._ticks = time, clock_hz, ticks
        super().__init__(
            "TIMER",
            TIMER_BASE,
            {_TIMERAWL: Register("TIMERAWL", on_read=self._now, writable=False)},
            in_reset,
        )

    def _now(self) -> int:
        if not self._ticks():
            raise Unmodelled("TIMER is read, but WATCHDOG.TICK does not divide the crystal by 12")
        return self._time.time_now() * 1_000_000 // self._clock_hz & 0xFFFF_FFFF


class FlashCacheSwitch(RegisterBlock):
    """XIP_CTRL.CTRL: the cache is on at reset."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        super().__init__(
            "XIP_CTRL",
            XIP_CTRL_BASE,
            0x1000,
            {
                _CTRL: Register(
                    "CTRL",
                    reset=_EN | _ERR_BADWRITE,
                    bits=_EN | _ERR_BADWRITE,
                    on_write=lambda value: cache.set_cache(bool(value & _EN)),
                )
            },
        )

    def reset(self) -> None:
        super().reset()
        self._cache.set_cache(True)
