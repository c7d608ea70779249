"""The arena plan, held against an arena that is really written and read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.graph import read
from hil.graph.types import Activation, Add, Concatenation, Graph, Operator, Options, Relu, Reshape, Tensor
from hil.memory import ALIGNMENT, ArenaPlan, Needs, Overlap, plan

RELU = Relu(Activation.RELU)
ADD = Add(Activation.NONE)

# (options, inputs, output size) of each operator; tensor 0 is the model's input.
Step = tuple[Options, tuple[int, ...], int]


def graph_of(input_size: int, steps: list[Step], output: int | None = None) -> Graph:
    """Operator k computes tensor k + 1; the model's output is the last one unless given."""
    tensors = [Tensor(0, "input", (1, input_size), "int8")]
    operators = []
    for index, (options, inputs, size) in enumerate(steps):
        tensors.append(Tensor(index + 1, f"t{index + 1}", (1, size), "int8"))
        operators.append(Operator(index, type(options).__name__, f"layer{index}", inputs, index + 1, options))
    return Graph("", tuple(tensors), tuple(operators), 0, len(steps) if output is None else output)


def rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def run(graph: Graph, needs: list[Needs], arena_plan: ArenaPlan) -> None:
    """Execute the plan on an arena of tags: each byte says which tensor wrote it and where in that tensor.

    Every operator finds all bytes of its inputs, has its scratch for itself, and writes its output over
    nothing that it still reads, save the one input that its kernel may overwrite.  At the end the model's
    output is there.
    """
    arena = np.full((arena_plan.arena_bytes, 2), -1)
    roots = {graph.input: graph.input}

    def place(tensor: int) -> slice:
        offset = arena_plan.offsets[tensor]
        assert offset % ALIGNMENT == 0
        assert offset + graph.tensors[tensor].elements <= arena_plan.arena_bytes
        return slice(offset, offset + graph.tensors[tensor].elements)

    def write(tensor: int) -> None:
        arena[place(tensor)] = [(tensor, position) for position in range(graph.tensors[tensor].elements)]

    def check(tensor: int) -> None:
        tags = arena[place(tensor)]
        assert (tags[:, 0] == roots[tensor]).all()
        assert (tags[:, 1] == np.arange(len(tags))).all()

    write(graph.input)
    for operator, need in zip(graph.operators, needs, strict=True):
        if isinstance(operator.options, Reshape):
            roots[operator.output] = roots[operator.inputs[0]]
            check(operator.output)
            continue
        roots[operator.output] = operator.output
        out = place(operator.output)
        if need.scratch_bytes:
            offset, size = arena_plan.scratch[operator.index]
            assert size == need.scratch_bytes
            assert offset % ALIGNMENT == 0
            assert offset + size <= out.start or out.stop <= offset
            arena[offset : offset + size] = -1
        for position, tensor in enumerate(operator.inputs):
            if graph.tensors[tensor].is_constant:
                continue
            check(tensor)
            donor = need.overlap is not None and operator.inputs[need.overlap.input] == tensor
            taken = place(tensor)
            overlap = max(taken.start, out.start) < min(taken.stop, out.stop)
            within = taken.start == out.start and out.stop <= taken.stop
            assert not overlap or (donor and within), f"input {position} is overwritten"
        write(operator.output)
    check(graph.output)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, list[Needs]]:
    sizes = [draw(st.integers(1, 60))]
    steps: list[Step] = []
    needs = []
    for index in range(draw(st.integers(1, 12))):
        first = draw(st.integers(max(0, index - 4), index))
        second = draw(st.integers(max(0, index - 6), index))
        kind = draw(st.sampled_from(["view", "elementwise", "binary", "other", "join"]))
        scratch = draw(st.sampled_from([0, 0, 0, 5, 40]))
        if kind == "view":
            steps.append((Reshape(), (first,), sizes[first]))
            needs.append(Needs(0, Overlap(0)))
        elif kind == "elementwise":
            steps.append((RELU, (first,), sizes[first]))
            needs.append(Needs(scratch, Overlap(0)))
        elif kind == "binary":
            steps.append((ADD, (first, second), sizes[first]))
            needs.append(Needs(scratch, draw(st.sampled_from([Overlap(0), None]))))
        else:
            inputs = (first, second) if kind == "join" else (first,)
            steps.append((Concatenation(1), inputs, draw(st.integers(1, 60))))
            needs.append(Needs(scratch, draw(st.sampled_from([Overlap(0), None]))))
        sizes.append(steps[-1][2])
    return graph_of(sizes[0], steps, draw(st.integers(1, len(steps)))), needs


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_every_tensor_is_intact_when_it_is_read(case: tuple[Graph, list[Needs]]) -> None:
    graph, needs = case
    arena_plan = plan(graph, needs)
    run(graph, needs, arena_plan)
    assert arena_plan.arena_bytes >= max(arena_plan.live_bytes)
    assert arena_plan.arena_bytes % ALIGNMENT == 0
    assert 0 <= arena_plan.peak_operator < len(graph.operators)
    assert set(arena_plan.offsets) == {tensor.index for tensor in graph.tensors}


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_the_same_graph_gives_the_same_plan(case: tuple[Graph, list[Needs]]) -> None:
    assert plan(*case) == plan(*case)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=2, max_size=15))
