"""Spaces for signals and features: time series, keyword spotting, perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.cost import count, output_shapes
from search.space.keyword import KeywordOptions
from search.space.layers import Conv, Dense, Depthwise, Pool
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_compile, must_survive

SETTINGS: dict[str, tuple[str, tuple[int, int, int], dict[str, Any]]] = {
    "series": ("series", (128, 1, 6), {}),
    "short_series": (
        "series",
        (9, 1, 1),
        {"kernels": [3, 12], "strides": [1, 2, 4], "pools": ["max2", "avg2"]},
    ),
    "keyword": ("keyword", (49, 10, 1), {}),
    "keyword_one_width": ("keyword", (49, 10, 1), {"one_width": True, "min_blocks": 4, "max_blocks": 4}),
    "keyword_on_digits": ("keyword", (8, 8, 1), {"strides": [1, 2, 3]}),
    "mlp": ("mlp", (1, 1, 40), {}),
    "mlp_on_digits": ("mlp", (8, 8, 1), {"min_depth": 0, "max_depth": 2, "units": [12, 20, 48]}),
}


def space_of(setting: str) -> Space:
    name, shape, options = SETTINGS[setting]
    return make_space(name, options, input_shape=shape, classes=5)


class TestSignals(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest) -> Space:
        return space_of(request.param)


def sampled(space: Space, count: int) -> list[Architecture]:
    rng = np.random.default_rng(5)
    return [space.sample(rng) for _ in range(count)]


# Time series


def test_a_series_stays_one_column_wide_and_long_enough() -> None:
    space = space_of("series")
    for sample in sampled(space, 40):
        layers = space.layers(sample)
        shapes = output_shapes(layers, (128, 1, 6))
        for layer in layers:
            if isinstance(layer, Conv | Depthwise | Pool):
                assert shapes[layer.name][0] >= 4
                assert shapes[layer.name][1] == 1


def test_kernels_of_a_series_reach_over_time_alone() -> None:
    text = "depth=1 b1.kind=conv b1.kernel=8 b1.filters=32 b1.stride=2"
    conv = space_of("series").layers(Architecture("series", text))[0]
    assert conv == Conv("b1_conv", ("input",), 32, (8, 1), (2, 1), "relu")
    assert count([conv], (128, 1, 6)).macs == 64 * 32 * 8 * 6


def test_a_picture_is_no_time_series() -> None:
    with pytest.raises(BadOption, match=r"\(8, 8, 1\).*\(steps, 1, channels\)"):
        make_space("series", {}, input_shape=(8, 8, 1), classes=2)


# Keyword spotting


def test_the_small_network_of_the_paper_is_in_the_space() -> None:
    """DS-CNN as MLPerf Tiny has it: 64 filters in all layers, 10x4 with stride 2x2, four blocks."""
    space = make_space("keyword", {"one_width": True}, input_shape=(49, 10, 1), classes=12)
    blocks = " ".join(f"b{number}.kernel=3 b{number}.stride=1" for number in (1, 2, 3, 4))
    network = Architecture("keyword", f"blocks=4 first.kernel=10x4 first.stride=2x2 width=64 {blocks}")
    weights = 10 * 4 * 64 + 4 * (9 * 64 + 64 * 64) + 64 * 12
    assert space.cost(network).parameters == weights + 9 * 64 + 12
    assert space.cost(network).macs == 125 * (10 * 4 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 12


def test_no_first_kernel_is_larger_than_the_data() -> None:
    space = space_of("keyword_on_digits")
    first = {space.layers(sample)[0] for sample in sampled(space, 60)}
    kernels = {layer.kernel for layer in first if isinstance(layer, Conv)}
    assert kernels == {(8, 4), (5, 3), (3, 3)}  # 10x4 and 8x4 are one kernel here
    tiny = make_space("keyword", {}, input_shape=(2, 2, 1), classes=2)
    for sample in sampled(tiny, 10):
        conv = tiny.layers(sample)[0]
        assert isinstance(conv, Conv)
        assert (conv.kernel, conv.stride) == ((3, 3), (1, 1))


@pytest.mark.parametrize("text", ["10", "10x", "0x4", "10x4x1", "10 x 4"])
def test_a_kernel_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadOption, match=r'expected rows and columns, e\.g\. "10x4"') as caught:
        KeywordOptions(first_kernels=("3x3", text))
    assert caught.value.key == ("first_kernels",)


# Perceptrons


def test_a_perceptron_of_no_depth_is_a_regression() -> None:
    space = space_of("mlp_on_digits")
    assert space.cost(Architecture("mlp", "depth=0")).macs == 64 * 5
    deeper = Architecture("mlp", "depth=2 dense1.units=48 dense2.units=20")
    assert space.cost(deeper).macs == 64 * 48 + 48 * 20 + 20 * 5
    assert [layer.activation for layer in space.layers(deeper) if isinstance(layer, Dense)] == [
        "relu",
        "relu",
        "none",
    ]


@pytest.mark.parametrize("setting", ["series", "keyword", "mlp_on_digits"])
def test_networks_survive(setting: str) -> None:
    must_survive(space_of(setting), seed=3, count=1)


def test_separable_blocks_of_a_series_survive() -> None:
    text = "depth=2 b1.kind=ds b1.kernel=8 b1.filters=8 b1.stride=2 b1.pool=max2 b2.kind=ds b2.kernel=3 "
    must_compile(space_of("series"), Architecture("series", text + "b2.filters=16 b2.stride=1"))
