"""The order of operators: topological, never worse, and the best where all orders can be tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.graph.types import Graph
from hil.memory import Needs, Overlap, plan
from hil.memory.order import best_order, reordered, with_least_peak
from tests.hil.test_memory import ADD, GROW, RELU, Case, Step, cases, graph_of, rounded, run


def is_topological(graph: Graph) -> bool:
    ready = {graph.input}
    for index, operator in enumerate(graph.operators):
        if operator.index != index or not ready.issuperset(operator.inputs):
            return False
        ready.add(operator.output)
    return True


@settings(max_examples=200, deadline=None)
@given(cases())
def test_an_order_is_topological_complete_and_never_worse(case: Case) -> None:
    order = best_order(case.graph, case.needs)
    assert sorted(order) == list(range(len(case.graph.operators)))
    changed = reordered(case.graph, order)
    assert is_topological(changed)
    needs = [case.needs[index] for index in order]
    tiles = {position: case.tiles[index] for position, index in enumerate(order) if index in case.tiles}
    run(changed, needs, plan(changed, needs), tiles)
    chosen = with_least_peak(case.graph, case.needs)
    if chosen is not case.graph:
        assert chosen.operators == changed.operators
        assert plan(chosen, needs).arena_bytes < plan(case.graph, case.needs).arena_bytes
    assert best_order(case.graph, case.needs) == order


def layers(graph: Graph) -> list[str]:
    return [operator.layer for operator in graph.operators]


def live_peak(graph: Graph) -> int:
    """Largest sum of tensors alive while an operator runs, by definition."""
    peak = 0
    for now, operator in enumerate(graph.operators):
        later = {tensor for other in graph.operators[now:] for tensor in other.inputs} | {graph.output}
        written = {graph.input} | {other.output for other in graph.operators[:now]}
        alive = (written & later) | {operator.output}
        peak = max(peak, sum(rounded(graph.tensors[tensor].elements) for tensor in alive))
    return peak


def all_orders(graph: Graph, done: tuple[int, ...] = ()) -> Iterator[Sequence[int]]:
    if len(done) == len(graph.operators):
        yield done
    ready = {graph.input} | {graph.operators[index].output for index in done}
    for operator in graph.operators:
        if operator.index not in done and ready.issuperset(operator.inputs):
            yield from all_orders(graph, (*done, operator.index))


@st.composite
def branching(draw: st.DrawFn) -> Graph:
    sizes = [draw(st.integers(1, 60))]
    steps: list[Step] = []
    for _ in range(draw(st.integers(2, 6))):
        inputs = draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=2))
        steps.append((GROW, tuple(inputs), draw(st.integers(1, 60))))
        sizes.append(steps[-1][2])
    return graph_of(sizes[0], steps)


@settings(max_examples=100, deadline=None)
@given(branching())
def test_the_order_is_the_best_of_all(graph: Graph) -> None:
    found = live_peak(reordered(graph, best_order(graph, [Needs()] * len(graph.operators))))
    assert found == min(live_peak(reordered(graph, order)) for order in all_orders(graph))


def test_a_chain_stays_as_it_is() -> None:
    graph = graph_of(10, [(GROW, (index,), 10 * index + 5) for index in range(6)])
    assert with_least_peak(graph, [Needs()] * 6) is graph


def test_the_branch_that_shrinks_goes_first() -> None:
    # Two branches from the input: both grow first, then one shrinks.  As given, both are large at once.
    steps: list[Step] = [
        (GROW, (0,), 400),
        (GROW, (0,), 400),
        (GROW, (1,), 20),
        (GROW, (2,), 20),
        (ADD, (3, 4), 20),
    ]
    graph = graph_of(100, steps)
    chosen = with_least_peak(graph, [Needs()] * 5)
    assert layers(chosen) == ["layer0", "layer2", "layer1", "layer3", "layer4"]
    assert plan(graph, [Needs()] * 5).arena_bytes == 900
    assert plan(chosen, [Needs()] * 5).arena_bytes == 520


def test_what_kernels_may_overlap_counts() -> None:
    # Both branches end in a tensor of 100 bytes.  Only the first operator may lie over the input, so it
    # should run after the other.
    steps: list[Step] = [(RELU, (0,), 100), (GROW, (0,), 100), (ADD, (1, 2), 100)]
    needs = [Needs(overlap=Overlap(0)), Needs(), Needs(overlap=Overlap(0))]
    graph = graph_of(100, steps)
    chosen = with_least_peak(graph, needs)
    assert layers(chosen) == ["layer1", "layer0", "layer2"]
    assert plan(graph, needs).arena_bytes == 300
    assert plan(chosen, [needs[1], needs[0], needs[2]]).arena_bytes == 200


@pytest.mark.parametrize("branches", [3, 12])
def test_wide_graphs_are_ordered_too(branches: int) -> None:
    """More sets of operators than are followed at once, where there are 12 branches."""
    steps: list[Step] = [(GROW, (0,), 200 + index) for index in range(branches)]
    steps += [(GROW, (1 + index,), 8) for index in range(branches)]
    total = 1 + branches
    for index in range(1, branches):
        last = len(steps) if index > 1 else total
        steps.append((ADD, (last, total + index), 8))
    graph = graph_of(16, steps)
    chosen = with_least_peak(graph, [Needs()] * len(steps))
    assert is_topological(chosen)
    needs = [Needs()] * len(steps)
    # One large tensor at a time, the input, and a sum or two.
    assert plan(chosen, needs).arena_bytes <= 16 + rounded(200 + branches) + 8 * branches
    assert plan(graph, needs).arena_bytes >= 200 * branches
