"""Which operators get a faster kernel that takes more scratch: those where the arena has the room anyway.

The arena is as large as its peak, so an operator away from the peak has scratch for nothing.  The least
arena is planned first.  Then each operator takes the best kernel for which there is room while it runs, all
at once.  Where the arena comes out too large, as blocks do not always lie as they should, that is tried again
with so much less room, and at last one by one, those first that save most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hil.codegen.call import Faster, Variant
from hil.codegen.lower import needs_of, variant_needs
from hil.codegen.registry import faster
from hil.codegen.target import Target
from hil.graph.types import Graph, Operator
from hil.memory import ArenaPlan, Needs, plan

#: Planning is what a choice costs: so many times all at once, and for so many operators one by one.
_MOST_ROUNDS = 4
_MOST_OPERATORS = 6


def faster_kernels(graph: Graph, target: Target, arena_limit: int | None = None) -> Mapping[int, Variant]:
    """Kernels to use instead of those that take least scratch.

    Args:
        graph: as it is compiled (`hil.codegen.prepare`).  Stripes of one layer share their weights, so they
            keep the one kernel.
        arena_limit: bytes that the arena may grow to; None: not at all.

    Returns:
        Operator index -> variant.

    Raises:
        UnsupportedOperator: as `hil.codegen.lower`.
    """
    offers = {
        operator.index: found
        for operator in graph.operators
        if operator.stripe is None and (found := faster(graph, operator, target))
    }
    if not offers:
        return MappingProxyType({})
    needs = [needs_of(graph, operator, target) for operator in graph.operators]
    least = plan(graph, needs)
    limit_bytes = max(least.arena_bytes, arena_limit or 0)
    room_bytes = limit_bytes
    for _ in range(_MOST_ROUNDS):
        fitting = {
            index: fits
            for index, every in offers.items()
            if (fits := _fitting(graph, graph.operators[index], every, needs[index], least, room_bytes))
        }
        best = {index: fits[0].variant for index, fits in fitting.items()}
        beyond_bytes = _arena_bytes(graph, needs, best) - limit_bytes
        if beyond_bytes <= 0:
            return best
        room_bytes -= beyond_bytes
    return _one_by_one(graph, needs, fitting, limit_bytes)


def _one_by_one(
    graph: Graph, needs: Sequence[Needs], fitting: Mapping[int, Sequence[Faster]], limit_bytes: int
) -> Mapping[int, Variant]:
    kept: dict[int, Variant] = {}
    for index in sorted(fitting, key=lambda index: -fitting[index][0].saved_instructions)[:_MOST_OPERATORS]:
        for offer in (fitting[index][0], fitting[index][-1]):
            trial = {**kept, index: offer.variant}
            if _arena_bytes(graph, needs, trial) <= limit_bytes:
                kept = trial
                break
    return kept


def _fitting(
    graph: Graph,
    operator: Operator,
    offers: Sequence[Faster],
    needs: Needs,
    least: ArenaPlan,
    room_bytes: int,
) -> list[Faster]:
    """Those for which an arena of `room_bytes` has room beside what lives while the operator runs."""
    beside_bytes = least.live_bytes[operator.index] - needs.scratch_bytes - _own_bytes(graph, operator, least)
    return [
        offer
        for offer in offers
        if beside_bytes + _asked_bytes(graph, operator, variant_needs(graph, operator, offer.variant))
        <= room_bytes
    ]


def _own_bytes(graph: Graph, operator: Operator, least: ArenaPlan) -> int:
    """Bytes of an operator's output that lie over none of its first input."""
    source, output = (graph.tensors[index] for index in (operator.inputs[0], operator.output))
    start = max(least.offsets[source.index], least.offsets[output.index])
    end = min(
        least.offsets[source.index] + source.size_bytes, least.offsets[output.index] + output.size_bytes
    )
    return output.size_bytes - max(end - start, 0)


def _asked_bytes(graph: Graph, operator: Operator, needs: Needs) -> int:
    """What a kernel needs at least: its scratch, and its output as far as that cannot lie over the input."""
    source, output = (graph.tensors[index] for index in (operator.inputs[0], operator.output))
    overlap = needs.overlap
    later = graph.operators[operator.index + 1 :]
    needed_later = source.index == graph.output or any(source.index in other.inputs for other in later)
    if overlap is None or overlap.input or overlap.lead_bytes is None or needed_later:
        return needs.scratch_bytes + output.size_bytes
    return needs.scratch_bytes + max(overlap.lead_bytes, output.size_bytes - source.size_bytes, 0)


def _arena_bytes(graph: Graph, needs: Sequence[Needs], instead: Mapping[int, Variant]) -> int:
    asked = [
        variant_needs(graph, operator, instead[operator.index])
        if operator.index in instead
        else needs[operator.index]
        for operator in graph.operators
    ]
    return plan(graph, asked).arena_bytes
