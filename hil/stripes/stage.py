"""Which operators can run in stripes together, and where their output can be cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

from hil.graph.types import Graph, Operator, Reshape
from hil.memory import ALIGNMENT
from hil.stripes.rows import Rows, all_rows, can_be_cut, needed_rows, row_bytes


@dataclass(frozen=True)
class Stage:
    """Operators `first` to `last` (included) of a graph: one activation goes in, one comes out.

    Attributes:
        source: the activation that goes in.
        output: the one that comes out.
    """

    first: int
    last: int
    source: int
    output: int


def stages(graph: Graph) -> Iterator[Stage]:
    """All stages that begin with the first operator that does something, the shortest first."""
    first = next((op.index for op in graph.operators if not isinstance(op.options, Reshape)), None)
    if first is None:
        return
    source = graph.operators[first].inputs[0]
    last_reads = {index: op.index for op in graph.operators for index in op.inputs}
    last_reads[graph.output] = len(graph.operators)
    inside: set[int] = set()
    for operator in graph.operators[first:]:
        activations = {index for index in operator.inputs if not graph.tensors[index].is_constant}
        if not activations <= inside | {source} or not can_be_cut(graph, operator):
            return
        inside.add(operator.output)
        left = [tensor for tensor in inside if last_reads.get(tensor, -1) > operator.index]
        if left == [operator.output] and graph.tensors[operator.output].shape[1] > 1:
            yield Stage(first, operator.index, source, operator.output)


def operators_of(graph: Graph, stage: Stage) -> Sequence[Operator]:
    """In the order of execution."""
    return graph.operators[stage.first : stage.last + 1]


def rows_held(graph: Graph, stage: Stage, rows: Rows) -> dict[int, Rows] | None:
    """Per activation of a stage, the rows that must exist to compute `rows` of its output.

    Returns:
        The source is always there as a whole.  None where some operator would have nothing to read.
    """
    held = {stage.output: rows}
    for operator in reversed(operators_of(graph, stage)):
        needed = needed_rows(graph, operator, held[operator.output])
        if needed is None:
            return None
        for index in operator.inputs:
            if not graph.tensors[index].is_constant:
                held[index] = held[index].hull(needed) if index in held else needed
    return {**held, stage.source: all_rows(graph.tensors[stage.source])}


def boundaries(graph: Graph, stage: Stage, stripes: int) -> tuple[int, ...] | None:
    """Where to cut a stage's output into nearly equal stripes: the first row of each, and the end.

    Every view (`RowSlice`, `RowJoin`) has to begin at a multiple of `ALIGNMENT`, so not every row can be the
    first of a stripe.  None where there are too few that can, or a stripe would be padding alone.
    """
    height = graph.tensors[stage.output].shape[1]
    step = ALIGNMENT // gcd(ALIGNMENT, row_bytes(graph.tensors[stage.output]))
    possible = [row for row in range(step, height, step) if _is_aligned(graph, stage, row)]
    cuts = {
        min(possible, key=lambda row: (abs(row * stripes - part * height), row))
        for part in range(1, stripes)
        if possible
    }
    edges = (0, *sorted(cuts), height)
    if len(cuts) != stripes - 1 or any(
        rows_held(graph, stage, Rows(*pair)) is None for pair in pairwise(edges)
    ):
        return None
    return edges


def _is_aligned(graph: Graph, stage: Stage, first: int) -> bool:
    """Whether all views of a stripe that begins at row `first` begin where they may."""
    held = rows_held(graph, stage, Rows(first, graph.tensors[stage.output].shape[1]))
    if held is None:
        return False
    for operator in operators_of(graph, stage):
        needed = needed_rows(graph, operator, held[operator.output])
        for index in operator.inputs:
            tensor = graph.tensors[index]
            if tensor.is_constant or needed is None:
                continue
            if (needed.first - held[index].first) * row_bytes(tensor) % ALIGNMENT:
                return False
    return True
