"""The stages space: the suite, its blocks, its dials."""

from __future__ import annotations

import numpy as np
import pytest

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.cost import INPUT, output_shapes
from search.space.layers import Concat, Conv, Pool, Sum
from search.space.options import BadOption
from search.space.stage_blocks import Shape, block_layers, rounded
from search.space.stages import StagesOptions, StagesSpace
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_compile, must_survive

SETTINGS = {
    "digits": ((8, 8, 1), {}),
    "pictures": (
        (96, 96, 3),
        {"width_multipliers": [0.5, 1.0], "resolutions": [1.0, 0.75, 0.5], "strides": [1, 2, 3]},
    ),
    "one_kind": (
        (49, 10, 1),
        {"blocks": ["fire"], "expansions": [1, 2, 4, 8], "min_stages": 3, "widths": [4, 20]},
    ),
}


class TestStages(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest) -> Space:
        shape, options = SETTINGS[request.param]
        return make_space("stages", options, input_shape=shape, classes=4)


def stages(input_shape: tuple[int, ...] = (8, 8, 1), **options: object) -> StagesSpace:
    return StagesSpace(StagesOptions(**options), input_shape=input_shape, classes=10)  # type: ignore[arg-type]


def block(kind: str, **other: object) -> tuple[object, ...]:
    shape = {
        "name": "b",
        "source": INPUT,
        "channels": 8,
        "width": 12,
        "kernel": 5,
        "stride": 2,
        "expansion": 4,
        "skip": False,
        "activation": "relu",
    }
    return block_layers(kind, Shape(**{**shape, **other}))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["ds", "ir", "fire", "res"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_every_block_gives_its_width_and_takes_its_stride(kind: str, stride: int) -> None:
    made = block(kind, stride=stride)
    shapes = output_shapes(made, (9, 7, 8))  # type: ignore[arg-type]
    assert list(shapes.values())[-1] == (-(-9 // stride), -(-7 // stride), 12)


def test_a_fire_block_squeezes_then_expands_with_two_kernels() -> None:
    assert block("fire") == (
        Pool("b_pool", (INPUT,), "max", 3, 2, same=True),
        Conv("b_squeeze", ("b_pool",), 4, 1, 1, "relu"),
        Conv("b_expand1", ("b_squeeze",), 8, 1, 1, "relu"),
        Conv("b_expand5", ("b_squeeze",), 4, 5, 1, "relu"),
        Concat("b_join", ("b_expand1", "b_expand5")),
    )


@pytest.mark.parametrize("width", range(4, 65, 4))
def test_the_parts_of_a_fire_block_are_never_empty(width: int) -> None:
    *_, small, large, _ = block("fire", width=width)
    assert small.filters + large.filters == width  # type: ignore[attr-defined]
    assert min(small.filters, large.filters) > 0  # type: ignore[attr-defined]


def test_a_residual_block_projects_only_where_shapes_differ() -> None:
    first, second, added = block("res", width=8, stride=1)
    assert (type(first), type(second)) == (Conv, Conv)
    assert added == Sum("b_add", (INPUT, "b_second"), "relu")
    *_, shortcut, added = block("res", width=8, stride=2)
    assert shortcut == Conv("b_shortcut", (INPUT,), 8, 1, 2, "none")
    assert added == Sum("b_add", ("b_shortcut", "b_second"), "relu")


@pytest.mark.parametrize(("channels", "becomes"), [(0.4, 4), (4, 4), (5.9, 4), (6, 8), (24, 24), (33.5, 32)])
def test_widths_are_rounded_to_fours(channels: float, becomes: int) -> None:
    assert rounded(channels) == becomes


def test_all_widths_are_multiples_of_four_whatever_the_multiplier() -> None:
    space = stages(width_multipliers=[0.3, 0.7, 1.1], widths=[5, 9, 30], stem_width=24)
    rng = np.random.default_rng(1)
    for _ in range(30):
        for layer in space.layers(space.sample(rng)):
            if isinstance(layer, Conv):
                assert layer.filters % 4 == 0 or layer.name.split("_")[-1].startswith("expand")


def test_only_the_first_block_of_a_stage_has_the_stride() -> None:
    text = (
        "stages=1 stem.stride=1 stage1.block=ir stage1.repeats=3 stage1.kernel=3 stage1.width=24 "
        "stage1.stride=2 stage1.expansion=2 stage1.skip=yes"
    )
    layers = stages().layers(Architecture("stages", text))
    shapes = output_shapes(layers, (8, 8, 1))
    assert [shapes[f"s1b{n}_project"] for n in (1, 2, 3)] == [(4, 4, 24)] * 3
    assert [layer.name for layer in layers if isinstance(layer, Sum)] == ["s1b2_add", "s1b3_add"]


def test_resolution_is_a_gene_that_the_network_takes() -> None:
    space = stages((32, 24, 3), resolutions=[0.5, 1.0, 0.75], max_stages=1)
    shapes = {space.takes(space.sample(np.random.default_rng(seed))) for seed in range(20)}
    assert shapes == {(32, 24, 3), (24, 18, 3), (16, 12, 3)}
    fixed = stages((32, 24, 3), resolutions=[0.5])
    sample = fixed.sample(np.random.default_rng(1))
    assert "resolution" not in sample.text
    assert fixed.takes(sample) == (16, 12, 3)


def test_resolutions_that_are_one_shape_are_one_option() -> None:
    choice = stages((8, 8, 1), resolutions=[1.0, 0.99, 0.5]).choice(())
    assert choice is not None
    assert choice.options == (1.0, 0.5)


def test_a_stage_offers_no_two_options_that_are_the_same_network() -> None:
    space = stages(
        blocks=["fire"], widths=[4, 5, 16], expansions=[2, 4, 8], min_stages=1, repeats=[1], kernels=[3]
    )
    widths, expansions = set(), set()
    rng = np.random.default_rng(3)
    for _ in range(40):
        for choice in space.way(space.sample(rng)).choices:
            if choice.gene == "stage1.width":
                widths.add(choice.options)
            if choice.gene == "stage1.expansion":
                expansions.add(choice.options)
    assert widths == {(4, 16)}
    assert expansions == {(2, 4)}  # 16 / 4 and 16 / 8 are both 4; of 4 every squeeze is 4


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"width_multipliers": [1.0, 1.1]}, "width_multipliers"),
        ({"strides": [2]}, "strides"),
        ({"min_stages": 5}, "min_stages"),
        ({"resolutions": [1.5]}, "resolutions"),
        ({"blocks": ["vgg"]}, "blocks"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(BadOption) as caught:
        StagesOptions(**options)  # type: ignore[arg-type]
    assert caught.value.key == (key,)


def test_networks_survive() -> None:
    space = make_space(
        "stages",
        {"resolutions": [1.0, 0.75], "max_stages": 2, "min_stages": 2},
        input_shape=(16, 16, 3),
        classes=4,
    )
    must_survive(space, seed=4, count=1)


@pytest.mark.parametrize("kind", ["fire", "res"])
def test_blocks_that_join_survive(kind: str) -> None:
    space = stages(blocks=[kind], min_stages=2, max_stages=2, repeats=[1, 2], kernels=[3], widths=[4, 8])
    must_compile(space, space.sample(np.random.default_rng(2)))
