"""Offsets for blocks, so that blocks that live at the same time do not overlap.

The problem (dynamic storage allocation) is NP-hard, so a few greedy orders are tried, each block going to the
lowest offset that is free over its life:

    size         largest first, as TensorFlow Lite Micro does
    breadth      the blocks of the busiest operator first (Pisarchyk and Lee 2020, "Efficient Memory
                 Management for Deep Neural Net Inference", greedy by breadth)
    duration     longest life first
    area         largest size times life first

Where none reaches the lower bound, the order is improved: the block that sticks out goes first.  All of it is
deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hil.memory.lifetimes import Block

# Rounds of improvement.  A round of a model with 60 operators takes about a millisecond.
_ROUNDS = 64


def place(blocks: Sequence[Block], bound: int) -> list[int]:
    """One offset per block.

    Args:
        bound: no arena can be smaller; the search ends when it is reached.

    Returns:
        Offsets in the order of `blocks`; multiples of the alignment that the sizes are rounded to.
    """
    neighbours = _neighbours(blocks)
    best: list[int] = []
    best_order: list[int] = []
    best_bytes = -1
    for order in _orders(blocks):
        offsets = _first_fit(blocks, neighbours, order)
        needed = arena_bytes(blocks, offsets)
        if best_bytes < 0 or needed < best_bytes:
            best, best_order, best_bytes = offsets, order, needed
        if needed == bound:
            return offsets
    order, offsets = best_order, best
    seen = {tuple(order)}
    for _ in range(_ROUNDS):
        top = max(range(len(blocks)), key=lambda index: (offsets[index] + blocks[index].size, -index))
        order = [top, *(index for index in order if index != top)]
        if tuple(order) in seen:
            break
        seen.add(tuple(order))
        offsets = _first_fit(blocks, neighbours, order)
        needed = arena_bytes(blocks, offsets)
        if needed < best_bytes:
            best, best_bytes = offsets, needed
        if needed == bound:
            break
    return best


def arena_bytes(blocks: Sequence[Block], offsets: Sequence[int]) -> int:
    """The end of the highest block."""
    return max(offset + block.size for block, offset in zip(blocks, offsets, strict=True))


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
    ]


def _by_breadth(blocks: Sequence[Block]) -> list[int]:
    times = range(min(block.first for block in blocks), max(block.last for block in blocks) + 1)
    busiest = sorted(times, key=lambda time: (-sum(block.size_at(time) for block in blocks), time))
    order: dict[int, None] = {}
    for time in busiest:
        live = [index for index, block in enumerate(blocks) if block.size_at(time)]
        order.update(dict.fromkeys(sorted(live, key=lambda index: (-blocks[index].size, index))))
    return list(order)


def _neighbours(blocks: Sequence[Block]) -> list[list[tuple[int, int, int]]]:
    """Per block, an entry per pair of stays that meet: (other block, its own bytes, the other's)."""
    result: list[list[tuple[int, int, int]]] = [[] for _ in blocks]
    for one, block in enumerate(blocks):
        for other, other_block in enumerate(blocks):
            if one == other or block.last < other_block.first or other_block.last < block.first:
                continue
            for stay in block.stays:
                for other_stay in other_block.stays:
                    if stay.first <= other_stay.last and other_stay.first <= stay.last:
                        result[one].append((other, stay.size, other_stay.size))
    return result


def _first_fit(
    blocks: Sequence[Block], neighbours: Sequence[Sequence[tuple[int, int, int]]], order: Sequence[int]
) -> list[int]:
    offsets = [-1] * len(blocks)
    for index in order:
        # A stay of this block meets a stay of a placed one where low < offset < high.
        forbidden = sorted(
            (offsets[other] - size, offsets[other] + other_size)
            for other, size, other_size in neighbours[index]
            if offsets[other] >= 0
        )
        offset = 0
        for low, high in forbidden:
            if low >= offset:
                break
            offset = max(offset, high)
        offsets[index] = offset
    return offsets
