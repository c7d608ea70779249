"""Which channels can only go together: the output channel of a depthwise convolution with its input channel,
the three channels of a residual addition, the many places of a channel after a flatten.

Channels are joined into classes (disjoint sets); a class is `pinned` where something needs its channels to be
there: the model's input and output, and operators that mix channels in a way that cannot be rewritten.
Convolutions and dense layers join nothing: each of their input channels may go by itself, where its share
can be folded into the bias (hil.optimize.constant_channels).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.graph import types
from hil.graph.types import Graph, Operator, Tensor
from hil.optimize.intervals import channels_of

Indices = NDArray[np.intp]

# One value in, one value out, channel by channel.
_CHANNELWISE = (
    types.AveragePool2D,
    types.MaxPool2D,
    types.Logistic,
    types.Tanh,
    types.HardSwish,
    types.LeakyRelu,
    types.Relu,
    types.Quantize,
)


class Fates:
    """The classes of a graph's channels.

    Attributes:
        pinned: per class, whether its channels have to stay.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._first: dict[int, int] = {}
        count = 0
        for index in (graph.input, *(operator.output for operator in graph.operators)):
            self._first[index] = count
            count += channels_of(graph.tensors[index])
        self._parent = list(range(count))
        self._pins: list[int] = []
        self._pin(graph.input)
        self._pin(graph.output)
        for operator in graph.operators:
            self._couple(operator)
        roots = np.array([self._root(node) for node in range(count)], np.intp)
        _, self._classes = np.unique(roots, return_inverse=True)
        self.pinned = np.zeros(int(self._classes.max()) + 1, np.bool_)
        self.pinned[self._classes[self._pins]] = True

    def of(self, tensor: int) -> Indices:
        """The class of each channel of an activation."""
        first = self._first[tensor]
        classes: Indices = self._classes[first : first + channels_of(self._graph.tensors[tensor])]
        return classes

    # ---- classes

    def _root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def _join(self, a: int, channels_a: Indices, b: int, channels_b: Indices) -> None:
        """Channels `channels_a` of tensor a with `channels_b` of tensor b, one by one."""
        first_a, first_b = self._first[a], self._first[b]
        for channel_a, channel_b in zip(channels_a.tolist(), channels_b.tolist(), strict=True):
            root_a, root_b = self._root(first_a + channel_a), self._root(first_b + channel_b)
            self._parent[max(root_a, root_b)] = min(root_a, root_b)

    def _pin(self, tensor: int) -> None:
        first = self._first[tensor]
        self._pins.extend(range(first, first + channels_of(self._graph.tensors[tensor])))

    # ---- operators

    def _couple(self, operator: Operator) -> None:
        source, output = self._graph.tensors[operator.inputs[0]], self._graph.tensors[operator.output]
        match operator.options:
            case types.Conv2D():
                pass
            case types.FullyConnected():
                if not takes_whole_pixels(self._graph, operator):
                    self._pin(source.index)
            case types.DepthwiseConv2D(multiplier=multiplier):
                channels = np.arange(channels_of(output))
                self._join(output.index, channels, source.index, channels // multiplier)
            case types.Add() | types.Sub() | types.Mul():
                self._binary(operator)
            case types.Concatenation(axis=axis):
                self._concatenation(operator, along_channels=axis == len(output.shape) - 1)
            case types.Reshape():
                self._reshape(source, output)
            case types.Pad(paddings=paddings) if paddings and paddings[-1] == (0, 0):
                self._alike(source, output)
            case types.Mean(axes=axes) if len(source.shape) - 1 not in axes:
                self._alike(source, output)
            case options if isinstance(options, _CHANNELWISE):
                self._alike(source, output)
            case _:
                self._pin(source.index)
                self._pin(output.index)

    def _alike(self, source: Tensor, output: Tensor) -> None:
        channels = np.arange(channels_of(output))
        self._join(output.index, channels, source.index, channels)

    def _binary(self, operator: Operator) -> None:
        """A constant operand has no fate of its own: it is cut to fit."""
        output = self._graph.tensors[operator.output]
        for index in operator.inputs:
            tensor = self._graph.tensors[index]
            if tensor.is_constant:
                continue
            if channels_of(tensor) == channels_of(output):
                self._alike(tensor, output)
            else:  # one channel that all of the output's share
                self._pin(index)

    def _concatenation(self, operator: Operator, *, along_channels: bool) -> None:
        begin = 0
        for index in operator.inputs:
            count = channels_of(self._graph.tensors[index])
            channels = np.arange(count)
            if not self._graph.tensors[index].is_constant:
                self._join(operator.output, begin + channels, index, channels)
            begin += count if along_channels else 0

    def _reshape(self, source: Tensor, output: Tensor) -> None:
        """Channels come round in the same order on both sides where one count divides the other."""
        few, many = sorted((source, output), key=channels_of)
        if channels_of(many) % channels_of(few):
            self._pin(source.index)
            self._pin(output.index)
            return
        channels = np.arange(channels_of(many))
        self._join(many.index, channels, few.index, channels % channels_of(few))


def takes_whole_pixels(graph: Graph, operator: Operator) -> bool:
    """Does each row of a dense layer hold whole pixels, so that feature i is channel i mod channels?"""
    features = graph.tensors[operator.inputs[1]].shape[1]
    return features % channels_of(graph.tensors[operator.inputs[0]]) == 0
