"""DEPTHWISE_CONV_2D on a core with DSP: 3x3, four channels at a time along lines of the map.

What the kernel does with the numbers made here is told in hil_depthwise_conv2d_dsp_s8.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.depthwise_stream import GROUP, four_times, shared_addend, stream, sums_and_weights, takes
from hil.codegen.geometry import window_of
from hil.graph.types import Graph, Operator
from hil.memory import Overlap


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
    def cycles(self) -> int:
        """Of a group of channels, about: each line has its overhead, so few long ones are better."""
        pairs = self.output_lines // (2 // self.stride) + 1
        output = 13 if self.stride == 1 else 16
        return (
            pairs * (19 * self.length + 50)
            + self.output_lines * (GROUP * (output * self.made + 43) + 5 * self.output_length + 70)
            + 300
        )


def lines_of(window: Mapping[str, int]) -> _Lines:
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
    return columns if same and columns.cycles < rows.cycles else rows


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    window = window_of(graph, operator)
    lines = lines_of(window)
    found = sums_and_weights(graph, operator)
    assert found is not None
    sums, weights = found
    channels = window["input_c"]
    steps = [channels, window["input_w"] * channels, channels, window["output_w"] * channels]
    if lines.across:
        steps = [steps[1], steps[0], steps[3], steps[2]]
    else:
        weights = weights.transpose(0, 2, 1)  # for each place along a line, three lines
    kind = "rectified" if sums.rectified else "signed"
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_dsp_params",
        params={
            "groups": channels // GROUP,
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
            "padding": four_times(window["padding_value"]),
            "columns": lines.columns,
            "turns": lines.turns,
            "addend": shared_addend(sums),
            "channels": Constant("channels", stream(sums, np.ascontiguousarray(weights))),
            "sweeps": Symbol(f"&hil_depthwise_{kind}{'_by_2' if lines.stride == 2 else ''}_dsp_s8"),
        },
    )


def _accepts(graph: Graph, operator: Operator) -> bool:
    lines = lines_of(window_of(graph, operator))
    return takes(graph, operator, kernels=(3,)) and lines.columns > lines.pad


def _scratch(graph: Graph, operator: Operator) -> int:
    lines = lines_of(window_of(graph, operator))
    block = 4 * (10 if graph.tensors[operator.output].zero_point == -128 else 11)
    return GROUP * (2 if lines.stride == 1 else 1) * block + 32 * lines.columns + 4 * lines.made


def _overlap(graph: Graph, operator: Operator) -> Overlap | None:
    """The output over the input from its start, where each byte has been read before it is written.

    Each group of channels is on its own, for its bytes are the same ones of every pixel in both.
    """
    window = window_of(graph, operator)
    lines = lines_of(window)
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
