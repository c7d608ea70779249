"""The arena plan, held against an arena that is really written and read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.graph import read
from hil.graph.types import (
    Activation,
    Add,
    Concatenation,
    Graph,
    Operator,
    Options,
    Relu,
    Reshape,
    RowJoin,
    RowSlice,
    Tensor,
)
from hil.memory import ALIGNMENT, ArenaPlan, Needs, Overlap, plan

RELU = Relu(Activation.RELU)
ADD = Add(Activation.NONE)
GROW = Concatenation(1)  # any operator whose output has another size

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


# A kernel as the planner sees it: steps that each read bytes of the input, then write some of the output.
Tiles = list[tuple[slice, slice]]


def lead_of(tiles: Tiles) -> int:
    """What the kernel's author declares: how far the writes run ahead of what is still to be read."""
    written, leads = 0, [-1_000_000]
    for index, (_, write) in enumerate(tiles[:-1]):
        written = max(written, write.stop)
        leads.append(written - min(read.start for read, _ in tiles[index + 1 :]))
    return max(leads)


def run(
    graph: Graph, needs: Sequence[Needs], arena_plan: ArenaPlan, tiles: Mapping[int, Tiles] | None = None
) -> None:
    """Execute the plan on an arena of tags: each byte says which tensor wrote it and where in that tensor.

    Every operator finds all bytes of its inputs when it reads them, also where its writes and its scratch go
    over an input.  At the end the model's output is there.

    Args:
        tiles: how the kernel of an operator with a lead reads and writes.
    """
    arena = np.full((arena_plan.arena_bytes, 2), -1)
    tags: dict[int, NDArray[np.int_]] = {}

    def place(tensor: int) -> slice:
        offset = arena_plan.offsets[tensor]
        assert offset % ALIGNMENT == 0
        assert 0 <= offset <= offset + graph.tensors[tensor].elements <= arena_plan.arena_bytes
        return slice(offset, offset + graph.tensors[tensor].elements)

    def own_tags(tensor: int) -> NDArray[np.int_]:
        size = graph.tensors[tensor].elements
        return np.stack([np.full(size, tensor), np.arange(size)], axis=1)

    def check(tensor: int, part: slice = slice(None)) -> None:
        assert (arena[place(tensor)][part] == tags[tensor][part]).all()

    tags[graph.input] = own_tags(graph.input)
    arena[place(graph.input)] = tags[graph.input]
    for operator, need in zip(graph.operators, needs, strict=True):
        output = operator.output
        match operator.options:
            case Reshape():
                tags[output] = tags[operator.inputs[0]]
                continue
            case RowSlice(first_row=first):
                rows = slice(first, first + graph.tensors[output].elements)
                tags[output] = tags[operator.inputs[0]][rows]
                continue
            case RowJoin():
                tags[output] = np.concatenate([tags[tensor] for tensor in operator.inputs])
                continue
        tags[output] = own_tags(output)
        inputs = [tensor for tensor in operator.inputs if not graph.tensors[tensor].is_constant]
        for tensor in inputs:
            check(tensor)
        out = place(output)
        read_first = None  # the input that the scratch destroys
        if need.scratch_bytes:
            offset, size = arena_plan.scratch[operator.index]
            assert size == need.scratch_bytes
            assert offset % ALIGNMENT == 0
            assert offset + size <= out.start or out.stop <= offset
            if need.scratch_over is not None:
                over = operator.inputs[need.scratch_over]
                if offset == place(over).start:
                    read_first = over
                    assert out.stop <= place(over).start or place(over).stop <= out.start
            arena[offset : offset + size] = -1
        read_by_tile = None if need.overlap is None else operator.inputs[need.overlap.input]
        for tensor in inputs:
            if tensor not in (read_first, read_by_tile):
                check(tensor)
        if read_by_tile is None or read_by_tile == read_first:
            arena[out] = tags[output]
        elif need.overlap is not None and need.overlap.lead_bytes is not None:
            assert tiles is not None
            for read, write in tiles[operator.index]:
                check(read_by_tile, read)
                arena[out][write] = tags[output][write]
        else:
            at_input = out.start == place(read_by_tile).start and out.stop <= place(read_by_tile).stop
            for index in range(len(tags[output])) if at_input else ():
                check(read_by_tile, slice(index, index + 1))
                arena[out.start + index] = tags[output][index]
            if not at_input:
                arena[out] = tags[output]
                check(read_by_tile)
        for tensor in inputs:
            if tensor not in (read_first, read_by_tile):
                check(tensor)
    check(graph.output)


