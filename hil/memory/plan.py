"""Graph -> arena plan: the RAM of a model, known before anything is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.graph.types import Graph
from hil.memory.distances import lower_bound, merged
from hil.memory.lifetimes import BEFORE, Block, blocks_of, covered
from hil.memory.place import arena_bytes, place
from hil.memory.types import ALIGNMENT, ArenaPlan, Needs


def plan(graph: Graph, needs: Sequence[Needs], *, alignment: int = ALIGNMENT) -> ArenaPlan:
    """Give every activation and every scratch its place.

    Two that are needed at the same time never share bytes, but for views, and for an output or scratch that
    lies over an input that nobody needs any more (`Needs.overlap`, `Needs.scratch_over`).  The model's input
    may be overwritten once its last reader has run; its output stays until the next inference.

    Args:
        needs: one per operator.
        alignment: of each offset, in bytes; a power of two.

    Returns:
        The plan.  The same graph and needs give the same plan.

    Raises:
        ValueError: `needs` does not fit the graph, or its views contradict each other.
    """
    if len(needs) != len(graph.operators):
        raise ValueError(f"{len(needs)} needs for {len(graph.operators)} operators, expected one for each")
    layout = _best_layout(graph, needs, alignment)
    live_bytes = tuple(covered(layout.spans_at(operator.index)) for operator in graph.operators)
    places = layout.places()
    return ArenaPlan(
        offsets={tensor: offset for tensor, offset in places.items() if tensor >= 0},
        scratch={
            ~owner: (offset, needs[~owner].scratch_bytes) for owner, offset in places.items() if owner < 0
        },
        arena_bytes=layout.arena_bytes,
        peak_operator=_peak_operator(layout, live_bytes),
        live_bytes=live_bytes,
    )


@dataclass(frozen=True)
class _Layout:
    blocks: Sequence[Block]
    offsets: Sequence[int]

    @property
    def arena_bytes(self) -> int:
        return arena_bytes(self.blocks, self.offsets)

    def places(self) -> dict[int, int]:
        """Tensor, or ~k for the scratch of operator k -> offset in the arena."""
        return {
            tensor: offset + start
            for block, offset in zip(self.blocks, self.offsets, strict=True)
            for tensor, start in block.starts.items()
        }

    def spans_at(self, time: int) -> list[tuple[int, int]]:
        """The bytes of the arena that are needed at `time`."""
        return [
            (offset + start, offset + end)
            for block, offset in zip(self.blocks, self.offsets, strict=True)
            for start, end in block.spans_at(time)
        ]


def _best_layout(graph: Graph, needs: Sequence[Needs], alignment: int) -> _Layout:
    """The smallest arena of: outputs merged with inputs in place, not merged, and nothing overlapping.

    Each relaxes the one before in theory but is harder to search, or simpler; what cannot win is left out.
    """
    times = range(BEFORE, len(graph.operators) + 1)

    def bound(blocks: Sequence[Block]) -> int:
        return max(lower_bound(blocks, time) for time in times)

    def laid_out(blocks: Sequence[Block]) -> _Layout:
        return _Layout(blocks, place(blocks, bound(blocks), alignment))

    free = blocks_of(graph, needs, alignment)
    joined = merged(free, alignment)
    layouts = [laid_out(joined)]
    if len(joined) < len(free) and layouts[0].arena_bytes > bound(free):
        layouts.append(laid_out(free))
    apart = blocks_of(graph, [Needs(need.scratch_bytes) for need in needs], alignment)
    if min(layout.arena_bytes for layout in layouts) > bound(apart):
        layouts.append(laid_out(apart))
    return min(layouts, key=lambda layout: layout.arena_bytes)


def _peak_operator(layout: _Layout, live_bytes: Sequence[int]) -> int:
    """Of the operators during which the arena's last byte is in use, the one with most live bytes."""

    def end(time: int) -> int:
        return max((end for _, end in layout.spans_at(time)), default=0)

    return max(range(len(live_bytes)), key=lambda time: (end(time), live_bytes[time], -time))
