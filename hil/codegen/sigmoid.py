"""Sigmoid and tanh of all 256 int8 values, in the fixed-point arithmetic of gemmlowp.

    Qm            signed 32-bit with m integer bits: raw r stands for r * 2^(m - 31)
    multiply      product of Qm and Qn as Q(m + n): round(a * b / 2^31), ties upwards
    sigmoid(x)    1 / (1 + e^-|x|) for x > 0, 1 minus that for x < 0
    tanh(x)       (1 - e^-2|x|) / (1 + e^-2|x|) for x > 0, minus that for x < 0

Since each function is one of a single byte, the compiler tabulates it and the board looks it up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, Factor, input_radius

_INT32_MAX = (1 << 31) - 1
_INPUT_INTEGER_BITS = 4
_E_TO_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
#: e^-(1/4), e^-(1/2), e^-1, e^-2, e^-4, e^-8, e^-16 in Q0
_POWERS_OF_E = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def sigmoid_table(zero_point: int, factor: Factor) -> NDArray[np.int8]:
    """Output q (scale 1/256, zero point -128) for the inputs -128 .. 127, shape (256,).

    Args:
        zero_point: of the input.
        factor: input scale * 2^27.
    """
    radius = input_radius(_INPUT_INTEGER_BITS, factor.shift)
    values = [_sigmoid_of(q - zero_point, factor, radius) for q in range(INT8_MIN, INT8_MAX + 1)]
    return np.array(values, dtype=np.int8)


def _sigmoid_of(centered: int, factor: Factor, radius: int) -> int:
    if centered <= -radius:
        return INT8_MIN
    if centered >= radius:
        return INT8_MAX
    x = multiply_by_factor(centered, factor)
    if x == 0:
        probability = 1 << 30
    else:
        positive = _reciprocal_of_one_plus(_exp_on_negative(-abs(x)))
        probability = positive if x > 0 else _INT32_MAX - positive
    return min(max(divide_by_power(probability, 23) + INT8_MIN, INT8_MIN), INT8_MAX)


def tanh_table(zero_point: int, factor: Factor) -> NDArray[np.int8]:
    """Output q (scale 1/128, zero point 0) for the inputs -128 .. 127, shape (256,).

    Args:
        zero_point: of the input.
        factor: input scale * 2^27.
    """
    radius = input_radius(_INPUT_INTEGER_BITS, factor.shift)
    values = [_tanh_of(q - zero_point, factor, radius) for q in range(INT8_MIN, INT8_MAX + 1)]
    return np.array(values, dtype=np.int8)


def _tanh_of(centered: int, factor: Factor, radius: int) -> int:
    if centered <= -radius:
        return INT8_MIN
    if centered >= radius:
        return INT8_MAX
    x = multiply_by_factor(centered, factor)
    if x == 0:
        return 0
    # Q4 read as Q5 is twice the value.
    positive = _opposite_over_one_plus(_exp_on_negative(-abs(x), _INPUT_INTEGER_BITS + 1))
    return min(max(divide_by_power(positive if x > 0 else -positive, 24), INT8_MIN), INT8_MAX)


def multiply_by_factor(value: int, factor: Factor) -> int:
    """value * factor with double rounding; the counterpart of hil_multiply_by_factor."""
    shifted = value << max(factor.shift, 0)
    return divide_by_power(_multiply(shifted, factor.multiplier), max(-factor.shift, 0))


def _multiply(a: int, b: int) -> int:
    return (a * b + (1 << 30)) >> 31


def divide_by_power(value: int, exponent: int) -> int:
    """round(value / 2^exponent), ties away from zero."""
    mask = (1 << exponent) - 1
    return (value >> exponent) + ((value & mask) > (mask >> 1) + (value < 0))


def _saturate(value: int) -> int:
    return min(max(value, -_INT32_MAX - 1), _INT32_MAX)


def _exp_on_negative(d: int, integer_bits: int = _INPUT_INTEGER_BITS) -> int:
    """e^d for d < 0, Q4 or Q5 to Q0: a Taylor polynomial on [-1/4, 0), times powers of e."""
    quarter = 1 << (31 - integer_bits - 2)
    modulo = (d & (quarter - 1)) - quarter
    x = (modulo << integer_bits) + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    tail = divide_by_power(_multiply(divide_by_power(x4, 2) + x3, _THIRD) + x2, 1)
    result = _E_TO_MINUS_EIGHTH + _multiply(_E_TO_MINUS_EIGHTH, x + tail)
    for bit, power in enumerate(_POWERS_OF_E[: integer_bits + 2]):
        if (modulo - d) & (quarter << bit):
            result = _multiply(result, power)
    return result


def _reciprocal_of_one_plus(a: int) -> int:
    """1 / (1 + a) for a in [0, 1), Q0 to Q0."""
    return _saturate(_two_over_one_plus(a) << 1)


def _opposite_over_one_plus(a: int) -> int:
    """(1 - a) / (1 + a) = 2 / (1 + a) - 1 for a in [0, 1), Q0 to Q0."""
    return _saturate((_two_over_one_plus(a) - (1 << 29)) << 2)


def _two_over_one_plus(a: int) -> int:
    """2 / (1 + a) for a in [0, 1), Q0 to Q2, by three steps of Newton's method."""
    half_denominator = (a + _INT32_MAX + 1) // 2
    x = 1515870810 + _multiply(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - _multiply(half_denominator, x)
        x += _saturate(_multiply(x, error) << 2)
    return x
