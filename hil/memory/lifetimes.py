"""When which bytes are needed: a graph as blocks with lifetimes.

Time is the index of the operator that runs.  The model's input is written at time -1, before the first
operator; the output is read at time n, after the last of n operators.

A block is a set of bytes with one offset: a group of views (`hil.memory.views`), a scratch, or several of
them where outputs take over exactly the place of an input (in place).  What it holds when is a list of stays.
A tensor is needed from the operator that writes it to the last that reads it, but no byte of it for longer
than somebody reads that byte: a tensor that is read in stripes is given up row by row, and one that is
written in stripes takes its place row by row.

Two stays that meet in time lie apart, with one exception: an operator's output or scratch may be a *guest* of
bytes that nobody needs after that operator, under the terms that its kernel declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hil.graph.types import Graph, Operator
from hil.memory.types import Needs
from hil.memory.views import VIEWS, Span, Views, views_of

BEFORE = -1


@dataclass(frozen=True)
class Guest:
    """Who may lie over a stay in its last moment.

    Attributes:
        owner: of the guest's bytes.
        lead: the guest starts at least so many bytes before the tensor that is given up.  None: it starts
            where that tensor starts.
        within: first byte of the stay, counted from the start of that tensor.
    """

    owner: int
    lead: int | None
    within: int


@dataclass(frozen=True)
class Stay:
    """Bytes `start` to `end` of a block are needed from time `first` to `last`, all but `end` included.

    Attributes:
        owner: the tensor; or ~k for the scratch of operator k.
        within: its first byte, counted from the start of the owner.
        guests: who may lie over it at time `last`.
    """

    owner: int
    first: int
    last: int
    start: int
    end: int
    within: int = 0
    guests: tuple[Guest, ...] = ()

    def meets(self, other: Stay) -> bool:
        """Whether both are needed at one time."""
        return self.first <= other.last and other.first <= self.last


@dataclass
class Block:
    """Bytes with one offset.

    Attributes:
        stays: what it holds over time; the lowest starts at 0.
        starts: owner or view -> its first byte.
    """

    stays: list[Stay] = field(default_factory=list)
    starts: dict[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes from the start of the block to its end."""
        return max(stay.end for stay in self.stays)

    @property
    def first(self) -> int:
        """When it is needed first."""
        return min(stay.first for stay in self.stays)

    @property
    def last(self) -> int:
        """When it is needed last."""
        return max(stay.last for stay in self.stays)

    def spans_at(self, time: int) -> list[tuple[int, int]]:
        """The bytes that are needed at `time`: (start, end), in no order; they may overlap."""
        return [(stay.start, stay.end) for stay in self.stays if stay.first <= time <= stay.last]

    def size_at(self, time: int) -> int:
        """How many bytes are needed at `time`."""
        return covered(self.spans_at(time))

    def moved(self, distance: int) -> Block:
        """The same with another origin."""
        stays = [replace(stay, start=stay.start + distance, end=stay.end + distance) for stay in self.stays]
        return Block(stays, {tensor: start + distance for tensor, start in self.starts.items()})


def covered(spans: list[tuple[int, int]]) -> int:
    """Bytes in the union of spans."""
    total = 0
    top = -(1 << 62)
    for start, end in sorted(spans):
        if end > top:
            total += end - max(start, top)
            top = end
    return total


