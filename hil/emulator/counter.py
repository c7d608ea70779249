"""Counting of instructions and cycles: the state, and its arithmetic in Python.

`counter.c` holds the same arithmetic for speed (`native.py` compiles it); this one serves where the host has
no C compiler, and is what the other is held equal to.  Fields are explained in counter.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Protocol

from hil.board import Board
from hil.emulator.blocks import Block

NO_LINE = 0xFFFF_FFFF
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF

UNKNOWN_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)


class BlockRecord(ctypes.Structure):
    """hil_block."""

    _fields_ = (
        ("cycles", ctypes.c_uint32),
        ("instructions", ctypes.c_uint16),
        ("size_bytes", ctypes.c_uint16),
    )


class CounterState(ctypes.Structure):
    """hil_counter."""

    _fields_ = (
        *(
            (name, ctypes.c_uint64)
            for name in ("cycles", "instructions", "taken", "data_lines", "fetch_lines")
        ),
        *((name, ctypes.c_uint64) for name in ("fetch_hits", "cycle_limit")),
        *(
            (name, ctypes.c_uint32)
            for name in ("stop", "stopped", "resume", "block", "block_bytes", "expected")
        ),
        *((name, ctypes.c_uint32) for name in ("data_line", "fetch_line", "flash_base", "flash_bytes")),
        *((name, ctypes.c_uint32) for name in ("line_shift", "wait_states", "refill", "cache_on")),
        *(
            (name, ctypes.c_uint32)
            for name in ("cache_sets", "cache_ways", "cache_line_shift", "miss_cycles")
        ),
        ("tags", ctypes.POINTER(ctypes.c_uint32)),
        ("blocks", ctypes.POINTER(BlockRecord)),
        ("unknown", BlockRecord),
        ("on_unknown", ctypes.c_void_p),
        ("emu_stop", ctypes.c_void_p),
    )


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

    def __init__(self, board: Board, refill: int, on_unknown: Callable[[int, int], None]) -> None:
        self.on_unknown = on_unknown
        flash, cache = board.flash, board.instruction_cache
        self.state = CounterState(
            cycle_limit=NO_LIMIT,
            flash_base=flash.base,
            flash_bytes=flash.size_bytes,
            line_shift=_log2(flash.line_bytes),
            wait_states=flash.wait_states,
            refill=refill,
        )
        self._blocks = (BlockRecord * (flash.size_bytes // 2))()
        self.state.blocks = ctypes.cast(self._blocks, ctypes.POINTER(BlockRecord))
        lines = 1
        if cache is not None:
            lines = cache.size_bytes // cache.line_bytes
            self.state.cache_ways = cache.ways
            self.state.cache_sets = lines // cache.ways
            self.state.cache_line_shift = _log2(cache.line_bytes)
            self.state.miss_cycles = flash.wait_states * max(1, cache.line_bytes // flash.line_bytes)
        self.has_cache = cache is not None
        self.keep_alive: object = None  # what C points at
        self._tags = (ctypes.c_uint32 * lines)()
        self.state.tags = ctypes.cast(self._tags, ctypes.POINTER(ctypes.c_uint32))
        self.forget_lines()

    def forget_lines(self) -> None:
        """Empty the line buffers and the instruction cache, as a reset does."""
        self.state.data_line = self.state.fetch_line = NO_LINE
        ctypes.memset(self._tags, 0xFF, ctypes.sizeof(self._tags))

    def set_cache(self, on: bool) -> None:
        """Switch the instruction cache; it is empty afterwards."""
        ctypes.memset(self._tags, 0xFF, ctypes.sizeof(self._tags))
        self.state.fetch_line = NO_LINE
        self.state.cache_on = int(on)

    def describe(self, block: Block, *, keep: bool) -> None:
        """Say what the block at hand costs.  `keep`: for good, not only for this once."""
        record = self.state.unknown
        record.cycles, record.instructions, record.size_bytes = (
            block.cycles,
            len(block.instructions),
            block.size,
        )
        if keep:
            self._blocks[(block.address - self.state.flash_base) >> 1] = record

    def jump(self, address: int, cycles: int) -> None:
        """Go on at `address` without a branch, `cycles` later (exception entry and return)."""
        self.state.expected = address
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
        state.cycles += state.refill
    state.instructions += block.instructions
    state.cycles += block.cycles
    state.block = address
    state.block_bytes = size_bytes
    state.expected = address + size_bytes
    if in_flash:
        _charge_fetch(state, address, size_bytes)


def _charge_fetch(state: CounterState, address: int, size_bytes: int) -> None:
    shift = state.cache_line_shift if state.cache_on else state.line_shift
    for line in range(address >> shift, ((address + size_bytes - 1) >> shift) + 1):
        if state.cache_on:
            if _cache_lookup(state, line):
                state.fetch_hits += 1
            else:
                state.fetch_lines += 1
                state.cycles += state.miss_cycles
        elif line != state.fetch_line:
            state.fetch_line = line
            state.fetch_lines += 1
            state.cycles += state.wait_states


def _cache_lookup(state: CounterState, line: int) -> bool:
    first = (line & (state.cache_sets - 1)) * state.cache_ways
    tags = [state.tags[first + way] for way in range(state.cache_ways)]
    hit = line in tags
    if hit:
        tags.remove(line)
    else:
        tags.pop()
    for way, tag in enumerate([line, *tags]):
        state.tags[first + way] = tag
    return hit


def on_flash_read(state: CounterState, address: int, size_bytes: int) -> None:
    """hil_counter_on_flash_read."""
    for line in range(address >> state.line_shift, ((address + size_bytes - 1) >> state.line_shift) + 1):
        if line != state.data_line:
            state.data_line = line
            state.data_lines += 1
            state.cycles += state.wait_states


def _log2(value: int) -> int:
    return value.bit_length() - 1
