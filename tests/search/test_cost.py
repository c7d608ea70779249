"""The analytic cost: by hand, against a second way of counting, and against the compiler's own figures."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from search.errors import BadArchitecture
from search.space import make_space
from search.space.base import Architecture, Cost
from search.space.cost import count, output_shapes
from search.space.layers import (
    ClassProbabilities,
    Conv,
    Dense,
    Depthwise,
    Flat,
    GlobalAverage,
    Layer,
    Pool,
    Sum,
)


def digits_cost(text: str) -> Cost:
    space = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    return space.cost(Architecture("chain", text))


def test_a_convolution_by_hand() -> None:
    cost = digits_cost("conv3-16/2")
    weights = 3 * 3 * 1 * 16 + 16 * 10
    assert cost == Cost(
        parameters=weights + 16 + 10,
        macs=4 * 4 * 3 * 3 * 16 + 16 * 10,
        weight_bytes=weights + 4 * (16 + 10),
        peak_activation_bytes=4 * 4 * 16,  # it may lie over the image
        striped_activation_bytes=4 * 4 * 16,
    )


def test_a_separable_convolution_by_hand() -> None:
    cost = digits_cost("conv3-8 ds5-24/2")
    assert cost.macs == 64 * 9 * 8 + 16 * 25 * 8 + 16 * 8 * 24 + 24 * 10
    assert cost.parameters == 9 * 8 + 8 + 25 * 8 + 8 + 8 * 24 + 24 + 240 + 10
    assert cost.peak_activation_bytes == max(64, 512, 128, 384)


def test_a_skip_keeps_the_block_input_alive() -> None:
    # At the depthwise layer of block 2: its output over its input (32 channels each), and what the skip
    # waits for (8).
    with_skip, without = digits_cost("conv3-8 ir3-8x4s"), digits_cost("conv3-8 ir3-8x4")
    assert without.peak_activation_bytes == 64 * 32
    assert with_skip.peak_activation_bytes == 64 * (32 + 8)
    assert with_skip.macs == without.macs
    assert with_skip.parameters == without.parameters


def test_a_sum_is_written_over_an_input_that_ends_there() -> None:
    conv = Conv("a", ("input",), 4, 1, 1, "relu")
    assert count((conv, Sum("b", ("input", "a"))), (2, 2, 4)).peak_activation_bytes == 2 * 16
    # Here both inputs are read again, so that the sum needs memory of its own.
    needed_again = (conv, Sum("b", ("input", "a")), Sum("c", ("input", "b")), Sum("d", ("a", "c")))
    assert count(needed_again, (2, 2, 4)).peak_activation_bytes == 3 * 16
    # One tensor twice is one tensor.
    assert count((conv, Sum("b", ("a", "a"))), (2, 2, 4)).peak_activation_bytes == 16


def test_stride_on_an_odd_map_rounds_up_and_pooling_down() -> None:
    layers: tuple[Layer, ...] = (
        Conv("a", ("input",), 4, 3, 2, "relu"),
        Pool("b", ("a",), "max", 2),
        GlobalAverage("c", ("b",)),
    )
    assert output_shapes(layers, (9, 13, 1)) == {
        "input": (9, 13, 1), "a": (5, 7, 4), "b": (2, 3, 4), "c": (4,)
    }  # fmt: skip


def alive_bytes(layers: tuple[Layer, ...], input_shape: tuple[int, ...]) -> int:
    """Peak by definition: at each layer, all tensors written by then and still to be read, its output
    included, less what that can share with the one input ending there with which it can share most."""
    shapes = output_shapes(layers, input_shape)
    peak = prod(input_shape)
    for now, layer in enumerate(layers):
        needed_later = {name for later in layers[now + 1 :] for name in later.inputs}
        written = {"input"} | {earlier.name for earlier in layers[:now]}
        alive = {name for name in written if name in needed_later or name in layer.inputs}
        total = sum(prod(shapes[name]) for name in alive) + prod(shapes[layer.name])
        ending = [prod(shapes[name]) for name in layer.inputs if name not in needed_later]
        shared = [min(size, prod(shapes[layer.name])) for size in ending]
        peak = max(peak, total - max(shared, default=0))
    return peak


@pytest.mark.parametrize("shape", [(8, 8, 1), (49, 10, 1), (96, 96, 3)])
def test_peak_is_the_largest_sum_of_living_tensors(shape: tuple[int, int, int]) -> None:
    space = make_space("chain", {"filters": [8, 16]}, input_shape=shape, classes=5)
    rng = np.random.default_rng(1)
    for _ in range(150):
        architecture = space.sample(rng)
        layers = space.layers(architecture)
        assert space.cost(architecture).peak_activation_bytes == alive_bytes(layers, shape), architecture.text


def test_other_layers_than_those_of_the_chain_are_counted() -> None:
    layers: tuple[Layer, ...] = (
        Conv("left", ("input",), 4, 1, 1, "relu"),
        Depthwise("right", ("input",), 3, 1, "relu"),
        Sum("sum", ("left", "right")),
        Flat("flat", ("sum",)),
        Dense("classes", ("flat",), 3, "none"),
        ClassProbabilities("out", ("classes",)),
    )
    cost = count(layers, (2, 2, 4))
    assert cost.macs == 4 * 16 + 4 * 9 * 4 + 16 * 3
    assert cost.parameters == 16 + 4 + 36 + 4 + 48 + 3
    assert cost.peak_activation_bytes == alive_bytes(layers, (2, 2, 4)) == 32


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((Conv("a", ("nowhere",), 4, 1, 1, "relu"),), "'a' reads 'nowhere'"),
        ((Pool("a", ("input",), "max", 5),), "pools 5x5 of a map of (4, 4, 2)"),
        ((Dense("a", ("input",), 5, "relu"),), "needs 1 dimensions"),
        ((Conv("a", ("input",), 4, 1, 2, "relu"), Sum("b", ("input", "a"))), "different shapes"),
        ((Layer("a", ("input",)),), "does not know Layer"),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(layers: tuple[Layer, ...], words: str) -> None:
    with pytest.raises(BadArchitecture) as caught:
        count(layers, (4, 4, 2))
    assert words in caught.value.message


@pytest.mark.slow
@pytest.mark.parametrize("text", ["conv3-16/2+max2 ds5-24 ir3-24x4s", "ir5-8x4+avg2 ir3-16x2/2 ir3-16x4s"])
def test_the_cost_is_that_of_the_compiled_network(text: str) -> None:
    from hil.codegen import generate
    from hil.graph import read
    from hil.macs import model_macs
    from hil.memory import Needs, Overlap, plan
    from hil.quantize import quantize
    from search import network

    space = make_space("chain", {"pools": ["max2", "avg2"]}, input_shape=(8, 8, 1), classes=10)
    architecture = Architecture("chain", text)
    model = network.build(space.layers(architecture), (8, 8, 1), seed=0)
    rng = np.random.default_rng(0)
    for weight in model.weights:  # as if trained: the converter leaves out biases that are all zero
        weight.assign(weight.numpy() + rng.uniform(0.1, 0.2, weight.shape))
    graph = read(quantize(model, rng.random((32, 8, 8, 1)).astype(np.float32)))
    constants = {index for operator in graph.operators for index in operator.inputs}
    stored = sum(graph.tensors[index].size_bytes for index in constants if graph.tensors[index].is_constant)
    cost = space.cost(architecture)
    assert cost.macs == model_macs(graph)
    assert cost.weight_bytes == stored
    assert cost.peak_activation_bytes <= generate(graph).plan.arena_bytes
    # What the planner would need if kernels had no scratch and could lay their outputs anywhere on an input.
    anywhere = Needs(overlap=Overlap(0, lead_bytes=-graph.input_tensor.elements * 1000))
    least_bytes = plan(graph, [anywhere] * len(graph.operators)).arena_bytes
    assert cost.peak_activation_bytes <= least_bytes <= 1.02 * cost.peak_activation_bytes
