"""LEAKY_RELU and HARD_SWISH of all 256 int8 values, as TensorFlow Lite Micro computes them.

The board looks the results up, so all that counts is that each is the same.  Source: the behaviour of
tensorflow/lite/kernels/internal/reference/{leaky_relu,hard_swish}.h.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, Factor, quantize_factor
from hil.codegen.sigmoid import divide_by_power, multiply_by_factor
from hil.graph.types import Tensor

_INT16_MIN, _INT16_MAX = -(1 << 15), (1 << 15) - 1
_INPUTS = range(INT8_MIN, INT8_MAX + 1)


def leaky_relu_table(source: Tensor, output: Tensor, alpha: float) -> NDArray[np.int8]:
    """Output q for the inputs -128 .. 127, shape (256,)."""
    source_scale, output_scale = np.float32(source.scale), np.float32(output.scale)
    above = quantize_factor(float(source_scale / output_scale))
    below = quantize_factor(float(source_scale * np.float32(alpha) / output_scale))

    def value(centered: int) -> int:
        return multiply_by_factor(centered, above if centered >= 0 else below)

    return _table(value, source, output)


def hard_swish_table(source: Tensor, output: Tensor) -> NDArray[np.int8]:
    """Output q for the inputs -128 .. 127, shape (256,).  All steps are in 16 bits.

    symbol   meaning
    hires    the input, in 1/128 of its steps
    gate     clamp(x + 3, 0, 6) / 6, Q0 in 16 bits
    """
    hires_scale = np.float32(1 / 128) * np.float32(source.scale)
    to_output = quantize_factor(
        float(hires_scale / np.float32(output.scale)), least_shift=-15, largest_shift=0
    )
    to_gate = quantize_factor(float(hires_scale / np.float32(3 / 32768)), least_shift=-15)
    output_multiplier, gate_multiplier = _sixteen_bits(to_output), _sixteen_bits(to_gate)

    def value(centered: int) -> int:
        hires = centered * 128
        gate = hires
        if to_gate.shift > 0:
            gate = _saturate(gate << (to_gate.shift - 1))
        gate = _multiply(gate, gate_multiplier)
        gate = _saturate(gate << 1) if to_gate.shift > 0 else divide_by_power(gate, -to_gate.shift)
        gate = (gate + (1 << 15)) >> 1
        product = gate * _multiply(hires, output_multiplier)
        towards_zero = abs(product) >> 15
        return divide_by_power(towards_zero if product >= 0 else -towards_zero, -to_output.shift)

    return _table(value, source, output)


def _table(value: Callable[[int], int], source: Tensor, output: Tensor) -> NDArray[np.int8]:
    """`value` maps the input less its zero point to the output less its zero point."""
    values = [value(q - source.zero_point) + output.zero_point for q in _INPUTS]
    return np.clip(values, INT8_MIN, INT8_MAX).astype(np.int8)


def _sixteen_bits(factor: Factor) -> int:
    """The multiplier, rounded to 16 bits."""
    return min((factor.multiplier + (1 << 15)) >> 16, _INT16_MAX)


def _saturate(value: int) -> int:
    return min(max(value, _INT16_MIN), _INT16_MAX)


def _multiply(a: int, b: int) -> int:
    """round(a * b / 2^15), ties upwards; b > 0."""
    return (a * b + (1 << 14)) >> 15
