"""DEPTHWISE_CONV_2D of any kernel on a core with DSP, pixel by pixel: behind the kernels for 3x3."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.dsp import Rescale, Sums, by_shift, sums_of
from hil.codegen.geometry import forward_lead, window_of
from hil.codegen.stage import convolution_factors
from hil.graph.types import DepthwiseConv2D, Graph, Operator
from hil.memory import Overlap

_GROUP = 4
_PRESHIFT = 8
#: What ties of a negative sum take off the addend: half of 2^_PRESHIFT.
_TIES = 128


def _layer(graph: Graph, operator: Operator) -> tuple[Sums, NDArray[np.int8], list[Rescale]] | None:
    """Sums, weights (channels, taps) and factors, where four channels to a group and all bounds hold."""
    options = operator.options
    assert isinstance(options, DepthwiseConv2D)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    if options.multiplier != 1 or source.shape[3] % _GROUP:
        return None
    tensor = graph.tensors[operator.inputs[1]]
    weights = np.asarray(tensor.data, dtype=np.int8).reshape(-1, source.shape[3]).T
    factors = convolution_factors(source, tensor, output)
    sums = sums_of(graph, operator, weights, factors, options.activation)
    if sums is None:
        return None
    rescales = [by_shift(sums, channel, _PRESHIFT) for channel in range(len(weights))]
    if any(rescale is None for rescale in rescales):
        return None
    return sums, weights, [rescale for rescale in rescales if rescale is not None]


def _stream(graph: Graph, operator: Operator) -> tuple[NDArray[np.int32], Sums]:
    layer = _layer(graph, operator)
    assert layer is not None
    sums, weights, rescales = layer
    zero_point = graph.tensors[operator.inputs[0]].zero_point
    parts: list[NDArray[np.int32]] = []
    for first in range(0, len(weights), _GROUP):
        channels = slice(first, first + _GROUP)
        group, taps = rescales[channels], weights[channels]
        # The kernel takes the zero point off each value.
        folded = zero_point * taps.sum(axis=1, dtype=np.int64)
        bias = [r.bias + int(f) if r.multiplier else 0 for r, f in zip(group, folded, strict=True)]
        parts.append(np.array([*bias, *(r.multiplier for r in group)], dtype=np.int64).astype(np.int32))
        parts.append(np.array([r.addend for r in group], dtype=np.int32))
        parts.append(np.frombuffer(bytes(r.shift for r in group), dtype=np.int32))
        parts.append(np.frombuffer(np.ascontiguousarray(taps.T).tobytes(), dtype=np.int32))
    stream: NDArray[np.int32] = np.concatenate(parts)
    return stream, sums


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    stream, sums = _stream(graph, operator)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_taps_params",
        params={
            "window": window_of(graph, operator),
            "stream": Constant("stream", stream),
            "ties": 0 if sums.rectified else _TIES,
        },
    )


def _overlap(graph: Graph, operator: Operator) -> Overlap:
    """A pixel's first channels are written before its last ones are read: one pixel more than by pixels."""
    window = window_of(graph, operator)
    lead = max(forward_lead(window, window["input_c"], 1), 0)
    return Overlap(0, lead + window["input_c"])


VARIANTS = (
    Variant(
        "depthwise_conv2d_s8/taps_dsp",
        "hil_depthwise_conv2d_taps_dsp_s8",
        _arguments,
        accepts=lambda graph, operator: _layer(graph, operator) is not None,
        overlap=_overlap,
    ),
)
