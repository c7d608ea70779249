"""Cycles per operator -> what a measurement says of each layer; the stripes of a layer are added up."""

from __future__ import annotations

from collections.abc import Sequence

from hil.graph.types import Graph, Operator
from hil.macs import operator_macs
from hil.measurement import LayerMeasurement
from hil.memory.views import VIEWS
from hil.program import Program


def layer_measurements(
    program: Program, cycles: Sequence[int], us_per_cycle: float
) -> tuple[LayerMeasurement, ...]:
    """One per operator of the network in one piece.

    Args:
        cycles: of each operator of `program.graph`; empty where no layers were asked for.
    """
    if not cycles:
        return ()
    graph = program.graph
    layers = []
    for index, shares in enumerate(_by_operator(graph)):
        shown = next((share for share in shares if not isinstance(share.options, VIEWS)), shares[0])
        spent = sum(cycles[share.index] for share in shares)
        layers.append(
            LayerMeasurement(
                index=index,
                operator=shown.name,
                layer=shown.layer,
                variant=program.variants[shown.index],
                output_shape=_whole_shape(graph, shown, shares),
                macs=sum(operator_macs(graph, share) for share in shares),
                cycles=spent,
                latency_us=spent * us_per_cycle,
                live_bytes=max(program.plan.live_bytes[share.index] for share in shares),
                weight_bytes=_constant_bytes(graph, shown),
            )
        )
    return tuple(layers)


def _by_operator(graph: Graph) -> list[list[Operator]]:
    """Whole operators, and all stripes of one with the views that they need, in the order of execution."""
    shares: dict[tuple[str, int], list[Operator]] = {}
    for operator in graph.operators:
        stripe = operator.stripe
        key = ("whole", operator.index) if stripe is None else ("in stripes", stripe.operator)
        shares.setdefault(key, []).append(operator)
    return list(shares.values())


def _whole_shape(graph: Graph, shown: Operator, shares: Sequence[Operator]) -> tuple[int, ...]:
    shape = graph.tensors[shown.output].shape
    ends = [share.stripe.end_row for share in shares if share.stripe is not None]
    return (shape[0], max(ends), *shape[2:]) if ends else shape


def _constant_bytes(graph: Graph, operator: Operator) -> int:
    """Weights and bias as the model holds them, without what the compiler adds."""
    tensors = (graph.tensors[index] for index in operator.inputs)
    return sum(tensor.size_bytes for tensor in tensors if tensor.is_constant)
