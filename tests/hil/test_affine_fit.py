"""A plane gives every entry of the table it was fitted to, or there is none."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.codegen.affine_fit import Plane, fit

_VALUES = np.arange(-128, 128, dtype=np.int64)
#: As calibration makes them: in no simple ratio, so that hardly a sum is a tie.
SLOPES = (0.7732462684520817, 1.045217092454641)


def _sums(plane: Plane) -> NDArray[np.int64]:
    sums = _VALUES[:, None] * plane.factor_a + _VALUES[None, :] * plane.factor_b + plane.offset
    return np.asarray(sums, dtype=np.int64)


def _rounded(slope_a: float, slope_b: float, zero_point: int) -> NDArray[np.int64]:
    steps = slope_a * _VALUES[:, None] + slope_b * _VALUES[None, :]
    away_from_zero = np.copysign(np.floor(np.abs(steps) + 0.5), steps).astype(np.int64)
    return np.clip(away_from_zero + zero_point, -128, 127)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.integers(-128, 127))
def test_a_plane_gives_every_entry_and_overflows_nowhere(
    slope_a: float, slope_b: float, zero_point: int
) -> None:
    table = _rounded(slope_a, slope_b, zero_point)
    plane = fit(table, slope_a, slope_b)
    if plane is not None:
        sums = _sums(plane)
        assert np.abs(sums).max() < 1 << 31
        np.testing.assert_array_equal(np.clip(sums >> plane.shift, -128, 127), table)


def test_ordinary_scales_have_a_plane() -> None:
    assert fit(_rounded(*SLOPES, -128), *SLOPES) is not None


def test_ties_that_go_away_from_zero_have_a_plane() -> None:
    assert fit(_rounded(0.5, 0.5, 3), 0.5, 0.5) is not None


def test_one_entry_off_the_plane_is_not_passed_over() -> None:
    table = _rounded(*SLOPES, -128)
    table[140, 133] += 1
    assert fit(table, *SLOPES) is None
