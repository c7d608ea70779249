"""Counting of instructions and cycles: the state, and its arithmetic in Python.

`counter.c` holds the same arithmetic for speed (`native.py` compiles it); this one serves where the host has
no C compiler, and is what the other is held equal to.  Fields are explained in counter.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Protocol

from hil.board import Board, Cache, Flash
from hil.emulator.blocks import Block

NO_LINE = 0xFFFF_FFFF
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF

UNKNOWN_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)


class BlockRecord(ctypes.Structure):
    """hil_block."""

    _fields_ = (
        *((name, ctypes.c_uint16) for name in ("cycles", "instructions", "size_bytes")),
        *((name, ctypes.c_uint8) for name in ("taken_cycles", "passed_cycles")),
    )


class CacheState(ctypes.Structure):
    """hil_cache."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("on", "sets", "ways", "line_shift", "miss_cycles")),
        ("tags", ctypes.POINTER(ctypes.c_uint32)),
    )


class CounterState(ctypes.Structure):
    """hil_counter."""

    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("cycles", "instructions", "taken", "data_lines", "data_hits")),
        *((name, ctypes.c_uint64) for name in ("fetch_lines", "fetch_hits", "cycle_limit")),
        *(
            (name, ctypes.c_uint32)
            for name in ("stop", "stopped", "resume", "block", "block_bytes", "expected")
        ),
        *((name, ctypes.c_uint32) for name in ("taken_cycles", "passed_cycles")),
        *((name, ctypes.c_uint32) for name in ("data_line", "fetch_line", "flash_base", "flash_bytes")),
        *((name, ctypes.c_uint32) for name in ("line_shift", "wait_states")),
        ("fetch_cache", ctypes.POINTER(CacheState)),
        ("data_cache", ctypes.POINTER(CacheState)),
        ("blocks", ctypes.POINTER(BlockRecord)),
        ("unknown", BlockRecord),
        ("on_unknown", ctypes.c_void_p),
        ("emu_stop", ctypes.c_void_p),
    )


