"""System control block of a core with caches of its own: Cortex-M7.

Arm "Cortex-M7 Devices Generic User Guide" DUI 0646, 4.3 and 4.8.  The data cache has to be invalidated line
by line before it is switched on: after reset its lines hold anything.
"""

from __future__ import annotations

from hil.board import Board, Cache
from hil.emulator.cortex_m.system_control import SystemControl
from hil.emulator.registers import Register, Unmodelled
from hil.emulator.surroundings import Surroundings

_CCR, _CCSIDR, _CSSELR, _ICIALLU, _DCISW = 0xD14, 0xD80, 0xD84, 0xF50, 0xF60
_DIV_0_TRP, _STKALIGN, _DC, _IC, _BP = 1 << 4, 1 << 9, 1 << 16, 1 << 17, 1 << 18


class CachedSystemControl(SystemControl):
    """With CCR's switches of both caches, and the registers that empty them."""

    def __init__(self, around: Surroundings, cpuid: int, vectors: int, board: Board) -> None:
        self._caches, self._board = around, board
        self._emptied: set[int] = set()
        super().__init__(around, cpuid, vectors)
        self.add(
            {
                _CCR: Register(
                    "CCR",
                    reset=_STKALIGN | _BP,
                    bits=_STKALIGN | _DIV_0_TRP | _IC | _DC | _BP,
                    on_write=self._switch,
                ),
                _CCSIDR: Register("CCSIDR", on_read=self._data_cache_size, writable=False),
                _CSSELR: Register("CSSELR", bits=0),  # the data cache; nothing else is asked about
                _ICIALLU: Register(
                    "ICIALLU", on_write=lambda _: self._switch(self.value(_CCR)), readable=False
                ),
                _DCISW: Register("DCISW", on_write=self._emptied.add, readable=False),
            }
        )

    def reset(self) -> None:
        super().reset()
        self._emptied.clear()
        self._caches.set_cache(False)
        self._caches.set_data_cache(False)

    def _cache(self) -> Cache:
        cache = self._board.data_cache
        if cache is None:
            raise Unmodelled("the firmware asks for a data cache, the board profile has none")
        return cache

    def _data_cache_size(self) -> int:
        cache = self._cache()
        sets = cache.size_bytes // cache.line_bytes // cache.ways
        words = cache.line_bytes // 4
        return (sets - 1) << 13 | (cache.ways - 1) << 3 | (words.bit_length() - 3)

    def _switch(self, value: int) -> None:
        self._caches.set_cache(bool(value & _IC))
        if value & _DC:
            lines = self._cache().size_bytes // self._cache().line_bytes
            if len(self._emptied) != lines:
                raise Unmodelled(
                    f"the data cache is switched on with {len(self._emptied)} of {lines} lines invalidated"
                )
        self._caches.set_data_cache(bool(value & _DC))
