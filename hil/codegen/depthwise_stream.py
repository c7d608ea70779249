"""What the depthwise kernels for DSP cores share: which layers they take, and the stream of their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.dsp import OUTPUT_SHIFT, Sums, sums_of
from hil.codegen.dsp_steps import BoundedRescale, bounded_rescale
from hil.codegen.geometry import window_of
from hil.codegen.stage import convolution_factors
from hil.graph.types import DepthwiseConv2D, Graph, Operator

#: Channels that the kernels work on at a time.
GROUP = 4
#: Of the pre-shift, 2 bits are in the values and the rest in the weights: -128 << 8 fits into int16.
_VALUE_SHIFT, _LARGEST_WEIGHT_SHIFT = 2, 8
_PRESHIFTS = (_VALUE_SHIFT, _VALUE_SHIFT + _LARGEST_WEIGHT_SHIFT)
_NO_TIES = 0x80
#: a0 a1 b0 b1 a2 c0 b2 c1 c2 of 3 x 3 (three rows of a, b, c): SXTB16 makes the pairs (a, b) and (c0, c1).
_ORDER = [0, 3, 1, 4, 6, 2, 7, 5, 8]


def _options(operator: Operator) -> DepthwiseConv2D:
    options = operator.options
    assert isinstance(options, DepthwiseConv2D)
    return options


def takes(graph: Graph, operator: Operator, kernels: tuple[int, ...]) -> bool:
    """Is it square, its size in `kernels`, with stride 1 or 2, groups of channels, factors within range?"""
    window = window_of(graph, operator)
    if (
        _options(operator).multiplier != 1
        or window["kernel_h"] not in kernels
        or window["kernel_w"] != window["kernel_h"]
        or (window["dilation_h"], window["dilation_w"]) != (1, 1)
        or (window["stride_h"], window["stride_w"]) not in ((1, 1), (2, 2))
        or window["input_c"] % GROUP
    ):
        return False
    sums = sums_and_weights(graph, operator)
    return sums is not None and _rescales(sums[0]) is not None


def sums_and_weights(graph: Graph, operator: Operator) -> tuple[Sums, NDArray[np.int8]] | None:
    """The sums, and the weights as (channels, rows, columns); None where the activation clamps."""
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    tensor = graph.tensors[operator.inputs[1]]
    weights = np.asarray(tensor.data, dtype=np.int8)[0].transpose(2, 0, 1)
    factors = convolution_factors(source, tensor, output)
    flat = weights.reshape(len(weights), -1)
    sums = sums_of(graph, operator, flat, factors, _options(operator).activation)
    return None if sums is None else (sums, weights)


def shared_addend(sums: Sums) -> int:
    """What all channels have in their addend, which is (1 << shift) more (see `stream`)."""
    return (1 << (OUTPUT_SHIFT - 1)) + (sums.zero_point << OUTPUT_SHIFT)


def stream(sums: Sums, weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """What the kernels read of each channel, little-endian and without gaps: 18 bytes of 3 x 3, 34 of 5 x 5.

    4 bytes  bias, which the shifted sum begins with
    4        multiplier
    9 or 25  weights, of 3 x 3 as in _ORDER, else row by row
    1        shift of the weights; bit 7: ties of a negative sum need no correction

    Args:
        weights: (channels, rows, columns).
    """
    rescales = _rescales(sums)
    assert rescales is not None
    rows = []
    for rescale, taps in zip(rescales, weights, strict=True):
        kept = np.zeros_like(taps) if rescale.steady else taps
        # The kernels multiply 4 (x + 128).
        bias = rescale.bias - (128 * int(kept.astype(np.int64).sum()) << rescale.preshift)
        words = np.array([bias & 0xFFFFFFFF, rescale.multiplier], dtype="<u4")
        shift = rescale.preshift - _VALUE_SHIFT | (0 if rescale.ties else _NO_TIES)
        flat = kept.reshape(-1)
        ordered = flat[_ORDER] if len(flat) == len(_ORDER) else flat
        rows.append(words.tobytes() + ordered.tobytes() + bytes([shift]))
    return np.frombuffer(b"".join(rows), dtype=np.int8)


def four_times(byte: int) -> int:
    """A word of four equal int8 values."""
    return 0x01010101 * (byte & 0xFF)


def _rescales(sums: Sums) -> list[BoundedRescale] | None:
    result = [bounded_rescale(sums, channel, _PRESHIFTS) for channel in range(len(sums.factors))]
    return [rescale for rescale in result if rescale is not None] if None not in result else None
