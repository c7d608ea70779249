"""What the kernels for DSP cores have in common: requantization in one multiply, with nothing lost.

TensorFlow Lite Micro rounds twice, first x * m / 2^31 to an integer y, then y / 2^e (e = -shift >= 1).  With
the ties of the second rounding upwards, both are one floor:

    floor((x * m + 2^30 + 2^(30 + e)) / 2^(31 + e))

because y >= c holds exactly where x * m >= 2^31 c - 2^30.  With x shifted left by p bits beforehand, the high
word of the product (SMMLA) and S = e + p - 1 this is

    ((x << p) * m >> 32) + addend >> S,    addend = 2^(p - 2) + 2^(S - 1) + (zero point << S)

since 2^(30 + p) / 2^32 = 2^(p - 2) and 2^(30 + e + p) / 2^32 = 2^(S - 1).  SSAT clamps to int8 at last.

Ties of negative y go downwards in truth, which is 2^(p - 1) less in the addend where x < 0.  Where the
output's zero point is -128 every negative y ends as -128 in either case, so that the kernels leave it out:
"rectified".

Two forms are in use.  Either p is the same for all channels and S differs (`by_shift`), or S is the same and
p differs (`by_preshift`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, Factor, activation_range
from hil.graph.types import Activation, Graph, Operator

#: S of `by_preshift`.  The four MLPerf Tiny models leave at least two bits to spare on either side.
OUTPUT_SHIFT = 12


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of products of a layer, channel by channel, before requantization.

    Attributes:
        bias: with the input's zero point folded in; int64.
        low, high: bounds of bias + sum of products over all int8 inputs; int64.
        factors: one per channel.
        zero_point: of the output.
        rectified: the zero point is -128, so that nothing below it can be told apart.
    """

    bias: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    factors: tuple[Factor, ...]
    zero_point: int
    rectified: bool


def sums_of(
    graph: Graph,
    operator: Operator,
    weights: NDArray[np.int8],
    factors: Sequence[Factor],
    activation: Activation,
) -> Sums | None:
    """The sums of a layer, or None where the activation clamps to less than int8.

    Args:
        weights: (channels, depth).
        factors: one for all channels, or one per channel.
    """
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    if activation_range(activation, output) != (INT8_MIN, INT8_MAX):
        return None
    wide = weights.astype(np.int64)
    bias = -source.zero_point * wide.sum(axis=1)
    if len(operator.inputs) > 2:
        bias = bias + np.asarray(graph.tensors[operator.inputs[2]].data, dtype=np.int64).reshape(-1)
    positive, negative = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
    return Sums(
        bias=bias,
        low=bias + INT8_MIN * positive + INT8_MAX * negative,
        high=bias + INT8_MAX * positive + INT8_MIN * negative,
        factors=tuple(factors) * (len(weights) if len(factors) == 1 else 1),
        zero_point=output.zero_point,
        rectified=output.zero_point == INT8_MIN,
    )


def requantize(value: int, factor: Factor, zero_point: int) -> int:
    """One output of TensorFlow Lite Micro: two roundings, zero point, clamp to int8."""
    left, right = max(factor.shift, 0), max(-factor.shift, 0)
    rounded = ((value << left) * factor.multiplier + (1 << 30)) >> 31
    mask = (1 << right) - 1
    quotient = (rounded >> right) + ((rounded & mask) > (mask >> 1) + (rounded < 0))
    return min(max(quotient + zero_point, INT8_MIN), INT8_MAX)


def constant_output(sums: Sums, channel: int) -> int | None:
    """The output of a channel that is the same for every input, or None.  Requantization is monotone."""
    factor = sums.factors[channel]
    low = requantize(int(sums.low[channel]), factor, sums.zero_point)
    high = requantize(int(sums.high[channel]), factor, sums.zero_point)
    return low if low == high else None


@dataclass(frozen=True)
class Rescale:
    """How the sums of one channel become outputs.

    Attributes:
        bias: what the sum begins with.
        multiplier: m.
        addend: see above; holds the zero point.
        preshift: p.
        shift: S.
    """

    bias: int
    multiplier: int
    addend: int
    preshift: int
    shift: int


def by_shift(sums: Sums, channel: int, preshift: int) -> Rescale | None:
    """With a given p; None where a bound does not hold."""
    factor = sums.factors[channel]
    return _rescale(sums, channel, preshift, preshift - 1 - factor.shift)


def by_preshift(sums: Sums, channel: int, shift: int = OUTPUT_SHIFT) -> Rescale | None:
    """With a given S; None where a bound does not hold."""
    factor = sums.factors[channel]
    return _rescale(sums, channel, shift + 1 + factor.shift, shift)


def _rescale(sums: Sums, channel: int, preshift: int, shift: int) -> Rescale | None:
    constant = constant_output(sums, channel)
    if constant is not None:  # dead channels have factors and biases beyond all bounds
        steady = min(max(shift, 8), 20)
        # Half a step away from its neighbours, so that the correction of ties does not move it.
        addend = (constant << steady) + (1 << (steady - 1))
        return Rescale(0, 0, addend, min(max(preshift, 2), steady), steady)
    factor = sums.factors[channel]
    largest = max(-int(sums.low[channel]), int(sums.high[channel]))
    if factor.shift > -1 or preshift < 2 or not 1 <= shift <= 22 or largest << preshift >= 1 << 31:
        return None
    addend = (1 << (preshift - 2)) + (1 << (shift - 1)) + (sums.zero_point << shift)
    return Rescale(int(sums.bias[channel]), factor.multiplier, addend, preshift, shift)
