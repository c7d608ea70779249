"""CONV_2D on a core with DSP: weights packed two to a halfword, or wide where that is not exact."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Field, Symbol, Variant
from hil.codegen.dsp import Sums, sums_of
from hil.codegen.dsp_stream import padded_depth, tile_stream, wide_stream
from hil.codegen.geometry import forward_lead, inside_range, reaches_outside
from hil.codegen.kernels.conv2d import conv2d_window
from hil.codegen.stage import convolution_factors
from hil.graph.types import Conv2D, Graph, Operator
from hil.memory import Overlap

_COLUMNS = 3


def _is_of_colours(graph: Graph, operator: Operator) -> bool:
    """A first layer with windows of 3x3 pixels of three colours, which has a way of its own."""
    window = conv2d_window(graph, operator)
    return window["dilation_w"] == 1 and all(window[n] == 3 for n in ("kernel_h", "kernel_w", "input_c"))


def _row_bytes(graph: Graph, operator: Operator) -> int:
    """Of a window's row in a column.

    Rows of whole words are expanded from where they lie; others are copied first.  To fill them up with
    weights of 0 is a matter of cycles: 25 for four values of a pair of channels and as many for each row that
    is expanded by itself, against some 14 for each row and 3 for each word that are copied.
    """
    window = conv2d_window(graph, operator)
    rows, row = window["kernel_h"], window["kernel_w"] * window["input_c"]
    if _is_of_colours(graph, operator):
        return row
    words = padded_depth(row) // 4
    more = rows * words - padded_depth(rows * row) // 4
    filling = more * 25 * graph.tensors[operator.output].shape[3] // 2 + 25 * rows
    copying = 3 * rows * (14 + 3 * words) + 60
    return 4 * words if window["dilation_w"] == 1 and filling <= copying else row


def _depth(graph: Graph, operator: Operator) -> int:
    return padded_depth(conv2d_window(graph, operator)["kernel_h"] * _row_bytes(graph, operator))


def _layer(graph: Graph, operator: Operator) -> tuple[Sums, NDArray[np.int8]] | None:
    """The sums, and the weights as columns have them, (channels, depth); None where the activation clamps."""
    options = operator.options
    assert isinstance(options, Conv2D)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    tensor = graph.tensors[operator.inputs[1]]
    channels, rows = tensor.shape[:2]
    weights = np.asarray(tensor.data, dtype=np.int8).reshape(channels, rows, -1)
    filled = np.zeros((channels, rows, _row_bytes(graph, operator)), dtype=np.int8)
    filled[:, :, : weights.shape[2]] = weights
    filled = filled.reshape(channels, -1)
    sums = sums_of(graph, operator, filled, convolution_factors(source, tensor, output), options.activation)
    return None if sums is None else (sums, filled)


#: The name of a tile, and the stream that it reads.
_Stream: TypeAlias = "tuple[str, NDArray[np.int32]] | None"
_StreamOf: TypeAlias = Callable[[Graph, Operator], _Stream]


def _packed(graph: Graph, operator: Operator) -> _Stream:
    layer = _layer(graph, operator)
    if layer is None or (stream := tile_stream(*layer)) is None:
        return None
    if not layer[0].rectified:
        return "hil_tile_signed_dsp_s8", stream
    by_16 = _depth(graph, operator) % 16 == 0
    return "hil_tile_rectified_by_16_dsp_s8" if by_16 else "hil_tile_rectified_dsp_s8", stream


def _wide(graph: Graph, operator: Operator) -> _Stream:
    layer = _layer(graph, operator)
    if layer is None or (stream := wide_stream(*layer)) is None:
        return None
    return "hil_tile_wide_dsp_s8", stream


def _rows(graph: Graph, operator: Operator) -> Symbol:
    """How the rows of a window become rows of a column."""
    if conv2d_window(graph, operator)["dilation_w"] > 1:
        return Symbol("HIL_ROWS_APART")
    if _is_of_colours(graph, operator):
        return Symbol("HIL_ROWS_OF_COLOURS")
    return Symbol("HIL_ROWS_OF_BYTES" if _row_bytes(graph, operator) % 4 else "HIL_ROWS_OF_WORDS")


def _inside(graph: Graph, operator: Operator) -> dict[str, Field]:
    """The outputs whose windows lie inside, without the last row where there are no bytes to spare."""
    window = conv2d_window(graph, operator)
    rows, columns = inside_range(window, "h"), inside_range(window, "w")
    below = window["input_h"] - rows[1] * window["stride_h"] + window["pad_top"]
    below -= (window["kernel_h"] - 1) * window["dilation_h"]
    right = columns[1] * window["stride_w"] - window["pad_left"] + window["kernel_w"]
    spare = (below * window["input_w"] - right) * window["input_c"]
    if window["kernel_w"] * window["input_c"] % 4 and spare < 3 and not _is_of_colours(graph, operator):
        rows = (rows[0], rows[1] - 1)
    return {"inside_y": rows, "inside_x": columns}


def _copies(graph: Graph, operator: Operator) -> bool:
    """Is any window copied before it is expanded?"""
    window = conv2d_window(graph, operator)
    words = window["dilation_w"] == 1 and window["kernel_w"] * window["input_c"] % 4 == 0
    return reaches_outside(window) or not words


def _arguments(graph: Graph, operator: Operator, stream_of: _StreamOf) -> Arguments:
    found = stream_of(graph, operator)
    assert found is not None
    tile, stream = found
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_conv2d_dsp_params",
        params={
            "window": conv2d_window(graph, operator),
            "output_c": graph.tensors[operator.output].shape[3],
            "tile": Symbol(tile),
            "layer": {
                "stream": Constant("stream", stream),
                "depth": _depth(graph, operator),
            },
            "row_bytes": _row_bytes(graph, operator),
            **_inside(graph, operator),
            "rows": _rows(graph, operator),
        },
    )


def _is_pointwise(graph: Graph, operator: Operator) -> bool:
    window = conv2d_window(graph, operator)
    sizes = ("kernel_h", "kernel_w", "stride_h", "stride_w")
    return all(window[name] == 1 for name in sizes) and window["input_c"] % 4 == 0


def _scratch(graph: Graph, operator: Operator) -> int:
    depth = _depth(graph, operator)
    return 2 * _COLUMNS * depth + (_COLUMNS * (depth + 4) if _copies(graph, operator) else 0)


def _overlap(graph: Graph, operator: Operator) -> Overlap:
    channels = graph.tensors[operator.output].shape[3]
    return Overlap(0, forward_lead(conv2d_window(graph, operator), channels, _COLUMNS))


def _variants(name: str, stream_of: _StreamOf, general: bool) -> tuple[Variant, ...]:
    """Pointwise, and any window."""
    arguments = partial(_arguments, stream_of=stream_of)
    return (
        Variant(
            f"conv2d_s8/1x1_{name}",
            "hil_conv2d_1x1_dsp_s8",
            arguments,
            accepts=lambda graph, operator: (
                _is_pointwise(graph, operator) and stream_of(graph, operator) is not None
            ),
            scratch_bytes=lambda graph, operator: 2 * _COLUMNS * _depth(graph, operator),
            overlap=_overlap,
            general=general,
        ),
        Variant(
            f"conv2d_s8/{name}",
            "hil_conv2d_dsp_s8",
            arguments,
            accepts=lambda graph, operator: stream_of(graph, operator) is not None,
            scratch_bytes=_scratch,
            overlap=_overlap,
            general=general,
        ),
    )


VARIANTS = (*_variants("dsp", _packed, False), *_variants("wide_dsp", _wide, True))
