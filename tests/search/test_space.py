"""The chain space: the suite over several settings, its text, its rules, its moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import BadArchitecture
from search.space import SPACES, make_space, space_options
from search.space.base import Architecture, Space
from search.space.block import Block, parse_block
from search.space.chain import ChainOptions, ChainSpace
from search.space.distance import edit_distance
from search.space.layers import Conv, Depthwise, Pool, Sum
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite

SETTINGS = {
    "digits": ((8, 8, 1), {}),
    "pictures": ((96, 96, 3), {"max_depth": 10, "pools": ["max2", "avg2"], "strides": [1, 2, 3]}),
    "spectrogram": ((49, 10, 1), {"min_depth": 3, "max_depth": 3, "kernels": [1, 3, 7], "skips": False}),
    "one_kind": ((8, 8, 3), {"blocks": ["ir"], "filters": [16], "expansions": [1, 3], "activation": "relu"}),
    "one_pixel": ((1, 1, 8), {"smallest_side": 1}),
}


class TestChain(SpaceSuite):
    @pytest.fixture(params=SETTINGS)
    def setting(self, request: pytest.FixtureRequest) -> str:
        return request.param

    @pytest.fixture
    def input_shape(self, setting: str) -> tuple[int, ...]:
        return SETTINGS[setting][0]

    @pytest.fixture
    def space(self, setting: str, input_shape: tuple[int, ...]) -> Space:
        return make_space("chain", SETTINGS[setting][1], input_shape=input_shape, classes=4)


def chain(input_shape: tuple[int, ...] = (8, 8, 1), **options: object) -> ChainSpace:
    return ChainSpace(ChainOptions(**options), input_shape=input_shape, classes=10)


def blocks_of(text: str, space: ChainSpace | None = None) -> tuple[Block, ...]:
    return (space or chain()).blocks(Architecture("chain", text))


blocks = st.builds(
    lambda kind, kernel, filters, stride, expansion, skip, pool: Block(
        kind, kernel, filters, stride, expansion if kind == "ir" else 1, skip and kind == "ir", pool
    ),
    st.sampled_from(["conv", "ds", "ir"]),
    st.integers(1, 15),
    st.integers(1, 4096),
    st.integers(1, 4),
    st.integers(1, 16),
    st.booleans(),
    st.sampled_from(["none", "max2", "avg2"]),
)


@given(blocks)
def test_a_block_is_read_back_from_its_text(block: Block) -> None:
    assert parse_block(block.text) == block


@pytest.mark.parametrize(
    "text",
    [
        "conv3-16/1",
        "conv03-16",
        "conv3-16s",
        "conv3-16x2",
        "ir3-16",
        "ds3-0",
        "conv3-16+none",
        "conv3",
        "ir3-8x4s/2",
    ],
)
def test_text_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(BadArchitecture) as caught:
        parse_block(text)
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("conv3-16/2 conv3-16/2 conv3-16/2", "block 3: a stride of 2 is too much for a map of 2x2"),
        ("conv3-16+max2", "block 1: no pooling after the last block"),
        ("conv3-16/2+max2 conv3-16+max2 conv3-8", "block 2: a map of 2x2 is too small for pooling"),
        ("conv3-16 ir3-24x4s", "block 2: a skip needs equal shapes"),
        ("conv3-16 ir3-16x4/2s", "block 2: a skip needs equal shapes"),
        ("conv3-20", "filters 20 is not in this space (8, 16, 24, 32, 48, 64)"),
        ("conv7-16", "kernel 7 is not in this space (3, 5)"),
        ("ir3-16x3", "expansion 3 is not in this space (2, 4)"),
        ("conv3-8 " * 6 + "conv3-8", "has 7 blocks, expected 1 to 6"),
    ],
)
def test_the_error_says_which_rule_is_broken(text: str, why: str) -> None:
    with pytest.raises(BadArchitecture) as caught:
        blocks_of(text)
    assert why in caught.value.message


def test_the_remedy_is_a_valid_architecture() -> None:
    with pytest.raises(BadArchitecture) as caught:
        blocks_of("conv3-16/2 conv3-16/2 conv3-16/2+max2")
    assert caught.value.remedy == 'valid is "conv3-16/2 conv3-16/2 conv3-16"'


def test_blocks_decode_to_their_layers() -> None:
    made = chain().layers(Architecture("chain", "conv3-16/2+max2 ds5-24 ir3-24x4s"))
    kinds = [type(layer).__name__ for layer in made]
    assert kinds == [
        "Conv", "Pool", "Depthwise", "Conv", "Conv", "Depthwise", "Conv", "Sum",
        "GlobalAverage", "Dense", "ClassProbabilities",
    ]  # fmt: skip
    stem, pool, depthwise, pointwise, expand, inside, project, added = made[:8]
    assert stem == Conv("b1_conv", ("input",), 16, 3, 2, "relu6")
    assert pool == Pool("b1_pool", ("b1_conv",), "max", 2)
    assert depthwise == Depthwise("b2_depthwise", ("b1_pool",), 5, 1, "relu6")
    assert pointwise == Conv("b2_pointwise", ("b2_depthwise",), 24, 1, 1, "relu6")
    assert expand == Conv("b3_expand", ("b2_pointwise",), 96, 1, 1, "relu6")
    assert inside == Depthwise("b3_depthwise", ("b3_expand",), 3, 1, "relu6")
    assert project == Conv("b3_project", ("b3_depthwise",), 24, 1, 1, "none")
    assert added == Sum("b3_add", ("b2_pointwise", "b3_project"))


def test_every_gene_is_reached_by_sampling_and_by_mutation() -> None:
    space = chain((32, 32, 3), pools=("max2", "avg2"))
    rng = np.random.default_rng(0)
    sampled = [block for _ in range(300) for block in space.blocks(space.sample(rng))]
    walked, place = [], space.sample(rng)
    for _ in range(1500):
        place = space.mutate(place, rng)
        walked.extend(space.blocks(place))
    for seen in (sampled, walked):
        assert {block.kind for block in seen} == {"conv", "ds", "ir"}
        assert {block.filters for block in seen} == set(space.options.filters)
        assert {block.pool for block in seen} == {"none", "max2", "avg2"}
        assert {(block.kernel, block.stride) for block in seen} == {(3, 1), (3, 2), (5, 1), (5, 2)}
        assert {(b.expansion, b.skip) for b in seen if b.kind == "ir"} == {
            (2, False), (2, True), (4, False), (4, True)
        }  # fmt: skip
    assert {len(space.blocks(space.sample(rng))) for _ in range(200)} == {1, 2, 3, 4, 5, 6}


def test_a_lone_architecture_has_no_neighbour() -> None:
    space = chain(blocks=("conv",), kernels=(3,), strides=(1,), filters=(8,), pools=(), max_depth=1)
    only = Architecture("chain", "conv3-8")
    assert space.mutate(only, np.random.default_rng(0)) == only


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_neighbour_is_found(seed: int) -> None:
    # Strides and pooling are refused on so small a map, so that nearly all free moves lead back.
    space = chain((2, 2, 1), blocks=("conv",), kernels=(3,), strides=(1, 2, 3, 4), filters=(8,), max_depth=2)
    parent = Architecture("chain", "conv3-8")
    assert space.mutate(parent, np.random.default_rng(seed)) == Architecture("chain", "conv3-8 conv3-8")


def test_a_child_has_the_head_of_one_parent_and_the_tail_of_the_other() -> None:
    space = chain((32, 32, 3))
    a, b = "conv3-8 conv3-16 conv3-24", "ds5-64 ds5-48 ds5-32 ds5-24"
    rng = np.random.default_rng(0)
    for _ in range(100):
        child = space.crossover(Architecture("chain", a), Architecture("chain", b), rng).text.split(" ")
        cut = sum(text.startswith("conv") for text in child)
        assert child[:cut] == a.split(" ")[:cut]
        assert child[cut:] == b.split(" ")[len(b.split(" ")) - (len(child) - cut) :]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("conv3-8", "conv3-8 conv3-8", 1.0),
        ("conv3-8", "conv5-8", 1 / 7),
        ("conv3-8", "conv3-64", 1 / 7),  # from the least to the most filters: one whole gene
        ("conv3-8", "conv3-16", 1 / 3 / 7),  # one of three octaves
        ("conv3-8", "ds3-8", 1 / 7),
        ("conv3-8", "conv3-8/2", 1 / 7),
        ("ir3-8x2", "ir3-8x4", 1 / 7),
        ("conv3-8 ir3-8x2", "conv3-8 ir3-8x2s", 1 / 7),
        ("conv3-8 conv3-8", "conv3-8+max2 conv3-8", 1 / 7),
        ("conv3-8 ds3-16 conv3-8", "conv3-8 conv3-8", 1.0),
    ],
)
def test_distance_weighs_blocks_and_genes(a: str, b: str, expected: float) -> None:
    assert chain().distance(Architecture("chain", a), Architecture("chain", b)) == pytest.approx(expected)


@settings(max_examples=60)
@given(*[st.text("abc", max_size=6)] * 3)
def test_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    def replace(x: str, y: str) -> float:
        return abs(ord(x) - ord(y)) * 0.75

    ab, bc, ac = (edit_distance(x, y, replace) for x, y in ((a, b), (b, c), (a, c)))
    assert (ab == 0) == (a == b)
    assert ab == edit_distance(b, a, replace)
    assert ac <= ab + bc + 1e-12
    assert abs(len(a) - len(b)) <= ab <= max(len(a), len(b)) * 1.5


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        ({"strides": [2]}, "strides", "a list that holds 1"),
        ({"min_depth": 5, "max_depth": 4}, "min_depth", "at most max_depth = 4"),
        ({"filters": []}, "filters", "number of items >= 1"),
        ({"filters": [8, 0]}, "filters", "got 0, expected a whole number >= 1"),
        ({"kernels": [3.5]}, "kernels", "got 3.5, expected a whole number"),
        ({"kernels": 3}, "kernels", "got 3, expected a list"),
        ({"skips": 1}, "skips", "got 1, expected true or false"),
        ({"pools": ["max3"]}, "pools", 'got "max3", expected one of "none", "max2", "avg2"'),
        ({"filter": [8]}, "filter", "unknown key"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], key: str, words: str) -> None:
    with pytest.raises(BadOption) as caught:
        space_options("chain", options)
    assert caught.value.key == (key,)
    assert words in caught.value.message


def test_the_order_of_choices_means_nothing() -> None:
    assert ChainOptions(filters=[32, 8, 8], kernels=[5, 3]) == ChainOptions(filters=(8, 32), kernels=(3, 5))


def test_default_filters_are_multiples_of_four() -> None:
    assert all(filters % 4 == 0 for filters in ChainOptions().filters)


@pytest.mark.parametrize(("shape", "classes"), [((8, 8), 10), ((8, 0, 1), 10), ((8, 8, 1), 0)])
def test_data_that_suit_no_chain_are_refused(shape: tuple[int, ...], classes: int) -> None:
    with pytest.raises(BadOption, match="chain"):
        make_space("chain", {}, input_shape=shape, classes=classes)


def test_an_unknown_space_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadOption) as caught:
        make_space("chian", {}, input_shape=(8, 8, 1), classes=10)
    assert "did you mean 'chain'?" in str(caught.value.remedy)


def test_the_table_names_each_space_as_it_names_itself() -> None:
    for name, kind in SPACES.items():
        if name == "keras_tuner":  # needs a user's HyperModel: tests/search/test_keras_tuner_space.py
            continue
        shape = (16, 1, 3) if name == "series" else (16, 16, 3)
        made = kind.make(kind.options(), input_shape=shape, classes=3)
        assert made.name == name