@dataclass(frozen=True)
class Case:
    """A graph, what its operators ask for, and how kernels with a lead run."""

    graph: Graph
    needs: list[Needs]
    tiles: dict[int, Tiles]


@st.composite
def kernels(draw: st.DrawFn, read_bytes: int, written_bytes: int) -> Tiles:
    """Steps in which a kernel walks forwards, as a convolution does: it comes back to some rows."""
    steps = draw(st.integers(1, 4))
    halo = draw(st.integers(0, 12))
    tiles = []
    for index in range(steps):
        first, last = (read_bytes * edge // steps for edge in (index, index + 1))
        write = slice(written_bytes * index // steps, written_bytes * (index + 1) // steps)
        tiles.append((slice(max(0, first - halo), min(read_bytes, last + halo)), write))
    return tiles


@st.composite
def cases(draw: st.DrawFn, *, views: bool = True) -> Case:
    """Graphs with branches, views, stripes and scratch, in which any earlier tensor may be read again."""
    sizes = [draw(st.integers(1, 60))]
    steps: list[Step] = []
    needs: list[Needs] = []
    tiles: dict[int, Tiles] = {}

    def add(options: Options, inputs: tuple[int, ...], size: int, need: Needs) -> int:
        steps.append((options, inputs, size))
        needs.append(need)
        sizes.append(size)
        return len(sizes) - 1

    def compute(source: int, size: int) -> int:
        """One operator with one input, of any kind."""
        scratch = draw(st.sampled_from([0, 0, 0, 5, 40]))
        over = draw(st.sampled_from([None, None, 0]))
        kind = draw(st.sampled_from(["in place", "forwards", "forwards", "apart"]))
        if kind == "in place":
            return add(RELU, (source,), size, Needs(scratch, Overlap(0), over))
        if kind == "apart":
            return add(GROW, (source,), size, Needs(scratch, None, over))
        tiles[len(steps)] = draw(kernels(sizes[source], size))
        return add(GROW, (source,), size, Needs(scratch, Overlap(0, lead_of(tiles[len(steps)])), over))

    kinds = ["chain", "chain", "resize", "resize", "binary", *(["view", "stripes"] if views else [])]
    for _ in range(draw(st.integers(1, 8))):
        source = draw(st.one_of(st.just(len(sizes) - 1), st.integers(0, len(sizes) - 1)))
        kind = draw(st.sampled_from(kinds))
        if kind == "view":
            add(Reshape(), (source,), sizes[source], Needs())
        elif kind == "chain":
            compute(source, sizes[source])
        elif kind == "resize":
            compute(source, draw(st.integers(1, 80)))
        elif kind == "binary":
            other = draw(st.integers(0, len(sizes) - 1))
            need = draw(st.sampled_from([Needs(), Needs(0, Overlap(0)), Needs(12, Overlap(1), 0)]))
            add(ADD, (source, other), sizes[draw(st.sampled_from([source, other]))], need)
        else:
            parts = []
            for _ in range(draw(st.integers(1, 3))):
                first = draw(st.integers(0, sizes[source] - 1)) // ALIGNMENT * ALIGNMENT
                rows = draw(st.integers(1, sizes[source] - first))
                stripe = add(RowSlice(first), (source,), rows, Needs())
                if draw(st.booleans()):
                    stripe = compute(stripe, draw(st.integers(1, 40)))
                parts.append(compute(stripe, ALIGNMENT * draw(st.integers(1, 8))))
            add(RowJoin(), tuple(parts), sum(sizes[part] for part in parts), Needs())
    return Case(graph_of(sizes[0], steps, draw(st.integers(1, len(steps)))), needs, tiles)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_every_tensor_is_intact_when_it_is_read(case: Case) -> None:
    arena_plan = plan(case.graph, case.needs)
    run(case.graph, case.needs, arena_plan, case.tiles)
    assert arena_plan.arena_bytes % ALIGNMENT == 0
    assert set(arena_plan.offsets) == {tensor.index for tensor in case.graph.tensors}
    assert 0 <= arena_plan.peak_operator < len(case.graph.operators)
    assert max(arena_plan.live_bytes) <= arena_plan.arena_bytes


@settings(max_examples=100, deadline=None)
@given(cases())
def test_overlapping_never_makes_the_arena_larger(case: Case) -> None:
    apart = [Needs(need.scratch_bytes) for need in case.needs]
    assert plan(case.graph, case.needs).arena_bytes <= plan(case.graph, apart).arena_bytes


@settings(max_examples=100, deadline=None)
@given(cases(views=False))
def test_live_bytes_are_those_that_are_occupied(case: Case) -> None:
    arena_plan = plan(case.graph, case.needs)
    for operator in case.graph.operators:
        occupied: set[int] = set()
        for tensor in case.graph.tensors:
            written = max((op.index for op in case.graph.operators if op.output == tensor.index), default=-1)
            read = [op.index for op in case.graph.operators if tensor.index in op.inputs]
            last = len(case.graph.operators) if tensor.index == case.graph.output else max([written, *read])
            if written <= operator.index <= last:
                offset = arena_plan.offsets[tensor.index]
                occupied.update(range(offset, offset + rounded(tensor.elements)))
        if operator.index in arena_plan.scratch:
            offset, size = arena_plan.scratch[operator.index]
            occupied.update(range(offset, offset + rounded(size)))
        assert arena_plan.live_bytes[operator.index] == len(occupied)


@settings(max_examples=50, deadline=None)
@given(cases())
def test_the_same_graph_gives_the_same_plan(case: Case) -> None:
    assert plan(case.graph, case.needs) == plan(case.graph, case.needs)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=2, max_size=15))
