"""A graph without the tensors that a rewriting has left behind."""

from __future__ import annotations

from dataclasses import replace

from hil.graph.types import Graph


def compact(graph: Graph) -> Graph:
    """The graph with only those tensors that an operator reads or writes.

    Tensors and operators are numbered anew; the order of both stays as it is.
    """
    used = {graph.input, graph.output}
    for operator in graph.operators:
        used.update((*operator.inputs, operator.output))
    places = {index: place for place, index in enumerate(sorted(used))}
    return replace(
        graph,
        tensors=tuple(replace(graph.tensors[index], index=place) for index, place in places.items()),
        operators=tuple(
            replace(
                operator,
                index=position,
                inputs=tuple(places[index] for index in operator.inputs),
                output=places[operator.output],
            )
            for position, operator in enumerate(graph.operators)
        ),
        input=places[graph.input],
        output=places[graph.output],
    )
