"""How far apart two blocks may lie.

The distance of two blocks is the offset of the second minus that of the first.  Whatever they hold at the
same time must lie apart, or one be the other's guest under its terms; so the forbidden distances are open
intervals, and they are all that the placement has to know of the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hil.memory.lifetimes import Block, Stay

#: Open intervals in rising order that do not overlap; multiples of the alignment.
Intervals: TypeAlias = list[tuple[int, int]]


def forbidden(one: Block, other: Block, alignment: int) -> Intervals:
    """Distances from `one` to `other` that are not allowed."""
    found: Intervals = []
    for stay in one.stays:
        for other_stay in other.stays:
            if stay.meets(other_stay):
                here = _forbidden(stay, other_stay, alignment)
                if here is None:
                    swapped = _forbidden(other_stay, stay, alignment)
                    here = None if swapped is None else [(-high, -low) for low, high in swapped]
                if here is None:
                    here = [(stay.start - other_stay.end, stay.end - other_stay.start)]
                found.extend(interval for interval in here if interval[1] - interval[0] > alignment)
    return _united(found)


def is_allowed(distance: int, intervals: Intervals) -> bool:
    """Whether a distance lies in none of the intervals."""
    return not any(low < distance < high for low, high in intervals)


def merged(blocks: Sequence[Block], alignment: int) -> list[Block]:
    """The blocks, with an output in the block of its input where its kernel takes over exactly its place.

    That is no loss in a chain, and spares the search for the place.
    """
    result = list(blocks)
    for host, guest in [
        (stay, guest.owner)
        for block in blocks
        for stay in block.stays
        for guest in stay.guests
        if guest.lead is None and guest.owner >= 0
    ]:
        one = next(block for block in result if host.owner in block.starts)
        other = next(block for block in result if guest in block.starts)
        if one is other:
            continue
        terms = next(terms for terms in host.guests if terms.owner == guest and terms.lead is None)
        start_of_input = one.starts[host.owner] + host.within - terms.within
        distance = start_of_input - other.starts[guest]
        if is_allowed(distance, forbidden(one, other, alignment)):
            moved = other.moved(distance)
            both = Block([*one.stays, *moved.stays], {**one.starts, **moved.starts})
            lowest = min(stay.start for stay in both.stays)
            result[result.index(one)] = both.moved(-lowest) if lowest else both
            result.remove(other)
    return result


def lower_bound(blocks: Sequence[Block], time: int) -> int:
    """No arena holds what is needed at `time` in fewer bytes."""
    total = sum(block.size_at(time) for block in blocks)
    owned: dict[int, int] = {}
    offered: dict[tuple[int, int | None], int] = {}
    for block in blocks:
        for stay in block.stays:
            if stay.first <= time <= stay.last:
                owned[stay.owner] = owned.get(stay.owner, 0) + stay.end - stay.start
                if stay.last == time:
                    for guest in stay.guests:
                        if guest.owner not in block.starts:
                            key = (guest.owner, guest.lead)
                            offered[key] = offered.get(key, 0) + stay.end - stay.start
    for (owner, lead), size in offered.items():
        total -= max(0, min(size, owned[owner], owned[owner] - (lead or 0)))
    return total


def _forbidden(host: Stay, stay: Stay, alignment: int) -> Intervals | None:
    """The forbidden distances where `stay` is a guest of `host`; None where it is none."""
    low, high = host.start - stay.end, host.end - stay.start
    for guest in host.guests:
        if guest.owner == stay.owner and host.last == stay.first:
            # The distance at which both start at the same byte.
            even = (host.start - guest.within) - (stay.start - stay.within)
            if guest.lead is None:
                return [(low, even), (even, high)] if low < even < high else [(low, high)]
            return [(max(low, (even - guest.lead) // alignment * alignment), high)]
    return None


def _united(intervals: Intervals) -> Intervals:
    """The union; intervals that only touch stay apart, for the end of an open interval is not in it."""
    result: Intervals = []
    for low, high in sorted(intervals):
        if result and low < result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result