class FlashCache:
    """A cache between core and flash, off and empty at first.

    Attributes:
        state: shared with the C arithmetic.
    """

    def __init__(self, facts: Cache, flash: Flash) -> None:
        lines = facts.size_bytes // facts.line_bytes
        self._tags = (ctypes.c_uint32 * lines)()
        self.state = CacheState(
            ways=facts.ways,
            sets=lines // facts.ways,
            line_shift=_log2(facts.line_bytes),
            miss_cycles=flash.wait_states * max(1, facts.line_bytes // flash.line_bytes),
            tags=ctypes.cast(self._tags, ctypes.POINTER(ctypes.c_uint32)),
        )
        self.clear()

    def clear(self) -> None:
        """Empty it."""
        ctypes.memset(self._tags, 0xFF, ctypes.sizeof(self._tags))

    def switch(self, on: bool) -> None:
        """Switch it; it is empty afterwards."""
        self.clear()
        self.state.on = int(on)


class Hooks(Protocol):
    """What puts a counter into an engine."""

    def attach(self, counter: Counter, engine: Any) -> None:
        """Call the counter at each block, and at each read of flash data."""


class Counter:
    """Totals of one machine, and what they are charged by.

    Attributes:
        state: all figures; shared with the C arithmetic where that is in use.
        on_unknown: called with address and size of a block that was not seen before; it has to call
            `describe`, and may set `state.stop`, which then takes effect before that block runs.
    """

    def __init__(self, board: Board, on_unknown: Callable[[int, int], None]) -> None:
        self.on_unknown = on_unknown
        flash = board.flash
        self.state = CounterState(
            cycle_limit=NO_LIMIT,
            flash_base=flash.base,
            flash_bytes=flash.size_bytes,
            line_shift=_log2(flash.line_bytes),
            wait_states=flash.wait_states,
        )
        self._blocks = (BlockRecord * (flash.size_bytes // 2))()
        self.state.blocks = ctypes.cast(self._blocks, ctypes.POINTER(BlockRecord))
        instructions, data = board.instruction_cache, board.data_cache
        self._fetch_cache = FlashCache(instructions, flash) if instructions is not None else None
        self._data_cache = FlashCache(data, flash) if data is not None else None
        if instructions is not None and instructions.unified:
            self._data_cache = self._fetch_cache
        if self._fetch_cache is not None:
            self.state.fetch_cache = ctypes.pointer(self._fetch_cache.state)
        if self._data_cache is not None:
            self.state.data_cache = ctypes.pointer(self._data_cache.state)
        self.keep_alive: object = None  # what C points at
        self.forget_lines()

    def forget_lines(self) -> None:
        """Empty the line buffers and the caches, as a reset does."""
        self.state.data_line = self.state.fetch_line = NO_LINE
        for cache in (self._fetch_cache, self._data_cache):
            if cache is not None:
                cache.clear()

    def set_cache(self, on: bool) -> None:
        """Switch the instruction cache where there is one; it is empty afterwards."""
        self.state.fetch_line = NO_LINE
        if self._fetch_cache is not None:
            self._fetch_cache.switch(on)

    def set_data_cache(self, on: bool) -> None:
        """Switch the data cache, likewise."""
        self.state.data_line = NO_LINE
        if self._data_cache is not None:
            self._data_cache.switch(on)

    def describe(self, block: Block, *, keep: bool) -> None:
        """Say what the block at hand costs.  `keep`: for good, not only for this once."""
        record = self.state.unknown
        record.cycles, record.instructions, record.size_bytes = (
            block.cycles,
            len(block.instructions),
            block.size,
        )
        record.taken_cycles, record.passed_cycles = block.leaving
        if keep:
            self._blocks[(block.address - self.state.flash_base) >> 1] = record

    def jump(self, address: int, cycles: int) -> None:
        """Go on at `address` without a branch, `cycles` later (exception entry and return)."""
        self.state.expected = address
        self.state.passed_cycles = 0
        self.state.cycles += cycles

    def undo(self, cycles: int, instructions: int) -> None:
        """Take back what was charged for the part of a block that did not run."""
        self.state.cycles -= cycles
        self.state.instructions -= instructions


class PythonHooks:
    """The arithmetic of counter.c, line by line in Python."""

    def attach(self, counter: Counter, engine: Any) -> None:
        from unicorn import UC_HOOK_BLOCK, UC_HOOK_MEM_READ

        state = counter.state
        flash_end = state.flash_base + state.flash_bytes
        engine.hook_add(UC_HOOK_BLOCK, lambda uc, address, size, _: on_block(counter, uc, address, size))
        engine.hook_add(
            UC_HOOK_MEM_READ,
            lambda _uc, _type, address, size, _value, _user: on_flash_read(state, address, size),
            begin=state.flash_base,
            end=flash_end - 1,
        )


def on_block(counter: Counter, engine: Any, address: int, size_bytes: int) -> None:
    """hil_counter_on_block."""
    state = counter.state
    if (state.stop or state.cycles >= state.cycle_limit) and not state.resume:
        state.stopped = 1
        engine.emu_stop()
        return
    offset = address - state.flash_base
    in_flash = 0 <= offset < state.flash_bytes
    block = state.blocks[offset >> 1] if in_flash else state.unknown
    if not in_flash or block.size_bytes != size_bytes:
        counter.on_unknown(address, size_bytes)
        if state.stop and not state.resume:
            state.stopped = 1
            engine.emu_stop()
            return
        block = state.unknown
    state.resume = 0
    if address != state.expected:
        state.taken += 1
        state.cycles += state.taken_cycles
    else:
        state.cycles += state.passed_cycles
    state.taken_cycles, state.passed_cycles = block.taken_cycles, block.passed_cycles
    state.instructions += block.instructions
    state.cycles += block.cycles
    state.block = address
    state.block_bytes = size_bytes
    state.expected = address + size_bytes
    if in_flash:
        _charge_lines(state, "fetch", address, size_bytes)


def _charge_lines(state: CounterState, kind: str, address: int, size_bytes: int) -> None:
    pointer = getattr(state, f"{kind}_cache")
    cache = pointer.contents if pointer and pointer.contents.on else None
    shift = cache.line_shift if cache is not None else state.line_shift
    for line in range(address >> shift, ((address + size_bytes - 1) >> shift) + 1):
        if cache is not None:
            hit = _cache_lookup(cache, line)
            _add(state, f"{kind}_hits" if hit else f"{kind}_lines")
            state.cycles += 0 if hit else cache.miss_cycles
        elif line != getattr(state, f"{kind}_line"):
            setattr(state, f"{kind}_line", line)
            _add(state, f"{kind}_lines")
            state.cycles += state.wait_states


def _add(state: CounterState, field: str) -> None:
    setattr(state, field, getattr(state, field) + 1)


def _cache_lookup(cache: CacheState, line: int) -> bool:
    first = (line & (cache.sets - 1)) * cache.ways
    tags = [cache.tags[first + way] for way in range(cache.ways)]
    hit = line in tags
    if hit:
        tags.remove(line)
    else:
        tags.pop()
    for way, tag in enumerate([line, *tags]):
        cache.tags[first + way] = tag
    return hit


def on_flash_read(state: CounterState, address: int, size_bytes: int) -> None:
    """hil_counter_on_flash_read."""
    _charge_lines(state, "data", address, size_bytes)


def _log2(value: int) -> int:
    return value.bit_length() - 1