def blocks_of(graph: Graph, needs: Sequence[Needs], alignment: int) -> list[Block]:
    """The blocks of a graph, none merged, in the order of their first use.

    Args:
        needs: one per operator.
        alignment: stays begin and end at multiples of it.

    Raises:
        ValueError: views ask for what cannot be, see `hil.memory.views`.
    """
    views = views_of(graph, alignment)
    guests = _guests(graph, needs, views)
    last_reads = _last_reads(graph, views)
    written = {graph.input: BEFORE, **{op.output: op.index for op in graph.operators}}
    groups: dict[int, Block] = {}
    for tensor, group in views.group.items():
        block = groups.setdefault(group, Block())
        block.starts[tensor] = views.start[tensor]
        for span, last in last_reads.get(tensor, ()):
            start = span.start // alignment * alignment
            block.stays.append(
                Stay(
                    owner=tensor,
                    first=written[tensor],
                    last=max(last, written[tensor]),
                    start=start,
                    end=-(-span.end // alignment) * alignment,
                    within=start - views.start[tensor],
                    guests=tuple(
                        replace(guest, within=start - guest.within)
                        for time, shown, guest in guests.get(tensor, ())
                        if time == last and shown.start <= span.start and span.end <= shown.end
                    ),
                )
            )
    blocks = []
    for block in groups.values():
        _check(graph, block)
        blocks.append(block.moved(-min(stay.start for stay in block.stays)))
    for operator, need in zip(graph.operators, needs, strict=True):
        if need.scratch_bytes:
            owner, time = ~operator.index, operator.index
            size = -(-need.scratch_bytes // alignment) * alignment
            blocks.append(Block([Stay(owner, time, time, 0, size)], {owner: 0}))
    return sorted(blocks, key=lambda block: block.first)


def _last_reads(graph: Graph, views: Views) -> dict[int, list[tuple[Span, int]]]:
    """Owner -> its bytes as spans, each with the time of its last reader (`BEFORE` where it has none)."""
    reads: dict[int, list[tuple[Span, int]]] = {}
    for time, tensor in _reads(graph):
        for span in views.spans[tensor]:
            reads.setdefault(span.owner, []).append((span, time))
    result: dict[int, list[tuple[Span, int]]] = {}
    for tensor, spans in views.spans.items():
        if spans[0].owner != tensor:
            continue  # a view
        whole = spans[0]
        own = reads.get(tensor, [])
        edges = {whole.start, whole.end, *(edge for span, _ in own for edge in (span.start, span.end))}
        result[tensor] = [
            (
                Span(tensor, start, end),
                max((t for span, t in own if span.start <= start and end <= span.end), default=BEFORE),
            )
            for start, end in pairwise(sorted(edges))
        ]
    return result


def _reads(graph: Graph) -> Iterator[tuple[int, int]]:
    """(time, activation) of each read; views read nothing."""
    for operator in graph.operators:
        if not isinstance(operator.options, VIEWS):
            for tensor in operator.inputs:
                if not graph.tensors[tensor].is_constant:
                    yield operator.index, tensor
    yield len(graph.operators), graph.output


def _guests(graph: Graph, needs: Sequence[Needs], views: Views) -> dict[int, list[tuple[int, Span, Guest]]]:
    """Owner -> (time, bytes of it, who may lie there at that time if nobody needs them later).

    Nobody may where another input of the operator shows the same bytes: it may read them in another order.
    `Guest.within` is the start of the input within its group here.
    """
    result: dict[int, list[tuple[int, Span, Guest]]] = {}
    for operator, need in zip(graph.operators, needs, strict=True):
        if isinstance(operator.options, VIEWS):
            continue
        for position, owner, lead in _offers(graph, operator, need):
            tensor = operator.inputs[position]
            others = [
                span
                for other in operator.inputs
                if other != tensor and not graph.tensors[other].is_constant
                for span in views.spans[other]
            ]
            for span in views.spans[tensor]:
                if not any(_overlap(span, other) for other in others):
                    guest = Guest(owner, lead, views.start[tensor])
                    result.setdefault(span.owner, []).append((operator.index, span, guest))
    return result


def _offers(graph: Graph, operator: Operator, need: Needs) -> Iterator[tuple[int, int, int | None]]:
    """(position of the input, owner of the guest, lead) of what an operator's kernel allows."""

    def is_activation(position: int) -> bool:
        return not graph.tensors[operator.inputs[position]].is_constant

    overlap, over = need.overlap, need.scratch_over
    if overlap is not None and is_activation(overlap.input):
        lead = overlap.lead_bytes
        source = graph.tensors[operator.inputs[overlap.input]]
        if lead is None:
            if graph.tensors[operator.output].size_bytes <= source.size_bytes:
                yield overlap.input, operator.output, None
        else:
            # The scratch may destroy this very input.  Then the output must not lie behind the scratch.
            both = over is not None and operator.inputs[over] == source.index and need.scratch_bytes
            yield overlap.input, operator.output, max(lead, 0) if both else lead
    if over is not None and need.scratch_bytes and is_activation(over):
        yield over, ~operator.index, None


def _overlap(one: Span, other: Span) -> bool:
    return one.owner == other.owner and one.start < other.end and other.start < one.end


def _check(graph: Graph, block: Block) -> None:
    """Views must not ask for bytes that another tensor needs at the same time."""
    for index, one in enumerate(block.stays):
        for other in block.stays[:index]:
            share_bytes = one.start < other.end and other.start < one.end
            if one.owner != other.owner and one.meets(other) and share_bytes:
                names = " and ".join(f"'{graph.tensors[stay.owner].name}'" for stay in (other, one))
                raise ValueError(f"views give the tensors {names} the same bytes at the same time")