def test_a_chain_needs_no_more_than_its_largest_neighbours(sizes: list[int]) -> None:
    steps: list[Step] = [(Concatenation(1), (index,), size) for index, size in enumerate(sizes[1:])]
    arena_plan = plan(graph_of(sizes[0], steps), [Needs()] * len(steps))
    pairs = [rounded(a) + rounded(b) for a, b in pairwise(sizes)]
    assert list(arena_plan.live_bytes) == pairs
    assert arena_plan.arena_bytes == max(pairs)
    assert pairs[arena_plan.peak_operator] == max(pairs)


def test_elementwise_operators_run_in_place() -> None:
    steps: list[Step] = [(RELU, (0,), 100), (Reshape(), (1,), 100), (RELU, (2,), 100)]
    arena_plan = plan(graph_of(100, steps), [Needs(overlap=Overlap(0))] * 3)
    assert arena_plan.arena_bytes == 100
    assert set(arena_plan.offsets.values()) == {0}
    assert arena_plan.live_bytes == (100, 100, 100)


def test_an_input_that_is_read_again_is_not_overwritten() -> None:
    steps: list[Step] = [(RELU, (0,), 100), (ADD, (1, 0), 100)]
    arena_plan = plan(graph_of(100, steps), [Needs(overlap=Overlap(0))] * 2)
    assert arena_plan.offsets[1] != arena_plan.offsets[0]
    assert arena_plan.offsets[2] == arena_plan.offsets[1]
    assert arena_plan.arena_bytes == 200


def test_a_live_view_protects_its_bytes() -> None:
    steps: list[Step] = [(Reshape(), (0,), 100), (RELU, (0,), 100), (ADD, (1, 2), 100)]
    arena_plan = plan(graph_of(100, steps), [Needs(overlap=Overlap(0))] * 3)
    assert arena_plan.offsets[2] != arena_plan.offsets[0]


def test_the_output_is_kept_until_the_end() -> None:
    steps: list[Step] = [(RELU, (0,), 40), (Concatenation(1), (1,), 400), (Concatenation(1), (2,), 8)]
    graph = graph_of(40, steps, output=1)
    needs = [Needs(overlap=Overlap(0))] * 3
    run(graph, needs, plan(graph, needs))


def test_scratch_counts_while_its_operator_runs() -> None:
    steps: list[Step] = [(Concatenation(1), (0,), 10), (Concatenation(1), (1,), 10)]
    arena_plan = plan(graph_of(10, steps), [Needs(), Needs(scratch_bytes=1000)])
    assert arena_plan.live_bytes == (24, 1024)
    assert arena_plan.arena_bytes == 1024
    assert arena_plan.peak_operator == 1
    assert set(arena_plan.scratch) == {1}


def test_needs_of_another_graph_are_refused() -> None:
    with pytest.raises(ValueError, match="2 needs for 1 operators"):
        plan(graph_of(10, [(RELU, (0,), 10)]), [Needs(), Needs()])


MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


@pytest.mark.parametrize(("name", "peak"), [("kws", 16_000), ("ic", 49_152), ("vww", 55_296), ("ad", 768)])
def test_mlperf_tiny_models_reach_the_lower_bound(name: str, peak: int) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not beside the checkout")
    graph = read(path)
    needs = [
        Needs(overlap=Overlap(0) if isinstance(op.options, Add | Relu) else None) for op in graph.operators
    ]
    arena_plan = plan(graph, needs)
    assert arena_plan.arena_bytes == max(arena_plan.live_bytes) == peak
    run(graph, needs, arena_plan)
