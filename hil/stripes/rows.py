"""Which rows of its input an operator needs for some rows of its output, and what it is for these rows alone.

    kind                      rows a to b (excluded) of the output need of the input
    convolutions, pools       a * stride - top   to   (b - 1) * stride - top + (kernel - 1) * dilation + 1
    PAD                       a - before         to   b - before
    elementwise               a                  to   b

all of it cut to the rows that the input has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hil.codegen.geometry import window_of
from hil.graph import types
from hil.graph.types import Borders, Graph, Operator, Options, Tensor

_WINDOWED = (types.Conv2D, types.DepthwiseConv2D, types.AveragePool2D, types.MaxPool2D)
_ELEMENTWISE = (
    types.Add,
    types.Sub,
    types.Mul,
    types.Relu,
    types.Quantize,
    types.Logistic,
    types.Tanh,
    types.HardSwish,
    types.LeakyRelu,
)


@dataclass(frozen=True)
class Rows:
    """Rows `first` to `end` (excluded) of a tensor (1,H,W,C)."""

    first: int
    end: int

    @property
    def count(self) -> int:
        return self.end - self.first

    def hull(self, other: Rows) -> Rows:
        """The smallest range that holds both."""
        return Rows(min(self.first, other.first), max(self.end, other.end))


def all_rows(tensor: Tensor) -> Rows:
    """Of a tensor (1,H,W,C)."""
    return Rows(0, tensor.shape[1])


def row_bytes(tensor: Tensor) -> int:
    """Of an int8 tensor (1,H,W,C)."""
    return tensor.shape[2] * tensor.shape[3]


def can_be_cut(graph: Graph, operator: Operator) -> bool:
    """Whether rows of its output can be computed from rows of its inputs."""
    output = graph.tensors[operator.output]
    inputs = [graph.tensors[index] for index in operator.inputs]
    activations = [tensor for tensor in inputs if not tensor.is_constant]
    if any(len(tensor.shape) != 4 for tensor in (output, *activations)):
        return False
    options = operator.options
    if isinstance(options, types.Pad):
        return options.paddings[0] == (0, 0)
    if isinstance(options, _ELEMENTWISE):
        return all(tensor.shape[1] == output.shape[1] for tensor in activations) and not any(
            tensor.is_constant and len(tensor.shape) >= 3 and tensor.shape[-3] > 1 for tensor in inputs
        )
    if isinstance(options, types.Concatenation):
        return options.axis > 1 and len(activations) == len(inputs)
    return isinstance(options, _WINDOWED)


def needed_rows(graph: Graph, operator: Operator, rows: Rows) -> Rows | None:
    """Of each activation that the operator reads; None where no row would be left of one."""
    options = operator.options
    if isinstance(options, types.Pad):
        before = options.paddings[1][0]
        first, end = rows.first - before, rows.end - before
    elif isinstance(options, _WINDOWED):
        window = window_of(graph, operator)
        first = rows.first * window["stride_h"] - window["pad_top"]
        last = (rows.end - 1) * window["stride_h"] - window["pad_top"]
        end = last + (window["kernel_h"] - 1) * window["dilation_h"] + 1
    else:
        return rows
    height = graph.tensors[operator.inputs[0]].shape[1]
    cut = Rows(max(first, 0), min(end, height))
    return cut if cut.count > 0 else None


def options_for(graph: Graph, operator: Operator, rows: Rows) -> Options:
    """The options under which the operator computes `rows` from its `needed_rows`."""
    options = operator.options
    if isinstance(options, types.Pad):
        before = options.paddings[1][0]
        height = graph.tensors[operator.inputs[0]].shape[1]
        vertical = (max(before - rows.first, 0), max(rows.end - before - height, 0))
        return replace(options, paddings=(options.paddings[0], vertical, *options.paddings[2:]))
    if isinstance(options, _WINDOWED):
        window = window_of(graph, operator)
        top = max(window["pad_top"] - rows.first * window["stride_h"], 0)
        return replace(options, borders=Borders(top, window["pad_left"]))
    return options
