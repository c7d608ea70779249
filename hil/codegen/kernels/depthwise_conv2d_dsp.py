"""DEPTHWISE_CONV_2D on a core with DSP: 3x3, four channels at a time along lines of the map.

What the kernel does with the numbers made here is told in hil_depthwise_conv2d_dsp_s8.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.dsp import OUTPUT_SHIFT, Sums, sums_of
from hil.codegen.dsp_steps import BoundedRescale, bounded_rescale
from hil.codegen.geometry import window_of
from hil.codegen.stage import convolution_factors
from hil.graph.types import DepthwiseConv2D, Graph, Operator
from hil.memory import Overlap

_CHANNELS = 4
#: Of the pre-shift, 2 bits are in the values and the rest in the weights: -128 << 8 fits into int16.
_VALUE_SHIFT, _LARGEST_WEIGHT_SHIFT = 2, 8
_PRESHIFTS = (_VALUE_SHIFT, _VALUE_SHIFT + _LARGEST_WEIGHT_SHIFT)
_NO_TIES = 0x80
_ORDER = [0, 3, 1, 4, 6, 2, 7, 5, 8]


@dataclass(frozen=True)
class _Lines:
    """A map as lines: rows, or columns where that is better.

    Attributes:
        across: lines are columns.
        stride: 1 or 2.
        pad, pad_line: before the pixels of a line, before the first line.
        length, lines: of the input.
        output_length, output_lines: of the output.
    """

    across: bool
    stride: int
    pad: int
    pad_line: int
    length: int
    lines: int
    output_length: int
    output_lines: int

    @property
    def made(self) -> int:
        """Outputs of a line that a sweep makes: with stride 1 it makes two at a time."""
        return self.output_length if self.stride == 2 else self.output_length + self.output_length % 2

    @property
    def columns(self) -> int:
        """That a sweep reads."""
        return (self.made - 1) * self.stride + 3

    @property
    def turns(self) -> int:
        """Half turns of a sweep's loop come in twos, but for the first one."""
        halves = self.made if self.stride == 2 else self.made // 2
        return (-(-halves // 2) - 1) << 1 | halves % 2

    @property
    def cost(self) -> int:
        """Cycles of a group of channels, about: each line has its overhead, so few long ones are better."""
        pairs = self.output_lines // (2 // self.stride) + 1
        return pairs * 19 * self.length + self.output_lines * (4 * (13 * self.made + 35) + 100)


def _options(operator: Operator) -> DepthwiseConv2D:
    options = operator.options
    assert isinstance(options, DepthwiseConv2D)
    return options


def _lines(window: Mapping[str, int]) -> _Lines:
    """Columns only where the output has the input's shape, so that it may lie over it whichever it is."""
    stride = window["stride_h"]

    def along(length: str, lines: str, pad: str, pad_line: str, across: bool) -> _Lines:
        return _Lines(
            across=across,
            stride=stride,
            pad=window[pad],
            pad_line=window[pad_line],
            length=window[f"input_{length}"],
            lines=window[f"input_{lines}"],
            output_length=window[f"output_{length}"],
            output_lines=window[f"output_{lines}"],
        )

    rows = along("w", "h", "pad_left", "pad_top", False)
    columns = along("h", "w", "pad_top", "pad_left", True)
    same = rows.length == rows.output_length and rows.lines == rows.output_lines and stride == 1
    return columns if same and columns.cost < rows.cost else rows


def _sums(graph: Graph, operator: Operator) -> tuple[Sums, NDArray[np.int8]] | None:
    """The sums, and the weights as (channels, 3 along lines, 3 across)."""
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    tensor = graph.tensors[operator.inputs[1]]
    weights = np.asarray(tensor.data, dtype=np.int8)[0].transpose(2, 1, 0)  # (channels, x, y)
    factors = convolution_factors(source, tensor, output)
    flat = weights.reshape(len(weights), -1)
    sums = sums_of(graph, operator, flat, factors, _options(operator).activation)
    return None if sums is None else (sums, weights)


def _rescales(sums: Sums) -> list[BoundedRescale] | None:
    result = [bounded_rescale(sums, channel, _PRESHIFTS) for channel in range(len(sums.factors))]
    return [rescale for rescale in result if rescale is not None] if None not in result else None


def _stream(sums: Sums, weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """What the kernel reads of each channel, little-endian and without gaps.

    4 bytes  bias, which the shifted sum begins with
    4        multiplier
    9        weights w[column][line]: 00 10 01 11 20 02 21 12 22, so that SXTB16 makes pairs of lines
    1        shift of the weights; bit 7: ties of a negative sum need no correction
    """
    rescales = _rescales(sums)
    assert rescales is not None
    rows = []
    for rescale, taps in zip(rescales, weights, strict=True):
        kept = np.zeros_like(taps) if rescale.steady else taps
        # The ring holds 4 (x + 128).
        bias = rescale.bias - (128 * int(kept.astype(np.int64).sum()) << rescale.preshift)
        words = np.array([bias & 0xFFFFFFFF, rescale.multiplier], dtype="<u4")
        shift = rescale.preshift - _VALUE_SHIFT | (0 if rescale.ties else _NO_TIES)
        rows.append(words.tobytes() + kept.reshape(-1)[_ORDER].tobytes() + bytes([shift]))
    return np.frombuffer(b"".join(rows), dtype=np.int8)


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    window = window_of(graph, operator)
    lines = _lines(window)
    found = _sums(graph, operator)
    assert found is not None
    sums, weights = found
    channels = window["input_c"]
    steps = [channels, window["input_w"] * channels, channels, window["output_w"] * channels]
    if lines.across:
        weights = weights.transpose(0, 2, 1)
        steps = [steps[1], steps[0], steps[3], steps[2]]
    kind = "rectified" if sums.rectified else "signed"
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_dsp_params",
        params={
            "groups": channels // _CHANNELS,
            "stride": lines.stride,
            "input_length": min(lines.length, lines.columns - lines.pad),
            "input_lines": lines.lines,
            "input_step": steps[0],
            "input_line_step": steps[1],
            "output_length": lines.output_length,
            "output_lines": lines.output_lines,
            "output_step": steps[2],
            "output_line_step": steps[3],
            "pad": lines.pad,
            "pad_line": lines.pad_line,
            "padding": 0x01010101 * (window["padding_value"] & 0xFF),
            "columns": lines.columns,
            "turns": lines.turns,
            "addend": (1 << (OUTPUT_SHIFT - 1)) + (sums.zero_point << OUTPUT_SHIFT),
            "channels": Constant("channels", _stream(sums, np.ascontiguousarray(weights))),
            "sweeps": Symbol(f"&hil_depthwise_{kind}{'_by_2' if lines.stride == 2 else ''}_dsp_s8"),
        },
    )


def _accepts(graph: Graph, operator: Operator) -> bool:
    options, window = _options(operator), window_of(graph, operator)
    if (
        options.multiplier != 1
        or (window["kernel_h"], window["kernel_w"]) != (3, 3)
        or (window["dilation_h"], window["dilation_w"]) != (1, 1)
        or (window["stride_h"], window["stride_w"]) not in ((1, 1), (2, 2))
        or window["input_c"] % _CHANNELS
    ):
        return False
    found = _sums(graph, operator)
    lines = _lines(window)
    return found is not None and _rescales(found[0]) is not None and lines.columns > lines.pad


def _scratch(graph: Graph, operator: Operator) -> int:
    lines = _lines(window_of(graph, operator))
    block = 4 * (10 if graph.tensors[operator.output].zero_point == -128 else 11)
    return _CHANNELS * (2 if lines.stride == 1 else 1) * block + 32 * lines.columns + 4 * lines.made


def _overlap(graph: Graph, operator: Operator) -> Overlap | None:
    """The output over the input from its start, where each byte has been read before it is written.

    Each group of channels is on its own, for its bytes are the same ones of every pixel in both.
    """
    window = window_of(graph, operator)
    lines = _lines(window)
    if lines.across:  # of one shape, and lines are written behind those that are in the ring
        return Overlap(0) if lines.pad_line <= 1 else None
    last = np.arange(lines.output_lines)  # line of the input up to which all are in the ring
    pair = last // 2 if lines.stride == 1 else last
    unread = (2 * (pair + 1) + 2 - lines.pad_line) * lines.length
    written = (last + 1) * lines.output_length
    safe = (written <= unread) | (unread >= lines.lines * lines.length)
    return Overlap(0) if bool(np.all(safe)) else None


VARIANTS = (
    Variant(
        "depthwise_conv2d_s8/dsp",
        "hil_depthwise_conv2d_dsp_s8",
        _arguments,
        accepts=_accepts,
        scratch_bytes=_scratch,
        overlap=_overlap,
    ),
)
