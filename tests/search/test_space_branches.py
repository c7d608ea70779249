"""The space of networks with branches: the suite, what a node reads and how it is joined, int8 conversion."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.branches import BranchesOptions
from search.space.cost import INPUT, output_shapes
from search.space.layers import Concat, Conv, Layer, Pool, Sum
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite
from tests.support.space_networks import must_compile, must_survive

SETTINGS = {
    "digits": ((8, 8, 1), 10, {}),
    "pictures": ((32, 32, 3), 4, {"strides": [1, 2, 4], "max_depth": 12, "reach": 12, "activation": "relu"}),
    "series": ((99, 1, 3), 2, {"operators": ["ds", "max"], "joins": ["sum"], "max_reads": 5}),
    "odd": ((13, 7, 2), 3, {"smallest_side": 1, "kernels": [3], "filters": [4, 8], "min_depth": 1}),
}


class TestBranches(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def space(self, request: pytest.FixtureRequest) -> Space:
        shape, classes, options = SETTINGS[request.param]
        return make_space("branches", options, input_shape=shape, classes=classes)


SMALL = {
    "min_depth": 1, "max_depth": 4, "kernels": [3], "filters": [8, 16], "operators": ["conv", "max"],
    "pool_sizes": [2],
}  # fmt: skip


def decoded(text: str, **options: object) -> dict[str, Layer]:
    space = make_space("branches", {**SMALL, **options}, input_shape=(8, 8, 1), classes=10)
    return {layer.name: layer for layer in space.layers(Architecture("branches", text))}


def test_a_node_that_reads_nothing_takes_the_image_and_unread_nodes_meet_at_the_end() -> None:
    layers = decoded(
        "depth=2 node1.stride=2 node1.filters=8 "
        "node2.reads1=no node2.stride=1 node2.filters=16"
    )  # fmt: skip
    assert layers["node1"].inputs == layers["node2"].inputs == (INPUT,)
    assert layers["node2_at_2"] == Pool("node2_at_2", ("node2",), "average", 2, 2, same=True)
    assert layers["ends"] == Concat("ends", ("node1", "node2_at_2"))
    assert layers["average"].inputs == ("ends",)


def test_a_sum_brings_its_inputs_to_the_smallest_map_and_the_channels_of_the_nearest() -> None:
    layers = decoded(
        "depth=3 node1.stride=1 node1.filters=8 "
        "node2.reads1=yes node2.operator=conv node2.stride=2 node2.filters=16 "
        "node3.reads2=yes node3.reads1=yes node3.join=sum node3.operator=conv node3.stride=1 node3.filters=8"
    )
    assert layers["node3_from_node1"] == Conv("node3_from_node1", ("node1",), 16, 1, 2, "none")
    assert layers["node3_sum"] == Sum("node3_sum", ("node2", "node3_from_node1"))
    assert layers["node3"].inputs == ("node3_sum",)
    assert "ends" not in layers


def test_a_concatenation_needs_no_matching_of_channels() -> None:
    layers = decoded(
        "depth=3 node1.stride=1 node1.filters=8 "
        "node2.reads1=yes node2.operator=conv node2.stride=2 node2.filters=16 "
        "node3.reads2=yes node3.reads1=yes node3.join=concat node3.operator=max node3.stride=1"
    )
    assert layers["node3_concat"] == Concat("node3_concat", ("node2", "node1_at_2"))


def test_reads_are_bounded() -> None:
    space = make_space("branches", {"reach": 2, "max_reads": 1}, input_shape=(8, 8, 1), classes=10)
    rng = np.random.default_rng(0)
    for _ in range(100):
        genes = [token.split("=") for token in space.sample(rng).text.split(" ")]
        reads = [(gene.split(".reads"), value) for gene, value in genes if ".reads" in gene]
        assert all(int(part.removeprefix("node")) - int(number) <= 2 for (part, number), _ in reads)
        read = [part for (part, _), value in reads if value == "yes"]
        assert len(set(read)) == len(read)


def test_no_layer_without_weights_is_there_twice() -> None:
    options = {"filters": [8], "kernels": [3], "max_depth": 12, "reach": 12}
    space = make_space("branches", options, input_shape=(16, 16, 1), classes=10)
    rng = np.random.default_rng(0)
    pools = 0
    for _ in range(200):
        free = [layer for layer in space.layers(space.sample(rng)) if isinstance(layer, Pool | Sum | Concat)]
        assert len({replace(layer, name="") for layer in free}) == len(free)
        pools += len(free)
    assert pools > 200


@pytest.mark.parametrize("least", [1, 3])
def test_no_map_becomes_smaller_than_it_may(least: int) -> None:
    space = make_space(
        "branches", {"smallest_side": least, "strides": [1, 2, 4]}, input_shape=(11, 9, 1), classes=2
    )
    rng = np.random.default_rng(0)
    sides = set()
    for _ in range(200):
        layers = space.layers(space.sample(rng))
        sides |= {min(shape[:2]) for shape in output_shapes(layers, (11, 9, 1)).values() if len(shape) == 3}
    assert min(sides) == least
    assert sides <= {math.ceil(9 / 2**power) for power in range(5)}


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"min_depth": 9}, "min_depth"),
        ({"strides": [1, 3]}, "strides"),
        ({"strides": [2]}, "strides"),
        ({"operators": ["max", "avg"]}, "operators"),
        ({"operators": ["ds"], "kernels": [1]}, "kernels"),
    ],
)
def test_options_without_a_network_are_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(BadOption) as caught:
        BranchesOptions(**options)  # type: ignore[arg-type]
    assert caught.value.key == (key,)


def test_networks_survive_conversion_and_cost_what_the_space_says() -> None:
    must_survive(make_space("branches", {"max_depth": 5}, input_shape=(8, 8, 1), classes=10), 1, 1)


def test_every_way_to_join_survives_conversion() -> None:
    space = make_space("branches", SMALL, input_shape=(9, 7, 3), classes=4)
    must_compile(
        space,
        Architecture(
            "branches",
            "depth=4 node1.stride=1 node1.filters=8 "
            "node2.reads1=yes node2.operator=conv node2.stride=2 node2.filters=16 "
            "node3.reads2=yes node3.reads1=yes node3.join=sum node3.operator=max node3.stride=1 "
            "node4.reads3=no node4.reads2=yes node4.reads1=yes node4.join=concat node4.operator=conv "
            "node4.stride=1 node4.filters=8",
        ),
    )
