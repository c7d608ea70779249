"""One multiply-add per operand in place of the interpreter's six roundings, for ADD and SUB.

The interpreter scales each operand with a rounding multiply and a rounding shift, adds, and scales the
sum in the same way.  As a function of two int8 values that is a table of 65,536 entries, and up to roundings
far below one step of the output it is a plane.  So integers k_a, k_b, c are sought with

    output = clamp((a k_a + b k_b + c) >> s)        for every a and b

For given k_a and k_b each entry bounds c from below and, where it is not clamped, from above; there is a
solution where the largest lower bound does not exceed the smallest upper one.  Ties, which go away from zero
in the truth, are met by factors slightly too large.  Nothing is approximated: a plane either gives every
entry, or it is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, Factor

#: Fewer bits leave more room for outputs beyond int8, more bits fit more tables.
SHIFTS = (21, 22, 20, 19, 18)
_NEIGHBOURS = 2
_INT8 = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
_UNBOUNDED = 1 << 62


@dataclass(frozen=True)
class Plane:
    """(a * factor_a + b * factor_b + offset) >> shift; every sum fits into int32."""

    factor_a: int
    factor_b: int
    offset: int
    shift: int


def scaled(values: NDArray[np.int64], factor: Factor) -> NDArray[np.int64]:
    """values * factor with both roundings of the interpreter; shift <= 0."""
    product = (values * factor.multiplier + (1 << 30)) >> 31
    mask = (1 << -factor.shift) - 1
    return (product >> -factor.shift) + ((product & mask) > (mask >> 1) + (product < 0))


def fit(table: NDArray[np.int64], slope_a: float, slope_b: float) -> Plane | None:
    """The plane that gives the table, or None.

    Args:
        table: (256, 256), the outputs for a and b from -128 to 127, clamped to int8.
        slope_a, slope_b: steps of the output per step of a and of b, nearly.
    """
    low_clamped, high_clamped = table == INT8_MIN, table == INT8_MAX
    for shift in SHIFTS:
        least = np.where(low_clamped, -_UNBOUNDED, table << shift)
        largest = np.where(high_clamped, _UNBOUNDED, ((table + 1) << shift) - 1)
        for factor_a in _near(slope_a * (1 << shift)):
            for factor_b in _near(slope_b * (1 << shift)):
                products = _INT8[:, None] * factor_a + _INT8[None, :] * factor_b
                low, high = int((least - products).max()), int((largest - products).min())
                offset = (max(low, -(1 << 31)) + min(high, (1 << 31) - 1)) // 2
                if low <= offset <= high and _fits_int32(products + offset):
                    return Plane(factor_a, factor_b, offset, shift)
    return None


def _fits_int32(values: NDArray[np.int64]) -> bool:
    return int(values.min()) >= -(1 << 31) and int(values.max()) < 1 << 31


def _near(value: float) -> Iterator[int]:
    """The integers around `value`, the nearest first."""
    base = floor(value)
    yield from sorted(
        range(base - _NEIGHBOURS + 1, base + _NEIGHBOURS + 1), key=lambda integer: abs(integer - value)
    )
