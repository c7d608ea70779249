"""CONV_2D on a core with DSP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.dsp import sums_of
from hil.codegen.dsp_stream import padded_depth, tile_stream
from hil.codegen.geometry import forward_lead, reaches_outside
from hil.codegen.kernels.conv2d import conv2d_window
from hil.codegen.stage import convolution_factors
from hil.graph.types import Conv2D, Graph, Operator
from hil.memory import Overlap

_COLUMNS = 3


def _stream(graph: Graph, operator: Operator) -> tuple[NDArray[np.int32], bool] | None:
    """The stream, and whether it is for the rectified tile."""
    options = operator.options
    assert isinstance(options, Conv2D)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    tensor = graph.tensors[operator.inputs[1]]
    weights = np.asarray(tensor.data, dtype=np.int8).reshape(tensor.shape[0], -1)
    sums = sums_of(graph, operator, weights, convolution_factors(source, tensor, output), options.activation)
    if sums is None or (stream := tile_stream(sums, weights)) is None:
        return None
    return stream, sums.rectified


def _depth(graph: Graph, operator: Operator) -> int:
    window = conv2d_window(graph, operator)
    return padded_depth(window["kernel_h"] * window["kernel_w"] * window["input_c"])


def _rows_are_words(graph: Graph, operator: Operator) -> bool:
    window = conv2d_window(graph, operator)
    return window["dilation_w"] == 1 and window["kernel_w"] * window["input_c"] % 4 == 0


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    packed = _stream(graph, operator)
    assert packed is not None
    stream, rectified = packed
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_conv2d_dsp_params",
        params={
            "window": conv2d_window(graph, operator),
            "output_c": graph.tensors[operator.output].shape[3],
            "tile": Symbol(f"hil_tile_{'rectified' if rectified else 'signed'}_dsp_s8"),
            "layer": {
                "stream": Constant("stream", stream),
                "stream_words": stream.size,
                "depth": _depth(graph, operator),
            },
            "rows_are_adjacent": int(conv2d_window(graph, operator)["dilation_w"] == 1),
            "rows_are_words": int(_rows_are_words(graph, operator)),
        },
    )


def _accepts(graph: Graph, operator: Operator) -> bool:
    return _stream(graph, operator) is not None


def _is_pointwise(graph: Graph, operator: Operator) -> bool:
    window = conv2d_window(graph, operator)
    sizes = ("kernel_h", "kernel_w", "stride_h", "stride_w")
    return all(window[name] == 1 for name in sizes) and window["input_c"] % 4 == 0


def _scratch(graph: Graph, operator: Operator) -> int:
    depth = _depth(graph, operator)
    gathers = reaches_outside(conv2d_window(graph, operator)) or not _rows_are_words(graph, operator)
    return _COLUMNS * depth * 2 + (_COLUMNS * depth + 4 if gathers else 0)


def _overlap(graph: Graph, operator: Operator) -> Overlap:
    channels = graph.tensors[operator.output].shape[3]
    return Overlap(0, forward_lead(conv2d_window(graph, operator), channels, _COLUMNS))


VARIANTS = (
    Variant(
        "conv2d_s8/1x1_dsp",
        "hil_conv2d_1x1_dsp_s8",
        _arguments,
        accepts=lambda graph, operator: _is_pointwise(graph, operator) and _accepts(graph, operator),
        scratch_bytes=lambda graph, operator: 2 * _COLUMNS * _depth(graph, operator),
        overlap=_overlap,
    ),
    Variant(
        "conv2d_s8/dsp",
        "hil_conv2d_dsp_s8",
        _arguments,
        accepts=_accepts,
        scratch_bytes=_scratch,
        overlap=_overlap,
    ),
)
