"""Interval analysis: the truth is never outside, and the bounds are reached where they can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codegen import sigmoid
from hil.codegen.fixed_point import Factor
from hil.graph import Graph, read
from hil.optimize.intervals import Interval, intervals, multiply_by_factor
from tests.support.dead_channels import dead_networks
from tests.support.operator_cases import KINDS
from tests.support.operator_models import Case, Scale, conv2d, depthwise_conv2d, fully_connected
from tests.support.tflite_builder import Builder, truth

pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")

CORNERS = (-128, 127, 0)


def of_output(graph: Graph) -> Interval:
    return intervals(graph)[graph.output]


def assert_holds(case: Case) -> None:
    """For the case's input, and for inputs that are the same everywhere."""
    graph = read(case.model)
    interval = of_output(graph)
    for data in (case.data, *(np.full_like(case.data, value) for value in CORNERS)):
        output = truth(case.model, data).reshape(-1, len(interval.low))
        assert (interval.low <= output.min(axis=0)).all()
        assert (output.max(axis=0) <= interval.high).all()


@settings(max_examples=300)
@given(
    value=st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-300, 300),
    multiplier=st.just(1 << 30) | st.integers(1 << 30, (1 << 31) - 1),
    shift=st.integers(-31, 0),
)
def test_factors_round_twice_as_the_compiler_does(value: int, multiplier: int, shift: int) -> None:
    """A multiplier of 2^30 makes ties."""
    expected = sigmoid.multiply_by_factor(value, Factor(multiplier, shift))
    assert multiply_by_factor(*(np.int64([n]) for n in (value, multiplier, shift))) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_truth_of_an_operator_is_within(kind: str) -> None:
    @settings(max_examples=40)
    @given(case=KINDS[kind])
    def holds(case: Case) -> None:
        assert_holds(case)

    holds()


@settings(max_examples=30)
@given(case=dead_networks)
def test_truth_of_a_network_is_within(case: Case) -> None:
    assert_holds(case)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["conv2d", "depthwise", "dense", "dense per channel"]),
    activation=st.sampled_from(["NONE", "RELU", "RELU6"]),
    zero_points=st.tuples(st.integers(-128, 127), st.integers(-128, 127)),
    spread=st.sampled_from([0.1, 1.0, 4.0]),
)
def test_bounds_of_sums_are_reached(
    seed: int, kind: str, activation: str, zero_points: tuple[int, int], spread: float
) -> None:
    """Without padding the worst input of each channel follows from the signs of its weights."""
    x, zero_point = Scale(0.05, zero_points[0]), zero_points[1]
    channels = 5
    if kind == "conv2d":
        case = conv2d(
            seed, (2, 3), (3, channels), (2, 3), (1, 1), (1, 1), "VALID", activation, x, zero_point,
            spread=spread,
        )  # fmt: skip
    elif kind == "depthwise":
        case = depthwise_conv2d(
            seed, (3, 2), channels, 1, (3, 2), (1, 1), (1, 1), "VALID", activation, x, zero_point,
            spread=spread,
        )  # fmt: skip
    else:
        per_channel = kind.endswith("per channel")
        case = fully_connected(seed, 1, 20, channels, activation, x, zero_point, per_channel, spread=spread)
    graph = read(case.model)
    interval = of_output(graph)
    weights = np.asarray(graph.tensors[graph.operators[0].inputs[1]].data)
    for channel in range(channels):
        row = weights if kind == "depthwise" else weights[channel]
        highest = np.where(row.reshape(case.data.shape) > 0, 127, -128).astype(np.int8)
        assert truth(case.model, highest).reshape(-1)[channel] == interval.high[channel]
        assert truth(case.model, ~highest).reshape(-1)[channel] == interval.low[channel]


