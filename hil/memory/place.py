"""Offsets for blocks, so that the arena is as small as can be found.

The problem (dynamic storage allocation) is NP-hard.  Blocks are placed one after the other, each at the
lowest offset that its placed neighbours allow, so what is searched is the order.  The first orders:

    size         largest first, as TensorFlow Lite Micro does
    breadth      the blocks of the busiest operator first (Pisarchyk and Lee 2020, "Efficient Memory
                 Management for Deep Neural Net Inference", greedy by breadth)
    duration     longest life first
    area         largest size times life first
    backwards    last used first: outputs that lie a lead before their inputs then form stairs
    forwards     first used first
    lane         every other tensor of a chain, then those between: they meet from both ends

The best is improved by local search: one of the blocks that the end of the arena rests on moves to another
place in the order; the change is kept unless it makes the arena larger.  The random numbers have a fixed seed
and the effort is counted in placements, not in seconds: the same blocks get the same offsets.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hil.memory.distances import Intervals, forbidden
from hil.memory.lifetimes import Block

# Per block: (other block, low, high): it must not lie between the other's offset + low and + high.
_Neighbours: TypeAlias = list[list[tuple[int, int, int]]]

# Effort of the local search: rounds times blocks.
_PLACEMENTS = 24_000
_LEAST_ROUNDS = 150
# Rounds per block without a smaller arena before the search starts anew near the best.
_PATIENCE = 2


def place(blocks: Sequence[Block], bound: int, alignment: int) -> list[int]:
    """One offset per block.

    Args:
        bound: no arena can be smaller; the search ends when it is reached.
        alignment: of offsets; sizes are multiples of it.

    Returns:
        Offsets in the order of `blocks`.
    """
    search = _Search(blocks, _neighbours(blocks, alignment))
    for order in _orders(blocks):
        search.visit(order)
        if search.best_bytes <= bound:
            return search.best
    search.improve(bound, max(_LEAST_ROUNDS, _PLACEMENTS // len(blocks)))
    return search.best


def arena_bytes(blocks: Sequence[Block], offsets: Sequence[int]) -> int:
    """The end of the highest block."""
    return max(offset + block.size for block, offset in zip(blocks, offsets, strict=True))


class _Search:
    """The best offsets so far, and the order that led to them."""

    def __init__(self, blocks: Sequence[Block], neighbours: _Neighbours) -> None:
        self._sizes = [block.size for block in blocks]
        self._neighbours = neighbours
        self.best: list[int] = []
        self.best_bytes = -1
        self._best_order: list[int] = []

    def visit(self, order: list[int]) -> None:
        """Place in this order; keep the result if it is the best."""
        offsets = [-1] * len(order)
        _first_fit(self._neighbours, order, offsets)
        self._keep(order, offsets, max(map(int.__add__, offsets, self._sizes)))

    def improve(self, bound: int, rounds: int) -> None:
        """Local search from the best order."""
        chance = random.Random(0)
        order, offsets, needed = self._best_order, self.best, self.best_bytes
        stalled = 0
        for _ in range(rounds):
            if self.best_bytes <= bound:
                return
            stalled += 1
            kicked = stalled > _PATIENCE * len(order)
            changed = list(self._best_order if kicked else order)
            movable = changed if kicked else self._resting_on_each_other(offsets, needed)
            kept = len(order)  # how many at the start of the order stay as they are
            for _ in range(len(order) // 4 + 2 if kicked else 1):
                moved = chance.choice(movable)
                source, target = changed.index(moved), chance.randrange(len(order))
                changed.insert(target, changed.pop(source))
                kept = min(kept, source, target)
            changed_offsets = list(self.best if kicked else offsets)
            for index in changed[kept:]:
                changed_offsets[index] = -1
            _first_fit(self._neighbours, changed[kept:], changed_offsets)
            changed_needed = max(map(int.__add__, changed_offsets, self._sizes))
            if changed_needed < needed or kicked:
                stalled = 0
            if changed_needed <= needed or kicked:
                order, offsets, needed = changed, changed_offsets, changed_needed
                self._keep(order, offsets, needed)

    def _keep(self, order: list[int], offsets: list[int], needed: int) -> None:
        if self.best_bytes < 0 or needed < self.best_bytes:
            self.best, self.best_bytes, self._best_order = offsets, needed, order

    def _resting_on_each_other(self, offsets: list[int], needed: int) -> list[int]:
        """The blocks that end where the arena ends, those that they rest on, and so on down."""
        found = [index for index, size in enumerate(self._sizes) if offsets[index] + size == needed]
        for index in found:
            for other, _, high in self._neighbours[index]:
                if offsets[index] == offsets[other] + high and other not in found:
                    found.append(other)
        return found


def _orders(blocks: Sequence[Block]) -> list[list[int]]:
    def by(key: Callable[[int], tuple[int, ...]]) -> list[int]:
        return sorted(range(len(blocks)), key=lambda index: (*key(index), index))

    def duration(index: int) -> int:
        return blocks[index].last - blocks[index].first + 1

    def size(index: int) -> int:
        return blocks[index].size

    return [
        by(lambda index: (-size(index), -duration(index))),
        _by_breadth(blocks),
        by(lambda index: (-duration(index), -size(index))),
        by(lambda index: (-size(index) * duration(index),)),
        by(lambda index: (-blocks[index].last, -size(index))),
        by(lambda index: (blocks[index].first, -size(index))),
        _by_lane(blocks),
    ]


def _by_lane(blocks: Sequence[Block]) -> list[int]:
    ends: list[int] = []  # lane -> when its last block ends
    lane: dict[int, int] = {}
    for index in sorted(range(len(blocks)), key=lambda index: (blocks[index].first, -blocks[index].size)):
        free = (number for number, end in enumerate(ends) if end < blocks[index].first)
        lane[index] = next(free, len(ends))
        ends[lane[index] : lane[index] + 1] = [blocks[index].last]
    return sorted(lane, key=lambda index: (lane[index], blocks[index].first, index))


def _by_breadth(blocks: Sequence[Block]) -> list[int]:
    times = range(min(block.first for block in blocks), max(block.last for block in blocks) + 1)
    live = {
        time: [index for index, block in enumerate(blocks) if block.first <= time <= block.last]
        for time in times
    }
    busiest = sorted(times, key=lambda time: (-sum(blocks[index].size for index in live[time]), time))
    order: dict[int, None] = {}
    for time in busiest:
        order.update(dict.fromkeys(sorted(live[time], key=lambda index: (-blocks[index].size, index))))
    return list(order)


def _neighbours(blocks: Sequence[Block], alignment: int) -> _Neighbours:
    result: _Neighbours = [[] for _ in blocks]
    for one, block in enumerate(blocks):
        for other in range(one):
            if block.first <= blocks[other].last and blocks[other].first <= block.last:
                intervals: Intervals = forbidden(block, blocks[other], alignment)
                result[other] += [(one, low, high) for low, high in intervals]
                result[one] += [(other, -high, -low) for low, high in intervals]
    return result


def _first_fit(neighbours: _Neighbours, order: Sequence[int], offsets: list[int]) -> None:
    """Place blocks in this order; `offsets` holds those that have their place, -1 for all others."""
    for index in order:
        barred = sorted(
            [
                (offsets[other] + low, offsets[other] + high)
                for other, low, high in neighbours[index]
                if offsets[other] >= 0
            ]
        )
        offset = 0
        for low, high in barred:
            if low >= offset:
                break
            if high > offset:
                offset = high
        offsets[index] = offset
