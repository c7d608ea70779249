"""Multiply-accumulates of operators, padding included: what a convolution would do without borders.

operator            MACs
CONV_2D             OH * OW * O * KH * KW * C
DEPTHWISE_CONV_2D   OH * OW * (C * multiplier) * KH * KW
FULLY_CONNECTED     batch * O * I
others              0
"""

from __future__ import annotations

from math import prod

from hil.graph.types import (
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
    MaxPool2D,
    Mean,
    Operator,
)


def operator_macs(graph: Graph, operator: Operator) -> int:
    """MACs of one operator."""
    output = graph.tensors[operator.output]
    match operator.options:
        case Conv2D():
            return output.elements * prod(graph.tensors[operator.inputs[1]].shape[1:])
        case DepthwiseConv2D():
            return output.elements * prod(graph.tensors[operator.inputs[1]].shape[1:3])
        case FullyConnected():
            return output.elements * graph.tensors[operator.inputs[1]].shape[1]
        case _:
            return 0


def model_macs(graph: Graph) -> int:
    """MACs of one inference."""
    return sum(operator_macs(graph, operator) for operator in graph.operators)


def operator_work(graph: Graph, operator: Operator) -> int:
    """What an operator's inner loop counts: its MACs, or the values that a pool or a MEAN takes in."""
    match operator.options:
        case AveragePool2D(filter_h=height, filter_w=width) | MaxPool2D(filter_h=height, filter_w=width):
            return graph.tensors[operator.output].elements * height * width
        case Mean():
            return graph.tensors[operator.inputs[0]].elements
        case _:
            return operator_macs(graph, operator)
