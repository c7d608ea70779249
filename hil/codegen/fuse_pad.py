"""PAD in front of a convolution becomes the convolution's own padding: one operator and one tensor less.

Keras models have ZeroPadding2D before a convolution of stride 2 (MobileNet does), which the converter leaves
as PAD.  Windows see the zero point outside of the input, so a PAD that fills in the zero point is the same,
byte by byte.
"""

from __future__ import annotations

from dataclasses import replace

from hil.codegen.geometry import window_of
from hil.graph.compact import compact
from hil.graph.types import Borders, Conv2D, DepthwiseConv2D, Graph, Operator, Pad


def fuse_pad(graph: Graph) -> Graph:
    """The same function; `graph` itself where there is nothing to fuse.

    A PAD goes where every reader can do without it: a convolution, each of whose windows still meets the
    input.
    """
    pads = {operator.output: operator for operator in graph.operators if _fills_zero_point(graph, operator)}
    for operator in graph.operators:
        for tensor in operator.inputs:
            if tensor in pads and not _can_pad_itself(graph, operator, pads[tensor]):
                del pads[tensor]
    pads.pop(graph.output, None)
    if not pads:
        return graph
    operators = [
        _padding_itself(graph, operator, pads[operator.inputs[0]]) if operator.inputs[0] in pads else operator
        for operator in graph.operators
        if operator.output not in pads
    ]
    return compact(replace(graph, operators=tuple(operators)))


def _fills_zero_point(graph: Graph, operator: Operator) -> bool:
    """Is it a PAD of rows and columns only, with what a convolution takes for 0?"""
    options = operator.options
    if not isinstance(options, Pad) or len(options.paddings) != 4:
        return False
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    return (
        options.paddings[0] == options.paddings[3] == (0, 0)
        and options.value == source.zero_point == output.zero_point
        and source.scale == output.scale
    )


def _can_pad_itself(graph: Graph, operator: Operator, pad: Operator) -> bool:
    if not isinstance(operator.options, Conv2D | DepthwiseConv2D):
        return False
    window = window_of(graph, _padding_itself(graph, operator, pad))
    for axis, front in (("h", "pad_top"), ("w", "pad_left")):
        reach = (window[f"kernel_{axis}"] - 1) * window[f"dilation_{axis}"]
        last = (window[f"output_{axis}"] - 1) * window[f"stride_{axis}"] - window[front]
        if window[front] > reach or last >= window[f"input_{axis}"]:
            return False  # a window of padding alone
    return True


def _padding_itself(graph: Graph, operator: Operator, pad: Operator) -> Operator:
    """The convolution, reading the input of `pad`."""
    options = operator.options
    assert isinstance(options, Conv2D | DepthwiseConv2D)
    assert isinstance(pad.options, Pad)
    window = window_of(graph, operator)
    (top, _), (left, _) = pad.options.paddings[1:3]
    borders = Borders(top + window["pad_top"], left + window["pad_left"])
    return replace(
        operator,
        inputs=(pad.inputs[0], *operator.inputs[1:]),
        options=replace(options, borders=borders),
    )
