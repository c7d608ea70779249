"""The space of cells: the suite, one text for each cell, how cells are stacked and carried over, int8."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.cell import FREE, Cell, Operator, decided
from search.space.cells import CellsOptions
from search.space.cost import output_shapes
from search.space.layers import Concat, Conv, Layer, Pool, Sum
from search.space.options import BadOption
from search.space.walk import Choose, follow, next_choice
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_compile, must_survive

SETTINGS: dict[str, tuple[tuple[int, int, int], int, dict[str, Any]]] = {
    "digits": ((8, 8, 1), 10, {}),
    "pictures": ((32, 32, 3), 4, {"blocks": 5, "stacks": 2, "stem_stride": 2, "separable_layers": 2}),
    "series": ((50, 1, 3), 2, {"operators": ["conv3", "identity", "avg3"], "reductions": 4}),
    "one_pixel": ((1, 1, 4), 2, {"blocks": 1, "operators": ["conv1", "max3"]}),
}


class TestCells(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest) -> Space:
        shape, classes, options = SETTINGS[request.param]
        return make_space("cells", options, input_shape=shape, classes=classes)

    @pytest.fixture
    def samples(self, space: Space) -> list[Architecture]:
        rng = np.random.default_rng(7)
        return [space.sample(rng) for _ in range(30)]


# One text for each cell

Blocks: TypeAlias = tuple[tuple[tuple[int, str], ...], ...]
"""A cell as pairs of (state, operator); states 0 and 1 are the inputs, 2 is the first block."""

STATES = ("before", "previous", "block1", "block2", "block3")
OPERATORS: tuple[Operator, ...] = ("conv1", "max3")


def every_decided_cell(blocks: int) -> Iterator[Cell]:
    def cell(choose: Choose) -> Cell:
        return decided(choose, "c", blocks, OPERATORS)

    def below(path: tuple[int, ...]) -> Iterator[Cell]:
        choice = next_choice(cell, path)
        if choice is None:
            yield follow(cell, path).made
            return
        for index in range(len(choice.options)):
            yield from below((*path, index))

    return below(())


def numbered(cell: Cell) -> Blocks:
    return tuple([tuple([(STATES.index(node.state), node.operator) for node in pair]) for pair in cell])


def every_cell(blocks: int) -> Iterator[Blocks]:
    """All pairs in all orders, less those that add or repeat what has no weights."""
    nodes = [list(itertools.product(range(2 + number), OPERATORS)) for number in range(blocks)]
    for pairs in itertools.product(*[itertools.combinations_with_replacement(n, 2) for n in nodes]):
        doubled = any(a == b and a[1] in FREE for a, b in pairs)
        free = [pair for pair in pairs if {operator for _, operator in pair} <= FREE]
        if not doubled and len(set(free)) == len(free):
            yield pairs


def network(cell: Blocks) -> Blocks:
    """The same for all orders of the blocks of one cell: the least of them."""
    made: list[Blocks] = []
    for order in itertools.permutations(range(len(cell))):
        place = {old + 2: new + 2 for new, old in enumerate(order)} | {0: 0, 1: 1}
        if all(place[state] < place[old + 2] for old, pair in enumerate(cell) for state, _ in pair):
            made.append(tuple([tuple(sorted([(place[s], op) for s, op in cell[old]])) for old in order]))
    return min(made)


def test_every_cell_has_exactly_one_text() -> None:
    texts = Counter([network(numbered(cell)) for cell in every_decided_cell(3)])
    assert set(texts) == {network(cell) for cell in every_cell(3)}
    for cell, times in texts.items():
        has_twins = len(set(cell)) < len(cell)
        assert times == 1 or has_twins, cell


# How cells are stacked

PLAIN = {"blocks": 1, "operators": ["conv1", "conv3", "identity"]}
TEXT = (
    "normal1.from1=previous normal1.operator1=conv3 normal1.from2=before normal1.operator2=identity "
    "reduction1.from1=previous reduction1.operator1=conv3 reduction1.from2=previous "
    "reduction1.operator2=conv1"
)


def decoded(text: str, shape: tuple[int, int, int] = (8, 8, 1), **options: object) -> dict[str, Layer]:
    space = make_space("cells", {**PLAIN, **options}, input_shape=shape, classes=10)
    return {layer.name: layer for layer in space.layers(Architecture("cells", text))}


def test_reductions_halve_the_map_and_double_the_filters() -> None:
    layers = decoded(TEXT, (9, 9, 1), stacks=2)
    shapes = output_shapes(tuple(layers.values()), (9, 9, 1))
    blocks = [shapes[name] for name in layers if name.endswith("_block1")]
    full, half, quarter = (9, 9, 8), (5, 5, 16), (3, 3, 32)
    assert blocks == [full, full, half, half, half, quarter, quarter, quarter]


def test_an_input_is_matched_only_where_it_differs_and_only_if_it_is_read() -> None:
    layers = decoded(TEXT)
    assert layers["cell1_block1"] == Sum("cell1_block1", ("cell1_block1_a", "stem"))
    assert layers["cell2_previous"] == Conv("cell2_previous", ("cell1_block1",), 16, 1, 1, "none")
    assert "cell2_before" not in layers
    assert layers["cell3_before"] == Conv("cell3_before", ("cell1_block1",), 16, 1, 2, "none")


def test_states_that_nothing_reads_are_the_output() -> None:
    text = (
        "normal1.from1=previous normal1.operator1=conv3 normal1.from2=before normal1.operator2=identity "
        "normal2.from1=previous normal2.operator1=conv3 normal2.from2=previous normal2.operator2=conv1 "
        "reduction1.from1=before reduction1.operator1=conv3 reduction1.operator2=conv1 "
        "reduction2.from1=block1 reduction2.operator1=identity reduction2.from2=before "
        "reduction2.operator2=identity"
    )
    layers = decoded(text, blocks=2)
    assert layers["cell1_output"] == Concat("cell1_output", ("cell1_block1", "cell1_block2"))
    # No block of the reduction cell reads `previous`, and so it joins the output.
    assert layers["cell2_output"] == Concat("cell2_output", ("cell2_block2", "cell2_previous"))
    assert layers["cell2_previous"] == Pool("cell2_previous", ("cell1_output",), "average", 2, 2, same=True)


def test_pools_of_one_state_are_made_once() -> None:
    options = {"blocks": 5, "operators": ["conv1", "max3", "avg3"]}
    space = make_space("cells", options, input_shape=(8, 8, 1), classes=2)
    rng = np.random.default_rng(0)
    for _ in range(60):
        free = [layer for layer in space.layers(space.sample(rng)) if isinstance(layer, Pool | Sum | Concat)]
        assert len({replace(layer, name="") for layer in free}) == len(free)


# Carried over


def test_a_cell_carries_over_to_larger_data() -> None:
    small = make_space("cells", {}, input_shape=(8, 8, 1), classes=10)
    more = {"stacks": 3, "filters": 24, "stem_filters": 16, "stem_stride": 2, "reductions": 3}
    large = make_space("cells", more, input_shape=(96, 96, 3), classes=100)
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = small.sample(rng)
        assert large.contains(found)
        assert large.path(found) == small.path(found)
        assert large.cost(found).macs > 10 * small.cost(found).macs


def test_operators_without_weights_alone_are_refused() -> None:
    with pytest.raises(BadOption, match='expected one of "conv1"'):
        CellsOptions(operators=("identity", "max3"))


def test_the_order_of_operators_means_nothing() -> None:
    assert CellsOptions(operators=("max3", "conv1")) == CellsOptions(operators=("conv1", "max3"))


def test_networks_survive_conversion_and_cost_what_the_space_says() -> None:
    must_survive(make_space("cells", {"blocks": 2}, input_shape=(8, 8, 1), classes=10), seed=2, count=1)


def test_a_carried_over_cell_survives_conversion() -> None:
    more = {**PLAIN, "stem_stride": 2, "filters": 12}
    must_compile(make_space("cells", more, input_shape=(33, 31, 3), classes=4), Architecture("cells", TEXT))
