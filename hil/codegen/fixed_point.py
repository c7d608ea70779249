"""Real factors and activation bounds as the integers that TensorFlow Lite Micro derives from them.

    real factor   m * 2^(s - 31), m in [2^30, 2^31), s the shift; hil_arithmetic.h is its counterpart in C.

Scales are 32-bit floats in a .tflite file.  Whether a product of scales is formed in single or double
precision changes the last bit of m, so each caller keeps to what the interpreter does for its operator.
Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernel_util.cc (behaviour, not text).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hil.graph.types import Activation, Tensor

INT8_MIN, INT8_MAX = -128, 127


class Factor(NamedTuple):
    """multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


class FactorOutOfRange(ValueError):
    """A real factor that the kernels' arithmetic has no room for; only nonsensical scales lead here."""


def quantize_factor(real: float, *, least_shift: int = -31, largest_shift: int = 30) -> Factor:
    """The factor nearest to `real` >= 0; factors below 2^-32 become 0.

    Raises:
        FactorOutOfRange: its shift lies outside of what the operator's kernel can do.
    """
    if real == 0.0:
        return Factor(0, 0)
    mantissa, shift = math.frexp(real)
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        multiplier, shift = 0, 0
    if not least_shift <= shift <= largest_shift:
        raise FactorOutOfRange(
            f"its scales give the factor {real:g}, expected one from 2^{least_shift - 1} to 2^{largest_shift}"
        )
    return Factor(multiplier, shift)


def round_half_away(value: float) -> int:
    """To the nearest integer, ties away from zero (C's round)."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def activation_range(activation: Activation, output: Tensor) -> tuple[int, int]:
    """Smallest and largest int8 value that a fused activation lets through."""

    def quantize(real: float) -> int:
        steps = float(np.float32(real) / np.float32(output.scale))
        return output.zero_point + round_half_away(steps)

    match activation:
        case Activation.NONE:
            return INT8_MIN, INT8_MAX
        case Activation.RELU:
            return max(INT8_MIN, quantize(0.0)), INT8_MAX
        case Activation.RELU6:
            return max(INT8_MIN, quantize(0.0)), min(INT8_MAX, quantize(6.0))
        case Activation.RELU_N1_TO_1:
            return max(INT8_MIN, quantize(-1.0)), min(INT8_MAX, quantize(1.0))


def input_radius(integer_bits: int, shift: int) -> int:
    """Largest |q| whose product with a factor of that shift still fits into Q(integer_bits)."""
    return math.floor(((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << shift))
