"""NVMC: the instruction cache.

nRF52840 product specification, chapter "NVMC".  Writing to flash is not modelled.
"""

from __future__ import annotations

from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock

BASE = 0x4001_E000
_ICACHECNF = 0x540
_CACHEEN, _CACHEPROFEN = 1 << 0, 1 << 8


class Cache(Protocol):
    """The instruction cache, and how often it hit."""

    def set_cache(self, on: bool) -> None: ...
    def cache_counts(self) -> tuple[int, int]: ...


class Nvmc(RegisterBlock):
    """READY, and the cache with its profiling counters."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._origin = (0, 0)
        super().__init__(
            "NVMC",
            BASE,
            0x1000,
            {
                0x400: Register("READY", reset=1, writable=False),
                _ICACHECNF: Register("ICACHECNF", bits=_CACHEEN | _CACHEPROFEN, on_write=self._switch),
                0x548: Register("IHIT", on_read=lambda: self._count(0), writable=False),
                0x54C: Register("IMISS", on_read=lambda: self._count(1), writable=False),
            },
        )

    def reset(self) -> None:
        super().reset()
        self._cache.set_cache(False)

    def _switch(self, value: int) -> None:
        self._cache.set_cache(bool(value & _CACHEEN))
        if value & _CACHEPROFEN:
            self._origin = self._cache.cache_counts()

    def _count(self, which: int) -> int:
        if not self.value(_ICACHECNF) & _CACHEPROFEN:
            return 0
        return (self._cache.cache_counts()[which] - self._origin[which]) & 0xFFFF_FFFF
