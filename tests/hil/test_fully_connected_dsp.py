"""What the fully connected kernel for DSP cores asks of a layer, and what serves where it does not hold."""

from __future__ import annotations

import numpy as np
import pytest

from hil.codegen import Target, generate
from hil.graph import Graph, read
from tests.support.tflite_builder import Builder

FAST, PORTABLE = ("fully_connected_s8/dsp",), ("fully_connected_s8/generic",)


def layer(weights: list[list[int]], *, bias: int = 0, out_scale: float = 1.0, rows: int = 1) -> Graph:
    b = Builder()
    source = b.input((1, len(weights[0])) if rows == 1 else (1, rows, len(weights[0])), scale=0.1)
    y = b.fully_connected(
        source,
        np.array(weights, dtype=np.int8),
        np.array([bias] + [0] * (len(weights) - 1), dtype=np.int32),
        weight_scales=[0.1],
        out_scale=out_scale,
        out_zero_point=0,
        keep_dims=rows > 1,
    )
    return read(b.finish(y))


def variants(graph: Graph) -> tuple[str, ...]:
    return generate(graph, Target(dsp=True)).variants


def test_any_number_of_inputs_and_outputs_is_served() -> None:
    for inputs, outputs in ((1, 1), (7, 3), (9, 5)):
        assert variants(layer([[1] * inputs] * outputs)) == FAST


@pytest.mark.parametrize(
    ("first", "second", "served"),
    [(-128, 0, FAST), (-128, -1, PORTABLE), (-127, -128, FAST)],
)
def test_a_halfword_must_hold_both_weights(first: int, second: int, served: tuple[str, ...]) -> None:
    assert variants(layer([[first, 3], [second, 3]])) == served


def test_sums_must_stay_below_two_to_the_23() -> None:
    inputs = 516  # inputs of -128 and weights of 127 add up to 512 less
    assert inputs * 127 * 128 == (1 << 23) - 512
    assert variants(layer([[127] * inputs], bias=-511, out_scale=160.0)) == FAST
    assert variants(layer([[127] * inputs], bias=-512, out_scale=160.0)) == PORTABLE


def test_factors_must_be_below_one_half() -> None:
    """One half and more has no shift to the right, which the rounding is folded into."""
    assert variants(layer([[5]], out_scale=0.021)) == FAST
    assert variants(layer([[5]], out_scale=0.019)) == PORTABLE


def test_scratch_lies_on_the_input_unless_it_has_more_rows() -> None:
    weights = [[1] * 64] * 4
    one, three = (generate(layer(weights, rows=rows), Target(dsp=True)) for rows in (1, 3))
    assert one.plan.arena_bytes == 2 * 64 + 4
    assert three.variants == ("fully_connected_s8/dsp-rows",)
    assert three.plan.arena_bytes >= 3 * 64 + 2 * 64