@settings(max_examples=40)
@given(
    operator=st.sampled_from(["add", "sub"]),
    scales=st.tuples(st.floats(0.01, 0.2), st.floats(0.01, 0.2)),
    zero_points=st.tuples(st.integers(-128, 127), st.integers(-128, 127), st.integers(-128, 127)),
)
def test_bounds_of_a_sum_with_constants_are_reached(
    operator: str, scales: tuple[float, float], zero_points: tuple[int, int, int]
) -> None:
    values = np.array([-128, -1, 0, 127])
    b = Builder()
    x = b.input((1, 1, 1, 4), scale=scales[0], zero_point=zero_points[0])
    y = b.constant(values, dtype="int8", scale=scales[1], zero_point=zero_points[1])
    model = b.finish(getattr(b, operator)(x, y, out_scale=0.3, out_zero_point=zero_points[2]))
    interval = of_output(read(model))
    for value, bound in ((-128, interval.low), (127, interval.high)):
        data = np.full((1, 1, 1, 4), value, np.int8)
        np.testing.assert_array_equal(truth(model, data).reshape(-1), bound)


@pytest.mark.parametrize("kind", ["logistic", "tanh", "hard_swish", "leaky_relu", "relu", "quantize"])
def test_bounds_of_a_function_of_one_value_are_those_of_all_its_values(kind: str) -> None:
    @settings(max_examples=10)
    @given(case=KINDS[kind])
    def equal(case: Case) -> None:
        graph = read(case.model)
        interval = of_output(graph)
        bytes_ = np.arange(-128, 128).astype(np.int8)
        shape = graph.input_tensor.shape
        outputs = [truth(case.model, np.full(shape, value, np.int8)).reshape(-1)[0] for value in bytes_]
        assert (interval.low == min(outputs)).all()
        assert (interval.high == max(outputs)).all()

    equal()


def conv_1x1(bias: int, *, activation: str = "NONE", out_zero_point: int = 0) -> bytes:
    b = Builder()
    x = b.input((1, 2, 2, 1), scale=0.1, zero_point=0)
    y = b.conv2d(
        x,
        np.full((1, 1, 1, 1), 100),
        [bias],
        weight_scales=[0.01],
        out_scale=0.001,
        out_zero_point=out_zero_point,
        activation=activation,
    )
    return b.finish(y)


def test_where_sums_may_wrap_nothing_is_claimed() -> None:
    steady = of_output(read(conv_1x1((1 << 31) - 1 - 127 * 100)))
    assert (steady.low, steady.high) == (127, 127)
    wrapping = of_output(read(conv_1x1((1 << 31) - 127 * 100)))
    assert (wrapping.low, wrapping.high) == (-128, 127)
    clamped = of_output(read(conv_1x1((1 << 31) - 1, activation="RELU", out_zero_point=-5)))
    assert (clamped.low, clamped.high) == (-5, 127)


def test_padding_is_part_of_what_a_window_sees() -> None:
    """A channel that is always 50 meets zero points of 0 at the border, so that sums of it vary."""
    b = Builder()
    x = b.input((1, 4, 4, 1), scale=0.1, zero_point=0)
    steady = b.conv2d(
        x, np.zeros((1, 1, 1, 1)), [50], weight_scales=[0.1], out_scale=0.01, out_zero_point=0, name="steady"
    )
    common = {"weight_scales": [1.0], "out_scale": 0.09, "out_zero_point": 0}
    inside = b.conv2d(steady, np.ones((1, 3, 3, 1)), [0], padding="VALID", **common)
    b.conv2d(steady, np.ones((1, 3, 3, 1)), [0], padding="SAME", name="outside", **common)
    graph = read(b.finish(inside))
    found = {graph.tensors[index].name: interval for index, interval in intervals(graph).items()}
    assert (found["steady"].low, found["steady"].high) == (50, 50)
    inner = intervals(graph)[graph.output]
    assert (inner.low, inner.high) == (50, 50)
    assert (found["outside"].low, found["outside"].high) == (0, 50)
