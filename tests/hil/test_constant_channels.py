"""Which channels go, which stay, and what is left is told apart from the original."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from hil.devices.simulated import SimulatedDevice
from hil.errors import InputError
from hil.graph import Graph, Operator, read
from hil.macs import model_macs
from hil.optimize import Reduction, apply, remove_constant_channels
from tests.support.tflite_builder import Builder, TensorRef

MODELS = Path(hil.__file__).resolve().parents[2] / "shared" / "models"
DEVICE = "simulated:nrf52840_dk"
FAR = 1 << 24

Array = np.ndarray[Any, Any]


class Network:
    """A Builder of layers whose output channels are constant on demand."""

    def __init__(self, channels: int = 2) -> None:
        self.b = Builder()
        self.random = np.random.default_rng(7)
        self.x = self.b.input((1, 6, 6, channels), scale=0.05, zero_point=3)

    def weights(self, *shape: int) -> Array:
        data = self.random.integers(1, 128, shape) * self.random.choice([-1, 1], shape)
        return np.asarray(data)

    def conv(
        self, x: TensorRef, outputs: int, dead: Sequence[int] = (), *, kernel: int = 1, high: bool = False,
        weights: Array | None = None, **rest: Any,
    ) -> TensorRef:  # fmt: skip
        """Channels `dead` are constant -128, the zero point; or 127 where `high`."""
        return self.b.conv2d(
            x,
            self.weights(outputs, kernel, kernel, x.shape[3]) if weights is None else weights,
            self.bias(outputs, dead, high),
            weight_scales=[0.01 + 0.001 * k for k in range(outputs)],
            out_scale=0.05,
            **{"out_zero_point": -128, "activation": "RELU", **rest},
        )

    def depthwise(self, x: TensorRef, dead: Sequence[int] = (), *, multiplier: int = 1) -> TensorRef:
        outputs = x.shape[3] * multiplier
        return self.b.depthwise_conv2d(
            x,
            self.weights(1, 3, 3, outputs),
            self.bias(outputs, dead, False),
            weight_scales=[0.01 + 0.001 * k for k in range(outputs)],
            out_scale=0.05,
            out_zero_point=-128,
            activation="RELU",
        )

    def dense(self, x: TensorRef, outputs: int, dead: Sequence[int] = ()) -> TensorRef:
        return self.b.fully_connected(
            x,
            self.weights(outputs, x.shape[-1]),
            self.bias(outputs, dead, False),
            weight_scales=[0.01],
            out_scale=0.5,
            out_zero_point=0,
        )

    def bias(self, outputs: int, dead: Sequence[int], high: bool) -> Array:
        bias = self.random.integers(-300, 300, outputs)
        bias[list(dead)] = FAR if high else -FAR
        return np.asarray(bias)

    def read(self, output: TensorRef) -> Graph:
        return read(self.b.finish(output))


def channels(graph: Graph) -> list[int]:
    """Of the output of each operator."""
    return [graph.tensors[operator.output].shape[-1] for operator in graph.operators]


def weights_of(graph: Graph, operator: Operator) -> Array:
    return np.asarray(graph.tensors[operator.inputs[1]].data)


def bias_of(graph: Graph, operator: Operator) -> Array:
    return np.asarray(graph.tensors[operator.inputs[2]].data)


def test_a_constant_channel_leaves_its_layer_and_the_next() -> None:
    n = Network()
    before = n.read(n.conv(n.conv(n.x, 9, [1, 2, 4, 7, 8], high=True), 3, kernel=1))
    after = remove_constant_channels(before)
    assert channels(before) == [9, 3]
    assert channels(after) == [4, 3]
    live = [0, 3, 5, 6]
    first, second = after.operators
    np.testing.assert_array_equal(weights_of(after, first), weights_of(before, before.operators[0])[live])
    np.testing.assert_array_equal(bias_of(after, first), bias_of(before, before.operators[0])[live])
    whole = weights_of(before, before.operators[1])
    np.testing.assert_array_equal(weights_of(after, second), whole[..., live])
    folded = (127 - -128) * np.delete(whole, live, axis=3).astype(np.int64).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(
        bias_of(after, second), bias_of(before, before.operators[1]).astype(np.int64) + folded
    )
    scales = before.tensors[before.operators[0].inputs[1]].quantization
    left = after.tensors[first.inputs[1]].quantization
    assert scales is not None
    assert left is not None
    assert left.scale == tuple(scales.scale[k] for k in live)
    assert model_macs(after) == 36 * (4 * 2 + 3 * 4)


def test_input_and_output_keep_their_shape_and_the_graph_is_whole() -> None:
    n = Network(channels=8)
    before = n.read(n.conv(n.conv(n.x, 12, range(8)), 8, range(8)))
    after = remove_constant_channels(before)
    assert after.input_tensor.shape == before.input_tensor.shape
    assert after.output_tensor.shape == before.output_tensor.shape
    assert [tensor.index for tensor in after.tensors] == list(range(len(after.tensors)))
    for tensor in after.tensors:
        if tensor.data is not None:
            assert tensor.data.shape == tensor.shape
            assert not tensor.data.flags.writeable
    assert after.flatbuffer == before.flatbuffer


@pytest.mark.parametrize(
    ("outputs", "dead", "left"),
    [(8, 1, 8), (8, 4, 4), (9, 3, 8), (16, 5, 12), (16, 16, 4), (3, 3, 3), (6, 5, 4)],
)
def test_a_multiple_of_four_is_kept(outputs: int, dead: int, left: int) -> None:
    n = Network()
    after = remove_constant_channels(n.read(n.dense(n.b.mean(n.conv(n.x, outputs, range(dead)), (1, 2)), 2)))
    assert channels(after)[0] == left


def test_at_a_border_only_the_zero_point_can_go() -> None:
    def left(*, padding: str, high: bool) -> int:
        n = Network()
        dead = n.conv(n.x, 8, range(4), high=high)
        after = remove_constant_channels(n.read(n.conv(dead, 4, kernel=3, padding=padding)))
        return channels(after)[0]

    assert left(padding="SAME", high=False) == 4
    assert left(padding="VALID", high=True) == 4
    assert left(padding="SAME", high=True) == 8


def test_a_depthwise_channel_takes_its_input_along_whatever_that_is() -> None:
    n = Network()
    after = remove_constant_channels(n.read(n.conv(n.depthwise(n.conv(n.x, 8), range(4)), 4)))
    assert channels(after) == [4, 4, 4]


def test_a_constant_that_varies_behind_a_depthwise_layer_stays() -> None:
    n = Network()
    graph = n.read(n.conv(n.depthwise(n.conv(n.x, 8, range(4), high=True)), 4))
    assert remove_constant_channels(graph) is graph


def test_both_outputs_of_an_input_channel_have_to_be_constant() -> None:
    n = Network()
    wide = n.depthwise(n.conv(n.x, 8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14], multiplier=2)
    after = remove_constant_channels(n.read(n.conv(wide, 4)))
    assert channels(after) == [4, 8, 4]


def test_a_channel_that_nobody_reads_goes_although_it_varies() -> None:
    n = Network()
    blind = n.weights(4, 3, 3, 8)
    blind[..., 2:6] = 0
    after = remove_constant_channels(n.read(n.conv(n.conv(n.x, 8), 4, kernel=3, weights=blind)))
    assert channels(after) == [4, 4]


def test_what_was_read_by_constant_channels_only_goes_with_them() -> None:
    n = Network()
    lonely = n.weights(8, 1, 1, 8)
    lonely[4:, ..., :4] = 0  # the first four channels feed the first four of the next layer, which are dead
    middle = n.conv(n.conv(n.x, 8), 8, range(4), weights=lonely)
    after = remove_constant_channels(n.read(n.conv(middle, 4)))
    assert channels(after) == [4, 4, 4]


def test_a_sum_loses_a_channel_only_with_both_of_its_terms() -> None:
    def left(dead_a: Sequence[int], dead_b: Sequence[int]) -> list[int]:
        n = Network()
        a, b = n.conv(n.x, 8, dead_a), n.conv(n.x, 8, dead_b)
        y = n.b.add(a, b, out_scale=0.1, out_zero_point=-128)
        return channels(remove_constant_channels(n.read(n.conv(y, 4))))

    assert left(range(4), range(4)) == [4, 4, 4, 4]
    assert left(range(4), range(4, 8)) == [8, 8, 8, 4]


def test_columns_behind_a_flatten_go_at_every_place() -> None:
    n = Network()
    flat = n.b.reshape(n.conv(n.x, 8, [0, 2, 4, 6]), (1, 6 * 6 * 8))
    before = n.read(n.dense(flat, 3))
    after = remove_constant_channels(before)
    assert channels(after) == [4, 6 * 6 * 4, 3]
    whole = weights_of(before, before.operators[2]).reshape(3, 36, 8)
    np.testing.assert_array_equal(
        weights_of(after, after.operators[2]).reshape(3, 36, 4), whole[..., [1, 3, 5, 7]]
    )


def test_a_dense_layer_reads_a_map_as_whole_pixels_or_keeps_all_of_it() -> None:
    def dense(n: Network, x: TensorRef, features: int) -> TensorRef:
        return n.b.fully_connected(
            x, n.weights(2, features), [0, 0], weight_scales=[0.01], out_scale=0.5, out_zero_point=0
        )

    for features, left in ((6 * 6 * 8, 4), (8, 4), (12, 8)):
        n = Network()
        after = remove_constant_channels(n.read(dense(n, n.conv(n.x, 8, range(4)), features)))
        assert channels(after)[0] == left, features


@pytest.mark.parametrize("pool", ["average_pool2d", "max_pool2d", "mean", "pad"])
def test_pools_means_and_pads_let_a_channel_go(pool: str) -> None:
    n = Network()
    x = n.conv(n.x, 8, range(4))
    if pool == "mean":
        y = n.b.mean(x, (1, 2), keep_dims=True)
    elif pool == "pad":
        y = n.b.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    else:
        y = getattr(n.b, pool)(x, (2, 2))
    assert channels(remove_constant_channels(n.read(n.conv(y, 4)))) == [4, 4, 4]


def test_a_concatenation_loses_channels_of_its_parts_and_a_constant_part_whole() -> None:
    n = Network()
    a, b = n.conv(n.x, 8, range(4)), n.conv(n.x, 8, [5, 6])
    part = n.b.constant(np.full((1, 6, 6, 3), -128), dtype="int8", scale=0.05, zero_point=-128)
    before = n.read(n.conv(n.b.concatenation([a, part, b], axis=3), 4))
    after = remove_constant_channels(before)
    assert channels(before) == [8, 8, 19, 4]
    assert channels(after) == [4, 8, 12, 4]
    assert len(after.operators[2].inputs) == 2


def test_constant_operands_are_cut_to_fit() -> None:
    n = Network()
    shift = np.array([-128, 3, -128, 5, -128, 7, -128, 9])
    operand = n.b.constant(shift, dtype="int8", scale=0.05, zero_point=-128)
    y = n.b.add(n.conv(n.x, 8, [0, 2, 4, 6]), operand, out_scale=0.1, out_zero_point=-128)
    after = remove_constant_channels(n.read(n.conv(y, 4)))
    assert channels(after) == [4, 4, 4]
    np.testing.assert_array_equal(np.asarray(after.tensors[after.operators[1].inputs[1]].data), [3, 5, 7, 9])


def test_a_bias_that_would_wrap_is_left_alone() -> None:
    n = Network()
    x = n.conv(n.x, 8, range(4), high=True)
    y = n.b.conv2d(
        x,
        np.full((4, 1, 1, 8), 127),
        [(1 << 31) - 1] * 4,
        weight_scales=[0.01],
        out_scale=0.05,
        out_zero_point=0,
    )
    graph = n.read(y)
    assert remove_constant_channels(graph) is graph


def test_a_network_without_constant_channels_is_left_as_it_is() -> None:
    n = Network()
    graph = n.read(n.dense(n.b.reshape(n.depthwise(n.conv(n.x, 8)), (1, 288)), 3))
    assert remove_constant_channels(graph) is graph
    assert str(Reduction.between(graph, graph)) == "removed none of 19 channels"


def test_a_second_time_finds_nothing() -> None:
    n = Network()
    once = remove_constant_channels(n.read(n.conv(n.depthwise(n.conv(n.x, 14, range(5))), 4)))
    assert remove_constant_channels(once) is once


def prunable() -> bytes:
    """9 channels of which 5 are constant, then 3: 1,620 MACs, 720 without them."""
    n = Network()
    return n.b.finish(n.conv(n.conv(n.x, 9, range(5)), 3))


def test_digest_tells_the_graphs_apart_and_is_the_same_each_time() -> None:
    before = read(prunable())
    after = apply(before, ("constant-channels",))
    assert after.digest == hashlib.sha256(f"{before.digest}:constant-channels".encode()).hexdigest()
    assert apply(before, ()) is before


def test_measurement_says_what_was_removed_and_where_it_came_from() -> None:
    plain = hil.measure(prunable(), device=DEVICE)
    lean = hil.measure(prunable(), device=DEVICE, optimize=("constant-channels",), per_layer=True)
    assert plain.macs == 36 * 45
    assert lean.macs == 36 * 20
    assert [layer.macs for layer in lean.layers] == [36 * 8, 36 * 12]
    assert lean.origin.model_digest != plain.origin.model_digest
    assert lean.origin.image_digest != plain.origin.image_digest
    assert lean.check.passed
    assert lean.check.output_digest == plain.check.output_digest
    assert "optimize" in lean.stages_s
    assert "constant_channels" not in plain.origin.settings
    settings = lean.origin.settings
    assert settings["constant_channels"] == 1.0
    reduction = Reduction.from_settings(settings)
    assert reduction == Reduction(7, 12, 36 * 20, 36 * 45)
    assert str(reduction) == "removed 5 of 12 channels, MACs 1.62 k -> 720"
    assert Reduction.from_settings(plain.origin.settings) is None


def test_compile_model_takes_the_option_too() -> None:
    lean = hil.compile_model(prunable(), optimize=("constant-channels",))
    assert lean.weight_bytes < hil.compile_model(prunable()).weight_bytes
    assert model_macs(lean.graph) == 36 * 20


def test_unknown_optimizations_are_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedDevice, "build", None)
    with pytest.raises(InputError, match="constant-chanels") as caught:
        hil.measure(b"nothing", device="no device", optimize=("constant-chanels",))
    assert "constant-channels" in (caught.value.remedy or "")
    with pytest.raises(InputError, match="expected a sequence"):
        hil.measure(prunable(), device=DEVICE, optimize="constant-channels")


def test_random_ranges_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Keras model without data; quantizing one takes TensorFlow, so only its outcome stands in."""
    monkeypatch.setattr("hil.api._quantize", lambda model, representative: prunable())
    with pytest.raises(InputError, match="representative data"):
        hil.measure("model.keras", device=DEVICE, optimize=("constant-channels",))
    lean = hil.measure(
        "model.keras", device=DEVICE, representative=np.zeros((1, 6, 6, 2)), optimize=("constant-channels",)
    )
    assert lean.macs == 36 * 20


@pytest.mark.parametrize("name", ["kws", "ic", "ad", "vww"])
def test_reference_models(name: str) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    before = read(path)
    after = remove_constant_channels(before)
    if name == "vww":
        assert model_macs(before) == 7_489_664
        assert model_macs(after) <= 4_000_000
        assert all(count % 4 == 0 for count in channels(after)[:-2])
        assert prod(after.output_tensor.shape) == 2
    else:
        assert after is before
