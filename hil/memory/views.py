"""Which tensors share bytes because one is a view of the other, and whose bytes each tensor shows.

    RESHAPE     the output has the input's bytes
    RowSlice    the output has the input's bytes from a row on
    RowJoin     each input has the output's bytes from a row on

Tensors that hang together this way form a *group*; each has a fixed start within it.  Bytes belong to the
model's input and to the outputs of operators that run: those tensors are *owners*.  A view shows spans of
owners' bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.graph.types import Graph, Operator, Reshape, RowJoin, RowSlice

VIEWS = (Reshape, RowSlice, RowJoin)


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `end` (excluded), counted from the start of the group, written by tensor `owner`."""

    owner: int
    start: int
    end: int


@dataclass
class Views:
    """All activations of a graph.

    Attributes:
        group: tensor -> group, the index of one of its tensors.
        start: tensor -> its first byte, counted from an arbitrary origin of the group.
        spans: tensor -> the bytes that it shows, in rising order.
    """

    group: dict[int, int] = field(default_factory=dict)
    start: dict[int, int] = field(default_factory=dict)
    spans: dict[int, tuple[Span, ...]] = field(default_factory=dict)


def views_of(graph: Graph, alignment: int) -> Views:
    """The views of a graph.

    Args:
        alignment: of the start of every tensor.

    Raises:
        ValueError: a tensor would need two places, or a start that is not aligned; or a view has no bytes in
            the arena, or not those that its shape asks for.
    """
    views = Views()
    members: dict[int, list[int]] = {}

    def add(tensor: int) -> None:
        views.group[tensor], views.start[tensor] = tensor, 0
        members[tensor] = [tensor]

    def tie(operator: Operator, one: int, other: int, distance: int) -> None:
        """`other` starts `distance` bytes after `one`."""
        if distance % alignment:
            raise _problem(operator, f"a view at byte {distance}, which is no multiple of {alignment}")
        shift = views.start[one] + distance - views.start[other]
        if views.group[one] != views.group[other]:
            for tensor in members.pop(views.group[other]):
                views.group[tensor] = views.group[one]
                views.start[tensor] += shift
                members[views.group[one]].append(tensor)
        elif shift:
            raise _problem(operator, f"tensor '{graph.tensors[other].name}' would need two places")

    add(graph.input)
    for operator in graph.operators:
        add(operator.output)
        if isinstance(operator.options, VIEWS):
            for source, start in zip(operator.inputs, _starts(graph, operator), strict=True):
                if isinstance(operator.options, RowJoin):
                    tie(operator, operator.output, source, start)
                else:
                    tie(operator, source, operator.output, start)
    _show(graph, views)
    return views


def _starts(graph: Graph, operator: Operator) -> list[int]:
    """Per input, how many bytes one starts after the other: the input in a join, else the output."""
    sizes = [graph.tensors[tensor].size_bytes for tensor in operator.inputs]
    output = graph.tensors[operator.output]
    if any(graph.tensors[tensor].is_constant for tensor in operator.inputs):
        raise _problem(operator, "a view of a constant, which is not in the arena")
    if isinstance(operator.options, RowJoin):
        if sum(sizes) != output.size_bytes:
            raise _problem(operator, f"inputs of {sizes} bytes, but its output has {output.size_bytes}")
        return [sum(sizes[:position]) for position in range(len(sizes))]
    if isinstance(operator.options, RowSlice):
        start = operator.options.first_row * output.size_bytes // output.shape[1]
        if not 0 <= start <= sizes[0] - output.size_bytes:
            raise _problem(operator, f"rows that its input of {sizes[0]} bytes does not have")
        return [start]
    return [0]


def _show(graph: Graph, views: Views) -> None:
    """Fill in `views.spans`."""

    for tensor, start in views.start.items():
        views.spans[tensor] = (Span(tensor, start, start + graph.tensors[tensor].size_bytes),)
    for operator in graph.operators:
        if isinstance(operator.options, VIEWS):
            (whole,) = views.spans[operator.output]
            views.spans[operator.output] = tuple(
                Span(span.owner, max(whole.start, span.start), min(whole.end, span.end))
                for source in operator.inputs
                for span in views.spans[source]
                if span.start < whole.end and whole.start < span.end
            )


def _problem(operator: Operator, what: str) -> ValueError:
    return ValueError(f"{operator.name} '{operator.layer}' has {what}")
