"""Layer lists become Keras models that convert to supported int8 operators and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hil.api import compile_model
from hil.graph import read
from hil.quantize import quantize
from search import network
from search.datasets import load
from search.errors import BadArchitecture
from search.space import make_space
from search.space.layers import (
    ClassProbabilities,
    Conv,
    Dense,
    Depthwise,
    Flat,
    GlobalAverage,
    Layer,
    Pool,
    Side,
    Sum,
)

SHAPE = (9, 7, 3)
EVERY_LAYER: tuple[Layer, ...] = (
    Conv("stem", ("input",), 8, 3, 2, "relu"),
    Depthwise("deep", ("stem",), 5, 1, "relu6"),
    Conv("point", ("deep",), 8, 1, 1, "none"),
    Sum("sum", ("stem", "point")),
    Pool("max", ("sum",), "max", 2),
    Conv("wide", ("max",), 12, 3, 1, "relu6"),
    Pool("mean", ("wide",), "average", 2),
    Flat("flat", ("mean",)),
    Dense("hidden", ("flat",), 16, "relu"),
    Dense("classes", ("hidden",), 4, "none"),
    ClassProbabilities("probabilities", ("classes",)),
)


def samples(count: int = 32, shape: tuple[int, int, int] = SHAPE) -> Any:
    return np.random.default_rng(5).random((count, *shape), dtype=np.float32)


def settled(layers: tuple[Layer, ...], *, seed: int = 1, shape: tuple[int, int, int] = SHAPE) -> Any:
    model = network.build(layers, shape, seed=seed)
    network.settle(model, samples(shape=shape))
    return model


def test_every_layer_converts_without_padding_or_loose_normalisation() -> None:
    graph = read(quantize(settled(EVERY_LAYER), samples()))
    # Flattening one pixel needs no RESHAPE; the converter leaves it out.
    assert [operator.name for operator in graph.operators if operator.name != "RESHAPE"] == [
        *("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "ADD", "MAX_POOL_2D", "CONV_2D", "AVERAGE_POOL_2D"),
        *("FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"),
    ]
    assert graph.output_tensor.shape == (1, 4)


def test_the_same_list_and_seed_give_the_same_bytes_whatever_was_built_before() -> None:
    first = quantize(settled(EVERY_LAYER), samples())
    network.build(EVERY_LAYER, SHAPE, seed=9)
    network.forget_models()
    assert quantize(settled(EVERY_LAYER), samples()) == first
    assert quantize(settled(EVERY_LAYER, seed=2), samples()) != first


def test_a_network_whose_first_weights_are_all_negative_is_not_dead() -> None:
    layers = (
        Conv("stem", ("input",), 2, 1, 1, "relu6"),
        Conv("next", ("stem",), 8, 3, 1, "relu6"),
        GlobalAverage("average", ("next",)),
        Dense("classes", ("average",), 10, "none"),
        ClassProbabilities("probabilities", ("classes",)),
    )
    digits = load("digits")
    model = network.build(layers, (8, 8, 1), seed=1)
    stem = model.get_layer("stem")
    stem.set_weights([-np.abs(stem.get_weights()[0])])
    network.settle(model, digits.x_train[:128])
    graph = read(quantize(model, digits.x_train))
    assert all(tensor.scale > 1e-4 for tensor in graph.tensors if not tensor.is_constant)


def test_analytic_cost_bounds_what_the_compiler_finds() -> None:
    rng = np.random.default_rng(2)
    space = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    for _ in range(4):
        architecture = space.sample(rng)
        cost = space.cost(architecture)
        program = compile_model(
            quantize(settled(space.layers(architecture), shape=(8, 8, 1)), samples(shape=(8, 8, 1)))
        )
        assert program.plan.arena_bytes >= cost.peak_activation_bytes, architecture
        assert program.weight_bytes >= cost.weight_bytes, architecture


def test_probabilities_sum_to_one() -> None:
    scores = settled(EVERY_LAYER)(samples(), training=False).numpy()
    assert scores.shape == (32, 4)
    assert np.allclose(scores.sum(axis=1), 1.0, atol=1e-5)


def test_settling_normalises_every_convolution() -> None:
    keras = network.load_keras()
    model = settled(EVERY_LAYER)
    probe = keras.Model(model.inputs, [model.get_layer(f"{name}_norm").output for name in ("stem", "wide")])
    for activations in probe([samples()], training=False):
        assert np.allclose(activations.numpy().mean(axis=(0, 1, 2)), 0, atol=0.02)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((), "empty layer list"),
        ((Conv("a", ("nowhere",), 8, 3, 1, "relu"),), "'nowhere'"),
        ((Pool("a", ("input",), "max", 20),), "layer 'a'"),
        ((Conv("a", ("input",), 8, 3, 2, "relu"), Sum("s", ("a", "input"))), "layer 's'"),
    ],
)
def test_a_list_that_is_no_network_is_refused(layers: tuple[Layer, ...], message: str) -> None:
    with pytest.raises(BadArchitecture, match=message) as caught:
        network.build(layers, SHAPE, seed=1)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("map_size", "kernel", "stride", "refused"),
    [
        ((2, 2), 2, 1, True),
        ((1, 2), (1, 2), 1, True),
        ((2, 2), 2, 2, False),  # nothing is padded
        ((2, 2), 3, 1, False),
        ((2, 4), (2, 4), 1, False),  # padded in front, too
        ((3, 3), 2, 1, False),
    ],
)
def test_a_kernel_that_tensorflow_lite_misreads_is_refused(
    map_size: tuple[int, int], kernel: Side, stride: int, refused: bool
) -> None:
    layers = (Conv("conv", ("input",), 4, kernel, stride, "relu"),)
    if refused:
        with pytest.raises(BadArchitecture, match="TensorFlow Lite cannot run a kernel"):
            network.build(layers, (*map_size, 1), seed=1)
    else:
        network.build(layers, (*map_size, 1), seed=1)


def test_a_saved_model_comes_back() -> None:
    model = settled(EVERY_LAYER)
    keras = network.load_keras()
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(network.to_bytes(model))
        again = keras.saving.load_model(path)
    assert np.array_equal(again(samples(), training=False), model(samples(), training=False))