def test_a_chain_needs_no_more_than_its_largest_neighbours(sizes: list[int]) -> None:
    steps: list[Step] = [(Concatenation(1), (index,), size) for index, size in enumerate(sizes[1:])]
    arena_plan = plan(graph_of(sizes[0], steps), [Needs()] * len(steps))
    pairs = [rounded(a) + rounded(b) for a, b in pairwise(sizes)]
    assert list(arena_plan.live_bytes) == pairs
    assert arena_plan.arena_bytes == max(pairs)
    assert pairs[arena_plan.peak_operator] == max(pairs)


def least_arena(sizes: Sequence[int], needs: Sequence[Needs]) -> int:
    """Of a chain, by trying all arenas and in each all places: sizes and scratch are multiples of ALIGNMENT.

    A tensor of a chain meets only the one before and the one behind, so what is kept of a tensor is where it
    may lie at all.
    """

    def may_lie(first: int, second: int, index: int) -> bool:
        """Whether two neighbours may lie so, and the scratch has room, too."""
        overlap = needs[index].overlap
        apart = first + sizes[index] <= second or second + sizes[index + 1] <= first
        if not apart and overlap is None:
            return False
        if not apart and overlap is not None:
            in_place = first == second and sizes[index + 1] <= sizes[index]
            lead = overlap.lead_bytes
            if not (in_place if lead is None else second <= first - lead):
                return False
        taken = sorted([(first, first + sizes[index]), (second, second + sizes[index + 1])])
        edges = [0, taken[0][0], taken[0][1], taken[1][0], max(taken[0][1], taken[1][1]), arena]
        gaps = [edges[1] - edges[0], edges[3] - edges[2], edges[5] - edges[4]]
        return needs[index].scratch_bytes <= max(0, *gaps)

    arena = max(sizes)
    while True:
        places = set(range(0, arena - sizes[0] + 1, ALIGNMENT))
        for index, size in enumerate(sizes[1:]):
            onward = range(0, arena - size + 1, ALIGNMENT)
            places = {second for second in onward if any(may_lie(first, second, index) for first in places)}
        if places:
            return arena
        arena += ALIGNMENT


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_chain_gets_the_least_arena_that_there_is(data: st.DataObject) -> None:
    sizes = [ALIGNMENT * size for size in data.draw(st.lists(st.integers(1, 12), min_size=2, max_size=6))]
    overlaps = st.sampled_from([None, Overlap(0), *(Overlap(0, ALIGNMENT * lead) for lead in range(-3, 6))])
    needs = [
        Needs(ALIGNMENT * data.draw(st.sampled_from([0, 0, 1, 4])), data.draw(overlaps)) for _ in sizes[1:]
    ]
    steps: list[Step] = [(GROW, (index,), size) for index, size in enumerate(sizes[1:])]
    assert plan(graph_of(sizes[0], steps), needs).arena_bytes == least_arena(sizes, needs)


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


def test_an_input_that_is_also_read_through_a_view_is_not_overwritten() -> None:
    for view, size in ((Reshape(), 100), (RowSlice(40), 60)):
        for overlap in (Overlap(0), Overlap(0, 4), Overlap(0, -50)):
            steps: list[Step] = [(view, (0,), size), (ADD, (0, 1), 100)]
            arena_plan = plan(graph_of(100, steps), [Needs(), Needs(overlap=overlap)])
            assert arena_plan.arena_bytes == 200, (view, overlap)


def test_a_widening_kernel_reads_from_the_end_of_its_output() -> None:
    arena_plan = plan(graph_of(100, [(GROW, (0,), 200)]), [Needs(overlap=Overlap(0, 112))])
    assert arena_plan.arena_bytes == 212
    assert arena_plan.offsets[1] == 0
    assert arena_plan.offsets[0] == 112


