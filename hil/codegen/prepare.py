"""What is done to a graph before kernels are chosen for good: operators fused, and put in the best order."""

from __future__ import annotations

from hil.codegen.fuse_pad import fuse_pad
from hil.codegen.lower import needs_of
from hil.codegen.target import Target
from hil.graph.types import Graph
from hil.memory import with_least_peak


def prepared(graph: Graph, target: Target) -> Graph:
    """The graph as it is compiled.

    One that is executed in stripes stays as it is: it was cut from a prepared graph (`hil.stripes`), and the
    order of its stripes is the point of it.

    Raises:
        UnsupportedOperator: as `hil.codegen.generate`.
    """
    if any(operator.stripe is not None for operator in graph.operators):
        return graph
    graph = fuse_pad(graph)
    return with_least_peak(graph, [needs_of(graph, operator, target) for operator in graph.operators])
