"""CONV_2D by Winograd's F(2x2, 3x3) on a core with DSP: faster than conv2d_dsp.py, for more scratch.

A band is the tiles (2 x 2 outputs) whose inputs are transformed together.  The weights are transformed once
for each band, so more tiles mean fewer instructions.  Weights of few channels may be transformed here
instead, where a word of flash for each of their 16 products is no matter; the smallest band is as good then.

hil_winograd_dsp_s8.h has the mathematics: what the products sum up to is 4 times the sums of the layer,
exactly, so that they are requantized with a preshift of 2 already done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Faster, Variant
from hil.codegen.dsp import Rescale, Sums, by_shift, sums_of
from hil.codegen.kernels import conv2d_work
from hil.codegen.kernels.conv2d import conv2d_window
from hil.codegen.stage import convolution_factors
from hil.graph.types import Conv2D, Graph, Operator
from hil.memory import Overlap

#: Tiles that the inner loop takes at a time.
_GROUP = 3
#: From the widest band on, transforming weights is a twentieth of the work, and from the wide one on a tenth.
_WIDEST_BAND, _WIDE_BAND = 24, 12
#: What transforming the weights of one layer beforehand may cost.
_MOST_EXTRA_FLASH_BYTES = 8192
#: Of outputs: the kernel keeps half the step between two rows in 16 bits, the highest of which stays free.
_LONGEST_ROW_BYTES = 65536
#: The sums come out multiplied by 2^2.
_PRESHIFT = 2
#: Rows of a 3x3 kernel as hil_winograd_weights_dsp_s8 reads them.
_ROW_ORDER = (0, 2, 1)
#: G without its halves.
_G = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 1]], dtype=np.int16)
#: Four channels as SXTB16 makes two pairs of them.
_PAIRS = (0, 2, 1, 3)


@dataclass(frozen=True)
class Form:
    """How one operator is computed.

    Attributes:
        band: tiles whose inputs are transformed together, a multiple of 3.
        transformed: the weights are transformed in flash.
    """

    band: int
    transformed: bool = False

    @property
    def name(self) -> str:
        """As in reports; the band is left out, as cost models know kernels by their names."""
        return f"conv2d_s8/winograd{'_flash' if self.transformed else ''}_dsp"


def faster(graph: Graph, operator: Operator) -> tuple[Faster, ...]:
    """The forms that are worth their scratch, the best first."""
    return tuple(
        Faster(variant(form), saved)
        for form in (_forms(graph, operator) if _accepts(graph, operator) else ())
        if (saved := _saved(graph, operator, form)) > 0
    )


def _forms(graph: Graph, operator: Operator) -> tuple[Form, ...]:
    tiles = _tiles(graph, operator)
    groups = -(-tiles["output_h"] * tiles["output_w"] // _GROUP)
    bands = range(min(groups * _GROUP, _WIDEST_BAND), 0, -_GROUP)
    weights = graph.tensors[operator.inputs[1]].shape
    extra = (32 * _depth(graph, operator) - 9 * weights[3]) * weights[0]
    return (
        *(Form(band) for band in bands if band >= _WIDE_BAND),
        *([Form(_GROUP, transformed=True)] if extra <= _MOST_EXTRA_FLASH_BYTES else ()),
        *(Form(band) for band in bands if band < _WIDE_BAND),
    )


def _saved(graph: Graph, operator: Operator, form: Form) -> int:
    """Instructions against the direct kernel."""
    window, tiles = conv2d_window(graph, operator), _tiles(graph, operator)
    channels, output_c = window["input_c"], graph.tensors[operator.output].shape[3]
    return conv2d_work.direct(
        window["output_h"] * window["output_w"], channels, output_c
    ) - conv2d_work.winograd(
        tiles["output_h"] * tiles["output_w"],
        channels,
        _depth(graph, operator),
        output_c,
        form.band,
        transforms_weights=not form.transformed,
    )


def variant(form: Form) -> Variant:
    """The kernel in one form."""
    return Variant(
        form.name,
        "hil_conv2d_winograd_dsp_s8",
        partial(_arguments, form=form),
        accepts=_accepts,
        scratch_bytes=partial(_scratch, form=form),
        overlap=partial(_overlap, form=form),
    )


def _accepts(graph: Graph, operator: Operator) -> bool:
    window = conv2d_window(graph, operator)
    steps = ("stride_h", "stride_w", "dilation_h", "dilation_w")
    if any(window[step] != 1 for step in steps) or (window["kernel_h"], window["kernel_w"]) != (3, 3):
        return False
    output_c = graph.tensors[operator.output].shape[3]
    if window["input_c"] % 4 or output_c % 2 or window["output_w"] * output_c >= _LONGEST_ROW_BYTES:
        return False
    sums = _sums(graph, operator)
    return sums is not None and _rescales(sums) is not None


def _weights(graph: Graph, operator: Operator) -> NDArray[np.int8]:
    """(channels, 3, 3, input channels)."""
    tensor = graph.tensors[operator.inputs[1]]
    return np.asarray(tensor.data, dtype=np.int8).reshape(tensor.shape)


def _sums(graph: Graph, operator: Operator) -> Sums | None:
    options = operator.options
    assert isinstance(options, Conv2D)
    source, weights, output = (
        graph.tensors[index] for index in (operator.inputs[0], operator.inputs[1], operator.output)
    )
    rows = _weights(graph, operator).reshape(weights.shape[0], -1)
    factors = convolution_factors(source, weights, output)
    return sums_of(graph, operator, rows, factors, options.activation)


def _rescales(sums: Sums) -> list[Rescale] | None:
    """One per channel, or None where a bound does not hold; 4 times the sum fits int32 where all do."""
    found = [by_shift(sums, channel, _PRESHIFT) for channel in range(len(sums.bias))]
    held = [rescale for rescale in found if rescale is not None]
    return held if len(held) == len(found) else None


def _depth(graph: Graph, operator: Operator) -> int:
    channels = graph.tensors[operator.inputs[0]].shape[3]
    return max(16, -(-channels // 8) * 8)


def _tiles(graph: Graph, operator: Operator) -> dict[str, int]:
    """The fields of `hil_window` of the tiles."""
    window = conv2d_window(graph, operator)
    return {
        **window,
        "kernel_h": 4,
        "kernel_w": 4,
        "stride_h": 2,
        "stride_w": 2,
        "output_h": -(-window["output_h"] // 2),
        "output_w": -(-window["output_w"] // 2),
    }


def _padded(weights: NDArray[np.int8], depth: int) -> NDArray[np.int8]:
    padded = np.zeros((*weights.shape[:3], depth), dtype=np.int8)
    padded[..., : weights.shape[3]] = weights
    return padded


def plain_words(weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """What hil_winograd_weights_dsp_s8 reads of two channels.

    Args:
        weights: (2, 3, 3, depth).
    """
    quads = weights[:, _ROW_ORDER].reshape(2, 9, -1, 4).transpose(0, 2, 1, 3)
    return np.frombuffer(quads.tobytes(), dtype=np.int32)


def transformed_words(weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """What hil_winograd_weights_dsp_s8 makes of two channels.

    Args:
        weights: (2, 3, 3, depth).
    """
    products = np.einsum("iy,cyxd,jx->ijdc", _G, weights.astype(np.int16), _G)
    quads = products.reshape(16, -1, 4, 2)[:, :, _PAIRS].reshape(16, -1, 2, 2)  # pair, channel of it, A or B
    return np.frombuffer(quads.transpose(0, 1, 3, 2).astype(np.int16).tobytes(), dtype=np.int32)


def _stream(rescales: list[Rescale], weights: NDArray[np.int8], form: Form) -> NDArray[np.int32]:
    """What the kernel walks through."""
    words = transformed_words if form.transformed else plain_words
    rows = []
    for channel in range(0, len(weights), 2):
        a, b = rescales[channel : channel + 2]
        biases = (a.bias << _PRESHIFT, b.bias << _PRESHIFT)
        scale = (*biases, a.multiplier, a.addend, a.shift, b.multiplier, b.addend, b.shift)
        rows.append(np.array([field & 0xFFFFFFFF for field in scale], dtype=np.uint32).view(np.int32))
        rows.append(words(weights[channel : channel + 2]))
    return np.concatenate(rows)


def _arguments(graph: Graph, operator: Operator, form: Form) -> Arguments:
    sums, depth = _sums(graph, operator), _depth(graph, operator)
    assert sums is not None
    rescales = _rescales(sums)
    assert rescales is not None
    output = graph.tensors[operator.output]
    stream = _stream(rescales, _padded(_weights(graph, operator), depth), form)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_conv2d_winograd_dsp_params",
        params={
            "tiles": _tiles(graph, operator),
            "stream": Constant("stream", stream),
            "transformed": int(form.transformed),
            "depth": depth,
            "output_h": output.shape[1],
            "output_w": output.shape[2],
            "output_c": output.shape[3],
            "is_signed": int(not sums.rectified),
            "band": form.band,
        },
    )


def _scratch(graph: Graph, operator: Operator, form: Form) -> int:
    depth = _depth(graph, operator)
    return (16 if form.transformed else 64) * depth + form.band * (32 * depth + 8)


def _overlap(graph: Graph, operator: Operator, form: Form) -> Overlap:
    """A band is read before its outputs are written; two rows at a time, from left to right.

    Before each band but the first, what was written so far must end before the first input byte that this
    band or a later one reads.
    """
    window, tiles = conv2d_window(graph, operator), _tiles(graph, operator)
    count = tiles["output_h"] * tiles["output_w"]
    if form.band >= count:
        return Overlap(0, -window["input_h"] * window["input_w"] * window["input_c"])
    row, column = np.divmod(np.arange(count), tiles["output_w"])
    top = np.maximum(2 * row - tiles["pad_top"], 0)
    left = np.maximum(2 * column - tiles["pad_left"], 0)
    bottom = np.minimum(2 * row + 1, window["output_h"] - 1)
    right = np.minimum(2 * column + 1, window["output_w"] - 1)
    reads = (top * window["input_w"] + left) * window["input_c"]
    writes = (bottom * window["output_w"] + right + 1) * graph.tensors[operator.output].shape[3]
    needed = np.minimum.accumulate(reads[::-1])[::-1]
    written = np.maximum.accumulate(writes)
    starts = np.arange(form.band, count, form.band)
    return Overlap(0, int(np.max(written[starts - 1] - needed[starts])))