def test_a_narrowing_kernel_may_write_behind_the_start_of_its_input() -> None:
    # The input's first bytes are read again later, so that the output has only its end to lie over.
    steps: list[Step] = [(RowSlice(0), (0,), 60), (GROW, (0,), 40), (ADD, (1, 2), 60)]
    for lead, expected in [(-64, 100), (-60, 100), (-59, 140)]:
        needs = [Needs(), Needs(0, Overlap(0, lead)), Needs(0, Overlap(0))]
        arena_plan = plan(graph_of(100, steps), needs)
        assert arena_plan.arena_bytes == expected, lead


def test_leads_along_a_chain_add_up_to_stairs() -> None:
    steps: list[Step] = [(RELU, (index,), 1000) for index in range(5)]
    arena_plan = plan(graph_of(1000, steps), [Needs(overlap=Overlap(0, 40))] * 5)
    assert arena_plan.arena_bytes == 1200
    assert [arena_plan.offsets[tensor] for tensor in range(6)] == [200, 160, 120, 80, 40, 0]


def test_in_place_operators_and_leads_mix_in_a_chain() -> None:
    # The second operator of each pair takes the exact place of its input.
    steps: list[Step] = [(RELU, (index,), 1000) for index in range(6)]
    needs = [Needs(overlap=Overlap(0, 40)), Needs(100, Overlap(0))] * 3
    arena_plan = plan(graph_of(1000, steps), needs)
    assert arena_plan.arena_bytes == 1140
    assert all(1000 <= live <= 1140 for live in arena_plan.live_bytes)


def test_scratch_may_destroy_an_input() -> None:
    steps: list[Step] = [(GROW, (0,), 40), (GROW, (1,), 40)]
    arena_plan = plan(graph_of(640, steps), [Needs(1280, scratch_over=0), Needs()])
    assert arena_plan.arena_bytes == 1280 + 40
    assert arena_plan.scratch[0] == (arena_plan.offsets[0], 1280)
    steps.append((ADD, (0, 2), 40))
    read_again = plan(graph_of(640, steps), [Needs(1280, scratch_over=0), Needs(), Needs()])
    assert read_again.arena_bytes == 640 + 1280 + 40


def test_scratch_and_output_do_not_lie_over_one_input_together() -> None:
    # Each alone may.  The output would also fit behind the scratch, where it is not read any more.
    needs = [Needs(40, Overlap(0, -60), scratch_over=0)]
    assert plan(graph_of(100, [(GROW, (0,), 40)]), needs).arena_bytes == 140


def test_stripes_give_up_their_source_and_take_their_place_row_by_row() -> None:
    # Two stripes of 100 rows each: while the second is computed, the first half of the source is free.
    steps: list[Step] = [
        (RowSlice(0), (0,), 100),
        (GROW, (1,), 100),
        (RowSlice(100), (0,), 100),
        (GROW, (3,), 100),
        (RowJoin(), (2, 4), 200),
    ]
    arena_plan = plan(graph_of(200, steps), [Needs()] * 5)
    assert arena_plan.arena_bytes == 300
    assert arena_plan.offsets[3] == arena_plan.offsets[0] + 100
    assert arena_plan.offsets[5] == arena_plan.offsets[2] == arena_plan.offsets[4] - 100
    assert arena_plan.live_bytes == (200, 300, 200, 300, 200)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([(RELU, (0,), 8), (RowJoin(), (1, 1), 16)], "'t1' would need two places"),
        ([(RELU, (0,), 8), (RELU, (0,), 8), (RowJoin(), (1, 2), 16), (RowJoin(), (2, 1), 16)], "two places"),
        ([(RowSlice(3), (0,), 5)], "byte 3, which is no multiple of 4"),
        ([(RELU, (0,), 6), (RELU, (0,), 8), (RowJoin(), (1, 2), 14)], "byte 6, which is no multiple"),
        ([(RowSlice(4), (0,), 5)], "rows that its input of 8 bytes does not have"),
        ([(RELU, (0,), 8), (RowJoin(), (1,), 12)], "inputs of [8] bytes, but its output has 12"),
        (
            [
                *[(RELU, (0,), 8)] * 3,
                (RowJoin(), (1, 2), 16),
                (RowJoin(), (1, 3), 16),
                (ADD, (4, 5), 16),
            ],
            "views give the tensors 't2' and 't3' the same bytes at the same time",
        ),
    ],
)
def test_views_that_cannot_be_are_refused(steps: list[Step], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        plan(graph_of(8, steps), [Needs()] * len(steps))


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
