"""Graph -> arena plan: the RAM of a model, known before anything is compiled."""

from __future__ import annotations

from collections.abc import Sequence

from hil.graph.types import Graph
from hil.memory.lifetimes import BEFORE, Block, blocks_of
from hil.memory.place import place
from hil.memory.types import ALIGNMENT, ArenaPlan, Needs


def plan(graph: Graph, needs: Sequence[Needs], *, alignment: int = ALIGNMENT) -> ArenaPlan:
    """Give every activation and every scratch its place.

    Two that are needed at the same time never overlap, but for views (RESHAPE), which share bytes, and for an
    output that takes over the bytes of an input that dies there (`Needs.overlap`).  The input may be
    overwritten once its last reader has run; the output stays until the next inference.

    Args:
        needs: one per operator.
        alignment: of each offset, in bytes; a power of two.

    Returns:
        The plan.  The same graph and needs give the same plan.

    Raises:
        ValueError: `needs` does not fit the graph.
    """
    if len(needs) != len(graph.operators):
        raise ValueError(f"{len(needs)} needs for {len(graph.operators)} operators, expected one for each")
    blocks = blocks_of(graph, needs, alignment)
    live = {
        time: sum(block.size_at(time) for block in blocks) for time in range(BEFORE, len(graph.operators) + 1)
    }
    offsets = place(blocks, bound=max(live.values()))
    live_bytes = tuple(live[operator.index] for operator in graph.operators)
    return ArenaPlan(
        offsets={
            tensor: offset for block, offset in zip(blocks, offsets, strict=True) for tensor in block.tensors
        },
        scratch={
            block.scratch_of: (offset, needs[block.scratch_of].scratch_bytes)
            for block, offset in zip(blocks, offsets, strict=True)
            if block.scratch_of is not None
        },
        arena_bytes=max(offset + block.size for block, offset in zip(blocks, offsets, strict=True)),
        peak_operator=_peak_operator(blocks, offsets, live_bytes),
        live_bytes=live_bytes,
    )


def _peak_operator(blocks: Sequence[Block], offsets: Sequence[int], live_bytes: Sequence[int]) -> int:
    """Of the operators during which the arena's last byte is in use, the one with most live bytes."""

    def end(time: int) -> int:
        return max(
            (
                offset + size
                for block, offset in zip(blocks, offsets, strict=True)
                if (size := block.size_at(time))
            ),
            default=0,
        )

    return max(range(len(live_bytes)), key=lambda time: (end(time), live_bytes[time], -time))
