"""The joint space of cells and stages: the suite, what its genes do, int8 conversion."""

from __future__ import annotations

import numpy as np
import pytest

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.cost import output_shapes
from search.space.joint import JointOptions
from search.space.layers import Conv, Layer
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_survive

SETTINGS = {
    "digits": ((8, 8, 1), 10, {}),
    "pictures": ((32, 32, 3), 4, {"cells": "per_stage", "max_repeats": 3, "stem_strides": [1, 2, 4]}),
    "series": ((50, 1, 3), 2, {"operators": ["conv3", "max3"], "filters": [8], "max_stages": 5}),
    "one_cell": ((5, 4, 1), 2, {"max_stages": 1, "max_repeats": 1, "stem_strides": [2]}),
}


class TestJoint(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest) -> Space:
        shape, classes, options = SETTINGS[request.param]
        return make_space("joint", options, input_shape=shape, classes=classes)

    @pytest.fixture
    def samples(self, space: Space) -> list[Architecture]:
        rng = np.random.default_rng(7)
        return [space.sample(rng) for _ in range(40)]


PLAIN = {
    "max_blocks": 1,
    "operators": ["conv1", "conv3"],
    "filters": [8, 16],
    "stem_filters": [8],
    "max_stages": 2,
}


def decoded(text: str, **options: object) -> dict[str, Layer]:
    space = make_space("joint", {**PLAIN, **options}, input_shape=(16, 16, 1), classes=10)
    return {layer.name: layer for layer in space.layers(Architecture("joint", text))}


MACRO = (
    "stem.stride=1 stages=2 stage1.filters=8 stage1.repeats=1 stage1.stride=2 "
    "stage2.filters=16 stage2.repeats=2 stage2.stride=1"
)


def test_macro_genes_say_where_maps_shrink_and_widen() -> None:
    layers = decoded(
        f"{MACRO} cell1.from1=previous cell1.operator1=conv3 cell1.from2=previous cell1.operator2=conv1"
    )
    shapes = output_shapes(tuple(layers.values()), (16, 16, 1))
    assert [shapes[f"cell{n}_block1"] for n in (1, 2, 3)] == [(8, 8, 8), (8, 8, 16), (8, 8, 16)]
    assert layers["cell1_block1_a"] == Conv("cell1_block1_a", ("stem",), 8, 3, 2, "relu6")
    assert layers["cell2_previous"] == Conv("cell2_previous", ("cell1_block1",), 16, 1, 1, "none")


def test_each_stage_may_have_its_own_cell() -> None:
    text = (
        f"{MACRO} stage1.cell1.operator1=conv1 "
        "stage2.cell1.from1=before stage2.cell1.operator1=conv3 stage2.cell1.operator2=conv3"
    )
    layers = decoded(text, cells="per_stage")
    assert [layers[f"cell{n}_block1_a"].kernel for n in (1, 2, 3)] == [1, 3, 3]  # type: ignore[attr-defined]
    # The first cell has the stem on both sides and is used once: there is no "before" to choose.
    assert layers["cell1_block1_a"].inputs == ("stem",)


def test_a_cell_alone_does_not_choose_between_the_stem_and_the_stem() -> None:
    space = make_space("joint", SETTINGS["one_cell"][2], input_shape=(5, 4, 1), classes=2)
    rng = np.random.default_rng(0)
    assert not any("before" in space.sample(rng).text for _ in range(50))


def test_no_map_becomes_smaller_than_it_may() -> None:
    space = make_space("joint", {"smallest_side": 3}, input_shape=(12, 10, 1), classes=2)
    rng = np.random.default_rng(0)
    sides = set()
    for _ in range(200):
        layers = space.layers(space.sample(rng))
        sides |= {min(shape[:2]) for shape in output_shapes(layers, (12, 10, 1)).values() if len(shape) == 3}
    assert sides == {10, 5, 3}


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"min_stages": 4}, "min_stages"),
        ({"stem_strides": [1, 3]}, "stem_strides"),
        ({"operators": ["identity"]}, "operators"),
    ],
)
def test_options_without_a_network_are_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(BadOption) as caught:
        JointOptions(**options)  # type: ignore[arg-type]
    assert caught.value.key == (key,)


@pytest.mark.parametrize(("shape", "classes"), [((8, 8, 1), 10), ((11, 9, 3), 4)])
def test_networks_survive_conversion_and_cost_what_the_space_says(
    shape: tuple[int, int, int], classes: int
) -> None:
    must_survive(make_space("joint", {}, input_shape=shape, classes=classes), seed=3, count=1)
