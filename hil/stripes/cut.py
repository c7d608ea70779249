"""Graph -> the same function, with one stage executed stripe by stripe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hil.graph.compact import compact
from hil.graph.types import Graph, Operator, RowJoin, RowSlice, Stripe, Tensor
from hil.stripes.rows import Rows, needed_rows, options_for
from hil.stripes.stage import Stage, operators_of, rows_held


def cut(graph: Graph, stage: Stage, boundaries: Sequence[int]) -> Graph:
    """The graph in stripes.

    Per stripe, each operator of the stage is repeated for the rows that this stripe needs of it; a `RowSlice`
    shows it those rows where more are there.  A `RowJoin` makes one tensor of the stage's output again.  What
    windows see outside of the whole map they see outside of the border stripes; between stripes there is no
    padding.

    Args:
        boundaries: first row of each stripe of the stage's output, and its end; see
            `hil.stripes.stage.boundaries`.

    Returns:
        A graph with `Operator.stripe` set where a share of an operator runs.  Its digest is that of `graph`.

    Raises:
        ValueError: a stripe needs nothing of some input.
    """
    cutter = _Cutter(graph, stage)
    for first, end in pairwise(boundaries):
        cutter.stripe(Rows(first, end))
    return cutter.graph()


class _Cutter:
    def __init__(self, graph: Graph, stage: Stage) -> None:
        self._graph = graph
        self._stage = stage
        self._tensors = list(graph.tensors)
        self._operators: list[Operator] = []
        self._outputs: list[int] = []

    def stripe(self, rows: Rows) -> None:
        """Compute `rows` of the stage's output."""
        held = rows_held(self._graph, self._stage, rows)
        if held is None:
            raise ValueError(f"rows {rows.first} to {rows.end} need nothing of some input")
        here = {self._stage.source: self._stage.source}
        for operator in operators_of(self._graph, self._stage):
            mine = held[operator.output]
            needed = needed_rows(self._graph, operator, mine)
            assert needed is not None  # rows_held has seen to that
            share = Stripe(operator.index, mine.first, mine.end)
            inputs = tuple(
                index
                if self._graph.tensors[index].is_constant
                else self._shown(operator, here[index], held[index], needed, share)
                for index in operator.inputs
            )
            output = here[operator.output] = self._tensor(operator.output, mine)
            options = options_for(self._graph, operator, mine)
            self._operators.append(
                replace(operator, inputs=inputs, output=output, options=options, stripe=share)
            )
        self._outputs.append(here[self._stage.output])

    def graph(self) -> Graph:
        """With all stripes joined."""
        last = self._graph.operators[self._stage.last]
        height = self._graph.tensors[last.output].shape[1]
        join = Operator(
            index=0,
            name="ROW_JOIN",
            layer=last.layer,
            inputs=tuple(self._outputs),
            output=last.output,
            options=RowJoin(),
            stripe=Stripe(last.index, 0, height),
        )
        before = self._graph.operators[: self._stage.first]
        after = self._graph.operators[self._stage.last + 1 :]
        return compact(
            replace(
                self._graph,
                tensors=tuple(self._tensors),
                operators=(*before, *self._operators, join, *after),
            )
        )

    def _shown(self, operator: Operator, tensor: int, held: Rows, needed: Rows, share: Stripe) -> int:
        """The rows `needed` of a tensor that holds the rows `held`."""
        if needed == held:
            return tensor
        shown = self._tensor(tensor, Rows(needed.first - held.first, needed.end - held.first))
        self._operators.append(
            Operator(
                index=0,
                name="ROW_SLICE",
                layer=operator.layer,
                inputs=(tensor,),
                output=shown,
                options=RowSlice(needed.first - held.first),
                stripe=share,
            )
        )
        return shown

    def _tensor(self, like: int, rows: Rows) -> int:
        """A new tensor for some rows of one."""
        whole: Tensor = self._tensors[like]
        batch, _, width, channels = whole.shape
        index = len(self._tensors)
        self._tensors.append(
            replace(
                whole,
                index=index,
                name=f"{whole.name}[{rows.first}:{rows.end}]",
                shape=(batch, rows.count, width, channels),
            )
        )
        return index
