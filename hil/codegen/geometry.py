"""Shapes as the kernels want them: windows, broadcasts, and dimensions merged where the bytes allow it."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from hil.codegen.call import Field
from hil.graph.types import (
    AveragePool2D,
    Borders,
    Conv2D,
    DepthwiseConv2D,
    Graph,
    MaxPool2D,
    Operator,
    Tensor,
)


def window_fields(
    source: Tensor,
    output: Tensor,
    *,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
    borders: Borders | None = None,
) -> dict[str, int]:
    """The fields of `hil_window`.

    The output's shape already tells SAME from VALID: what the windows need beyond the input is padding, the
    smaller half of it in front, unless `borders` says otherwise.

    Args:
        source: activation (1, H, W, C).
        output: activation (1, OH, OW, ...).
        kernel, stride, dilation: (vertical, horizontal).
        borders: padding in front; None where SAME or VALID tells it.
    """
    sizes = source.shape[1:3]
    pads = (
        [borders.top, borders.left]
        if borders is not None
        else [
            max((out - 1) * step + (taps - 1) * spread + 1 - size, 0) // 2
            for size, out, taps, step, spread in zip(
                sizes, output.shape[1:3], kernel, stride, dilation, strict=True
            )
        ]
    )
    return {
        "input_h": sizes[0],
        "input_w": sizes[1],
        "input_c": source.shape[3],
        "kernel_h": kernel[0],
        "kernel_w": kernel[1],
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h": dilation[0],
        "dilation_w": dilation[1],
        "pad_top": pads[0],
        "pad_left": pads[1],
        "output_h": output.shape[1],
        "output_w": output.shape[2],
        "padding_value": source.zero_point,
    }


def window_of(graph: Graph, operator: Operator) -> dict[str, int]:
    """The fields of `hil_window` of a convolution or pool."""
    options = operator.options
    match options:
        case Conv2D() | DepthwiseConv2D():
            _, kernel_h, kernel_w, _ = graph.tensors[operator.inputs[1]].shape
            dilation = (options.dilation_h, options.dilation_w)
        case AveragePool2D() | MaxPool2D():
            kernel_h, kernel_w, dilation = options.filter_h, options.filter_w, (1, 1)
        case _:
            raise TypeError(f"{operator.name} has no window")
    return window_fields(
        graph.tensors[operator.inputs[0]],
        graph.tensors[operator.output],
        kernel=(kernel_h, kernel_w),
        stride=(options.stride_h, options.stride_w),
        dilation=dilation,
        borders=options.borders,
    )


def reaches_outside(window: Mapping[str, int]) -> bool:
    """Does any window need padding?"""
    if window["pad_top"] > 0 or window["pad_left"] > 0:
        return True
    bottom = (window["output_h"] - 1) * window["stride_h"] + (window["kernel_h"] - 1) * window["dilation_h"]
    right = (window["output_w"] - 1) * window["stride_w"] + (window["kernel_w"] - 1) * window["dilation_w"]
    return bottom >= window["input_h"] or right >= window["input_w"]


def inside_range(window: Mapping[str, int], axis: str) -> tuple[int, int]:
    """First and last output along an axis ("h" or "w") whose window lies inside; (0, -1) where none does."""
    stride, reach = window[f"stride_{axis}"], (window[f"kernel_{axis}"] - 1) * window[f"dilation_{axis}"]
    pad = window["pad_top" if axis == "h" else "pad_left"]
    first = -(-pad // stride)
    last = min((window[f"input_{axis}"] - 1 - reach + pad) // stride, window[f"output_{axis}"] - 1)
    return (first, last) if first <= last else (0, -1)


def forward_lead(window: Mapping[str, int], output_c: int, pixels: int) -> int:
    """How far before the input an output may start that a kernel writes forwards, `pixels` pixels at a time.

    A kernel reads the windows of some neighbouring outputs, writes those outputs, and goes on; what is left
    at the end it does one by one.  What it has written by then must end before the first input byte that a
    later window reads.

    Returns:
        Bytes for `hil.memory.Overlap.lead_bytes`; negative where the input shrinks.
    """
    rows, columns = window["output_h"], window["output_w"]
    top = np.maximum(np.arange(rows) * window["stride_h"] - window["pad_top"], 0)
    left = np.maximum(np.arange(columns) * window["stride_w"] - window["pad_left"], 0)
    starts = (top[:, None] * window["input_w"] + left[None, :]).reshape(-1) * window["input_c"]
    needed = np.minimum.accumulate(starts[::-1])[::-1]  # by this output or a later one
    count = rows * columns
    done = np.array(
        [*range(pixels, count, pixels), *range(count // pixels * pixels + 1, count)], dtype=np.int64
    )
    if not done.size:
        return -window["input_h"] * window["input_w"] * window["input_c"]
    return int(np.max(done * output_c - needed[done]))


def broadcast_fields(a: tuple[int, ...], b: tuple[int, ...]) -> dict[str, Field] | None:
    """The fields of `hil_broadcast`, or None where more than four dimensions remain after merging.

    Adjacent dimensions along which both operands run, or along which the same one repeats, are merged.
    """
    rank = max(len(a), len(b))
    shape_a = (1,) * (rank - len(a)) + a
    shape_b = (1,) * (rank - len(b)) + b
    merged: list[tuple[int, bool, bool]] = []  # size, does a run along it, does b
    for size_a, size_b in zip(shape_a, shape_b, strict=True):
        size = max(size_a, size_b)
        if size == 1:
            continue
        runs = (size_a == size, size_b == size)
        if merged and merged[-1][1:] == runs:
            merged[-1] = (merged[-1][0] * size, *runs)
        else:
            merged.append((size, *runs))
    if len(merged) > 4:
        return None
    sizes = [size for size, _, _ in merged]
    return {
        "size": _pad_front(sizes, 1),
        "step_a": _pad_front(_steps(sizes, [runs for _, runs, _ in merged]), 0),
        "step_b": _pad_front(_steps(sizes, [runs for _, _, runs in merged]), 0),
    }


def _steps(sizes: list[int], runs: list[bool]) -> list[int]:
    """Bytes from one element to the next along each dimension; 0 where the operand repeats."""
    inner = [
        prod(size for size, run in zip(sizes[d + 1 :], runs[d + 1 :], strict=True) if run)
        for d in range(len(sizes))
    ]
    return [step if run else 0 for step, run in zip(inner, runs, strict=True)]


def _pad_front(values: list[int], fill: int) -> tuple[int, ...]:
    return tuple([fill] * (4 - len(values)) + values)
