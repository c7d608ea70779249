"""The arena of many graphs that are cuts of one: what equal operators need is found out once."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import accumulate

from hil.codegen import Target
from hil.codegen.lower import needs_of
from hil.graph.types import Graph, Operator
from hil.memory import ALIGNMENT, Needs, plan
from hil.memory.distances import lower_bound
from hil.memory.lifetimes import blocks_of
from hil.stripes.stage import Stage


class Arenas:
    """Arena bytes of the cuts of one graph.

    Args:
        plain: the graph that they are cut from.
    """

    def __init__(self, plain: Graph, target: Target) -> None:
        self._target = target
        self._plain = plain
        # By options and tensors.  Cuts share constants and quantization with the plain graph, which lives on.
        self._known: dict[tuple[Hashable, ...], Needs] = {}
        blocks = blocks_of(plain, self._needs(plain), ALIGNMENT)
        behind = [lower_bound(blocks, operator.index) for operator in plain.operators]
        self._from_here_on = [*accumulate(reversed(behind), max)][::-1]

    def bytes_of(self, graph: Graph) -> int:
        """As planned."""
        return plan(graph, self._needs(graph)).arena_bytes

    def at_least(self, graph: Graph, stage: Stage) -> int:
        """A cheap lower bound: what is needed between two operators, and while those behind the stage run."""
        behind = self._from_here_on[stage.last + 1 :]
        return max(_between_operators(graph), behind[0] if behind else 0)

    def _needs(self, graph: Graph) -> list[Needs]:
        return [self._needs_of(graph, operator) for operator in graph.operators]

    def _needs_of(self, graph: Graph, operator: Operator) -> Needs:
        tensors = [graph.tensors[index] for index in (operator.output, *operator.inputs)]
        key = (operator.options, *((t.shape, id(t.quantization), id(t.data)) for t in tensors))
        if key not in self._known:
            self._known[key] = needs_of(graph, operator, self._target)
        return self._known[key]


def _between_operators(graph: Graph) -> int:
    """The most bytes that are needed both by an operator and by the next: they lie apart in any plan."""
    change = [0] * (len(graph.operators) + 2)
    # Bytes as they are: rounded up, two parts of a tensor could both count the word in which they meet.
    for block in blocks_of(graph, [Needs()] * len(graph.operators), alignment=1):
        for stay in block.stays:
            # From the moment after `first` to that before `last`.
            change[stay.first + 1] += stay.end - stay.start
            change[stay.last + 1] -= stay.end - stay.start
    return max(accumulate(change))
