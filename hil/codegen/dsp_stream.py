"""Weights as the stream that hil_tile_dsp_s8.h walks: two output channels to a halfword."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.dsp import Rescale, Sums, by_preshift, by_shift
from hil.codegen.fixed_point import INT8_MIN

#: Channel A comes out of the sums multiplied by 256.
_PRESHIFT_A = 8
#: Of hil_tile_wide_dsp_s8.
_PRESHIFT_WIDE = 4
#: What hil_tile_rectified_dsp_s8 shifts channel B by in the end: factors down to 2^-14, with a bit or two to
#: spare for the sums of the widest layers of the MLPerf Tiny models.
_SHIFT_B = 14
#: Marks the shifts of the last pair.
_LAST = np.int32(-(1 << 31))
#: The first and the third byte of four, then the second and the fourth: what SXTB16 makes of a word.
_ORDER = (0, 2, 1, 3)


def padded_depth(depth: int) -> int:
    """Values per column: whole words of four."""
    return -(-depth // 4) * 4


def pack(weights: NDArray[np.int8]) -> NDArray[np.int32] | None:
    """Channel pairs as words, (channels / 2, depth / 2).

    Args:
        weights: (channels, depth), channels even; the depth is padded with zeros.

    Returns:
        The words, or None where a weight of -128 meets a negative partner, which no halfword holds.
    """
    channels, depth = weights.shape
    padded = np.zeros((channels, padded_depth(depth)), dtype=np.int32)
    padded[:, :depth] = weights
    a, b = padded[0::2], padded[1::2]
    if np.any((a == INT8_MIN) & (b < 0)):
        return None
    halves = (256 * a + b).reshape(channels // 2, -1, 4)[:, :, _ORDER].astype(np.int16)
    words: NDArray[np.int32] = np.frombuffer(halves.tobytes(), dtype=np.int32)
    return words.reshape(channels // 2, -1)


def tile_stream(sums: Sums, weights: NDArray[np.int8]) -> NDArray[np.int32] | None:
    """The stream of one layer, or None where a bound does not hold.

    Args:
        weights: (channels, depth).
    """
    if len(weights) % 2 or (words := pack(weights)) is None:
        return None
    rows: list[NDArray[np.int32]] = []
    for pair, row in enumerate(words):
        a = by_shift(sums, 2 * pair, _PRESHIFT_A)
        b = (
            by_preshift(sums, 2 * pair + 1, _SHIFT_B)
            if sums.rectified
            else by_shift(sums, 2 * pair + 1, _PRESHIFT_A)
        )
        if a is None or b is None:
            return None
        rows += [_wrapped(256 * a.bias + b.bias, b.bias), row, _scale(sums, a, b)]
    rows[-1][-1] |= _LAST
    stream: NDArray[np.int32] = np.concatenate(rows)
    return stream


def wide_stream(sums: Sums, weights: NDArray[np.int8]) -> NDArray[np.int32] | None:
    """The stream for hil_tile_wide_dsp_s8: any weights, sums of up to 2^27; None beyond that."""
    channels, depth = weights.shape
    if channels % 2:
        return None
    padded = np.zeros((channels, padded_depth(depth)), dtype=np.int8)
    padded[:, :depth] = weights
    words = padded.view("<i4").astype(np.int32)
    rows: list[NDArray[np.int32]] = []
    for first in range(0, channels, 2):
        a, b = (by_shift(sums, channel, _PRESHIFT_WIDE) for channel in (first, first + 1))
        if a is None or b is None:
            return None
        scale = (a.multiplier, a.addend, b.multiplier, b.addend, a.shift | b.shift << 8)
        rows += [_wrapped(a.bias, b.bias), words[first : first + 2].T.reshape(-1), _wrapped(*scale)]
    rows[-1][-1] |= _LAST
    stream: NDArray[np.int32] = np.concatenate(rows)
    return stream


def _scale(sums: Sums, a: Rescale, b: Rescale) -> NDArray[np.int32]:
    shifts = a.shift | (b.preshift if sums.rectified else b.shift) << 8
    return _wrapped(a.multiplier, a.addend, b.multiplier, b.addend, shifts)


def _wrapped(*values: int) -> NDArray[np.int32]:
    return np.array([value & 0xFFFFFFFF for value in values], dtype=np.uint32).view(np.int32)
