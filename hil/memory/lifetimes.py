"""When which bytes are needed: a graph as blocks with lifetimes.

Time is the index of the operator that runs.  The model's input is written at time -1, before the first
operator; the output is read at time n, after the last of n operators.

A block is a set of bytes with one offset.  It holds one tensor, or several: views of the same bytes
(RESHAPE), and outputs that took over their input's bytes (in place).  Each stay of a tensor in its block is
a `Stay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.graph.types import Graph, Operator, Reshape
from hil.memory.types import Needs

BEFORE = -1


@dataclass(frozen=True)
class Stay:
    """`size` bytes are needed from time `first` to `last`, both included."""

    first: int
    last: int
    size: int


@dataclass
class Block:
    """Bytes with one offset.

    Attributes:
        stays: what the block holds over time.
        tensors: tensor indices that live in it.
        scratch_of: operator whose scratch it is; None for tensors.
    """

    stays: list[Stay] = field(default_factory=list)
    tensors: list[int] = field(default_factory=list)
    scratch_of: int | None = None

    @property
    def size(self) -> int:
        """Largest number of bytes that it ever needs."""
        return max(stay.size for stay in self.stays)

    @property
    def first(self) -> int:
        """When it is needed first."""
        return min(stay.first for stay in self.stays)

    @property
    def last(self) -> int:
        """When it is needed last."""
        return max(stay.last for stay in self.stays)

    def size_at(self, time: int) -> int:
        """Bytes needed at `time`; 0 where it is not live."""
        return max((stay.size for stay in self.stays if stay.first <= time <= stay.last), default=0)


def blocks_of(graph: Graph, needs: Sequence[Needs], alignment: int) -> list[Block]:
    """The blocks of a graph, in the order of their first use.

    Args:
        needs: one per operator.
        alignment: sizes are rounded up to it.
    """
    last_use = _last_uses(graph)
    roots = _view_roots(graph)
    # A tensor and its views live as long as the last of them.
    life: dict[int, int] = {}
    for tensor, root in roots.items():
        life[root] = max(life.get(root, BEFORE), last_use[tensor])

    def stay(root: int, first: int) -> Stay:
        return Stay(first, life[root], _rounded(graph.tensors[root].size_bytes, alignment))

    home: dict[int, Block] = {graph.input: Block([stay(graph.input, BEFORE)], [graph.input])}
    blocks = [home[graph.input]]
    for operator, need in zip(graph.operators, needs, strict=True):
        if need.scratch_bytes:
            size = _rounded(need.scratch_bytes, alignment)
            blocks.append(Block([Stay(operator.index, operator.index, size)], scratch_of=operator.index))
        output = operator.output
        if roots[output] != output:
            home[output] = home[roots[output]]
            home[output].tensors.append(output)
            continue
        donor = _donor(graph, operator, need, roots, life)
        if donor is None:
            home[output] = Block([stay(output, operator.index)], [output])
            blocks.append(home[output])
        else:
            home[output] = home[donor]
            home[output].stays.append(stay(output, operator.index))
            home[output].tensors.append(output)
    return blocks


def _rounded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _last_uses(graph: Graph) -> dict[int, int]:
    """Activation -> time of its last use."""
    uses = {graph.input: BEFORE}
    for operator in graph.operators:
        uses[operator.output] = operator.index
        for tensor in operator.inputs:
            if not graph.tensors[tensor].is_constant:
                uses[tensor] = operator.index
    uses[graph.output] = len(graph.operators)
    return uses


def _view_roots(graph: Graph) -> dict[int, int]:
    """Activation -> the tensor whose bytes it is; itself unless it is a view."""
    roots = {graph.input: graph.input}
    for operator in graph.operators:
        is_view = isinstance(operator.options, Reshape)
        roots[operator.output] = roots[operator.inputs[0]] if is_view else operator.output
    return roots


def _donor(
    graph: Graph, operator: Operator, need: Needs, roots: dict[int, int], life: dict[int, int]
) -> int | None:
    """The tensor whose bytes the output takes over, if it may.

    It may where the kernel allows it, where nobody needs those bytes afterwards, where they suffice, and
    where no other input reads the same bytes in another order (through a view of another shape).
    """
    if need.overlap is None or need.overlap.lead_bytes is not None:
        return None
    tensor = operator.inputs[need.overlap.input]
    if graph.tensors[tensor].is_constant:
        return None
    root = roots[tensor]
    others = {other for other in operator.inputs if other != tensor}
    if any(roots.get(other) == root for other in others):
        return None
    dies_here = life[root] == operator.index
    suffices = graph.tensors[operator.output].size_bytes <= graph.tensors[root].size_bytes
    return root if dies_here and suffices else None
