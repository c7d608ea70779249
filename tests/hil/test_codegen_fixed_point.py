"""Real numbers as the integers of the kernels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.codegen.fixed_point import (
    Factor,
    FactorOutOfRange,
    activation_range,
    quantize_factor,
    round_half_away,
)
from hil.codegen.geometry import broadcast_fields
from hil.codegen.kernels.mean import mean_factor
from hil.codegen.sigmoid import multiply_by_factor, sigmoid_table
from hil.graph.types import Activation, Quantization, Tensor


def output(scale: float, zero_point: int) -> Tensor:
    return Tensor(0, "output", (1, 1), "int8", Quantization((scale,), (zero_point,)))


@given(st.floats(2.0**-31, 2.0**29))
def test_factor_is_the_nearest_one(real: float) -> None:
    factor = quantize_factor(real)
    assert 1 << 30 <= factor.multiplier < 1 << 31
    assert math.ldexp(factor.multiplier, factor.shift - 31) == pytest.approx(real, rel=2.0**-31)


def test_factor_that_rounds_up_to_the_next_power_stays_in_range() -> None:
    assert quantize_factor(1.0 - 2.0**-40) == Factor(1 << 30, 1)


@pytest.mark.parametrize("real", [0.0, 2.0**-33, 1e-30])
def test_tiny_factor_becomes_zero(real: float) -> None:
    assert quantize_factor(real) == Factor(0, 0)


def test_factor_out_of_range_is_refused() -> None:
    with pytest.raises(FactorOutOfRange, match="factor 4"):
        quantize_factor(4.0, largest_shift=0)
    with pytest.raises(FactorOutOfRange):
        quantize_factor(2.0**40)


@given(st.integers(-(2**20), 2**20), st.floats(2.0**-20, 2.0**8))
def test_product_is_within_one_of_the_real_one(value: int, real: float) -> None:
    """Two roundings of at most half a step each."""
    assert (
        abs(multiply_by_factor(value, quantize_factor(real)) - value * real)
        <= 1.0 + abs(value * real) * 2**-30
    )


@given(st.floats(2.0**-20, 2.0**8), st.integers(1, 5000))
def test_mean_factor_divides_by_the_count(real: float, count: int) -> None:
    factor = mean_factor(quantize_factor(real), count)
    assert math.ldexp(factor.multiplier, factor.shift - 31) == pytest.approx(real / count, rel=2.0**-28)


@pytest.mark.parametrize(("value", "rounded"), [(0.5, 1), (-0.5, -1), (1.5, 2), (-2.5, -3), (-0.49, 0)])
def test_ties_go_away_from_zero(value: float, rounded: int) -> None:
    assert round_half_away(value) == rounded


@pytest.mark.parametrize(
    ("activation", "bounds"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (-100, 127)),
        (Activation.RELU6, (-100, 20)),
        (Activation.RELU_N1_TO_1, (-120, -80)),
    ],
)
def test_activation_range_in_steps_of_the_output(activation: Activation, bounds: tuple[int, int]) -> None:
    assert activation_range(activation, output(0.05, -100)) == bounds


def test_activation_range_stays_within_a_byte() -> None:
    assert activation_range(Activation.RELU6, output(0.001, 0)) == (0, 127)
    assert activation_range(Activation.RELU_N1_TO_1, output(0.001, 0)) == (-128, 127)


@given(st.floats(2.0**-12, 1.0), st.integers(-128, 127))
def test_sigmoid_table_is_within_one_step_and_rises(scale: float, zero_point: int) -> None:
    table = sigmoid_table(zero_point, quantize_factor(scale * (1 << 27), least_shift=0, largest_shift=31))
    x = (np.arange(-128, 128) - zero_point) * scale
    expected = np.clip(256 / (1 + np.exp(-x)) - 128, -128, 127)
    assert np.abs(table - expected).max() <= 1.0
    assert np.all(np.diff(table.astype(int)) >= 0)


@st.composite
def _broadcastable(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    masks = [draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape))) for _ in range(2)]
    a, b = (tuple(1 if gone else size for size, gone in zip(shape, mask, strict=True)) for mask in masks)
    return a, b[draw(st.integers(0, len(b) - 1)) :]


@given(_broadcastable())
def test_broadcast_steps_visit_what_numpy_pairs(
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    fields = broadcast_fields(*shapes)
    if fields is None:
        assert max(map(len, shapes)) > 4
        return
    index = np.indices(fields["size"])
    arrays = [np.arange(np.prod(shape)).reshape(shape) for shape in shapes]
    for array, steps, expected in zip(
        arrays, (fields["step_a"], fields["step_b"]), np.broadcast_arrays(*arrays), strict=True
    ):
        visited = sum(i * step for i, step in zip(index, steps, strict=True))
        np.testing.assert_array_equal(array.reshape(-1)[visited.reshape(-1)], expected.reshape(-1))
