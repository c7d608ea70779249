"""Take out channels that cannot matter, and fold what they contribute into biases: bit-exact, Graph -> Graph.

A channel can go where every operator that reads it can do without it:

    convolution, dense    the channel is constant, so that its share of every sum is; the bias takes it in.
                          Windows that reach outside see the zero point there, so the constant has to be the
                          zero point then (its share is 0).  Or all weights that it meets are 0.
    all others            the channels that are computed from it go as well (hil.optimize.fates)

What is constant, interval analysis proves (hil.optimize.intervals): for every input of the model, not for
those of some data set.

Kernels are fastest on multiples of 4 channels, so a layer with weights keeps a multiple of 4, or all of its
channels where they are fewer; some constant channels stay for that.  No layer loses all channels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hil.codegen.geometry import reaches_outside, window_of
from hil.graph import types
from hil.graph.compact import compact
from hil.graph.types import Graph, Operator, Quantization, Tensor
from hil.optimize.fates import Fates, takes_whole_pixels
from hil.optimize.intervals import Interval, channels_of, intervals

Mask = NDArray[np.bool_]

NAME = "constant-channels"
"""How the pass is named in `hil.measure(..., optimize=...)`."""

_INT32_MAX = (1 << 31) - 1


def remove_constant_channels(graph: Graph) -> Graph:
    """The same function with fewer channels.

    Args:
        graph: a finished network; what can go depends on its weights.

    Returns:
        A graph whose output is the same for every input, byte by byte.  `flatbuffer` is still the original
        file, so that outputs are held against the original model.  `digest` is the SHA-256 of
        "<digest of the original>:constant-channels", so that the two images can be told apart.
        Where nothing can go, `graph` itself.
    """
    smaller = graph
    while True:
        known = intervals(smaller)
        kept = _kept(smaller, known)
        if all(mask.all() for mask in kept.values()):
            break
        smaller = _Cut(smaller, known, kept).graph()
    if smaller is graph:
        return graph
    return replace(smaller, digest=hashlib.sha256(f"{graph.digest}:{NAME}".encode()).hexdigest())


# ---- what can go


def _kept(graph: Graph, known: Mapping[int, Interval]) -> Mapping[int, Mask]:
    """Per activation, which of its channels stay."""
    fates = Fates(graph)
    stays = fates.pinned.copy()
    for operator in graph.operators:
        if isinstance(operator.options, types.Conv2D | types.FullyConnected):
            source = operator.inputs[0]
            stays[fates.of(source)[_is_needed(graph, operator, known[source])]] = True
    wanted = [(fates.of(operator.output), _multiple(operator)) for operator in graph.operators]
    while (class_ := _one_too_few(wanted, stays)) is not None:
        stays[class_] = True
    activations = (graph.input, *(operator.output for operator in graph.operators))
    return {index: stays[fates.of(index)] for index in activations}


def _multiple(operator: Operator) -> int:
    """What the number of channels of its output has to be a multiple of."""
    weighted = isinstance(operator.options, types.Conv2D | types.DepthwiseConv2D | types.FullyConnected)
    return 4 if weighted else 1


def _one_too_few(wanted: Sequence[tuple[NDArray[np.intp], int]], stays: Mask) -> int | None:
    """A class that has to stay after all.  Args: per output, the classes of its channels and the multiple."""
    for classes, multiple in wanted:
        staying = stays[classes]
        count = int(staying.sum())
        if count < staying.size and (count % multiple or count == 0):
            return int(classes[~staying][0])
    return None


def _is_needed(graph: Graph, operator: Operator, interval: Interval) -> Mask:
    """Per input channel of a convolution or dense layer: can it not do without?"""
    source = graph.tensors[operator.inputs[0]]
    weights = _by_channel(graph, operator)
    if weights is None:
        return np.ones(channels_of(source), np.bool_)
    foldable = interval.is_constant
    if _pads(graph, operator):
        foldable = foldable & (interval.low == source.zero_point)
    share = np.where(foldable, np.abs(weights).sum(axis=1) * abs(interval.low - source.zero_point), 0)
    bias = _bias(graph, operator)
    if (share.sum(axis=1) + abs(bias) > _INT32_MAX).any():
        foldable = np.zeros_like(foldable)  # a bias that wraps: nothing that a trained network has
    needed: Mask = ~foldable & (weights != 0).any(axis=(0, 1))
    return needed


def _pads(graph: Graph, operator: Operator) -> bool:
    """Does a window of the operator reach outside of its input?"""
    return isinstance(operator.options, types.Conv2D) and reaches_outside(window_of(graph, operator))


def _by_channel(graph: Graph, operator: Operator) -> NDArray[np.int64] | None:
    """Weights of a convolution or dense layer as (outputs, taps, input channels); None where they mix up."""
    weights = graph.tensors[operator.inputs[1]]
    if isinstance(operator.options, types.FullyConnected) and not takes_whole_pixels(graph, operator):
        return None
    channels = channels_of(graph.tensors[operator.inputs[0]])
    return np.asarray(weights.data).astype(np.int64).reshape(weights.shape[0], -1, channels)


def _bias(graph: Graph, operator: Operator) -> NDArray[np.int64]:
    """The bias, zeros where there is none."""
    if len(operator.inputs) < 3:
        return np.zeros(channels_of(graph.tensors[operator.output]), np.int64)
    return np.asarray(graph.tensors[operator.inputs[2]].data).astype(np.int64).reshape(-1)


# ---- taking it out


class _Cut:
    """Rewrites a graph for the channels that stay.  New constants are appended, unused tensors dropped."""

    def __init__(self, graph: Graph, known: Mapping[int, Interval], kept: Mapping[int, Mask]) -> None:
        self._graph = graph
        self._known = known
        self._kept = kept
        self._tensors = list(graph.tensors)
        for index, mask in kept.items():
            tensor = graph.tensors[index]
            if tensor.shape:
                self._tensors[index] = replace(tensor, shape=(*tensor.shape[:-1], int(mask.sum())))

    def graph(self) -> Graph:
        """The graph without them."""
        operators = tuple(replace(op, inputs=self._inputs(op)) for op in self._graph.operators)
        return compact(replace(self._graph, tensors=tuple(self._tensors), operators=operators))

    def _inputs(self, operator: Operator) -> tuple[int, ...]:
        match operator.options:
            case types.Conv2D() | types.FullyConnected():
                return self._sum_of_products(operator)
            case types.DepthwiseConv2D():
                return self._depthwise(operator)
            case types.Add() | types.Sub() | types.Mul():
                return tuple(self._operand(index, self._kept[operator.output]) for index in operator.inputs)
            case types.Concatenation(axis=axis):
                return self._concatenated(operator, along_channels=axis == self._rank(operator) - 1)
            case _:
                return operator.inputs

    def _rank(self, operator: Operator) -> int:
        return len(self._graph.tensors[operator.output].shape)

    def _sum_of_products(self, operator: Operator) -> tuple[int, ...]:
        source, rows = operator.inputs[0], self._kept[operator.output]
        columns, interval = self._kept[source], self._known[source]
        if columns.all() and rows.all():
            return operator.inputs
        tensor = self._graph.tensors[operator.inputs[1]]
        bias = _bias(self._graph, operator)
        data = np.asarray(tensor.data)
        weights = _by_channel(self._graph, operator)
        if weights is not None and not columns.all():
            gone = ~columns & interval.is_constant  # the others meet weights of 0
            offset = np.where(gone, interval.low - self._graph.tensors[source].zero_point, 0)
            bias = bias + weights.sum(axis=1) @ offset
            data = weights[:, :, columns].astype(np.int8)
        cut = data.reshape(*tensor.shape[:-1], -1)[rows]
        return (source, self._weights(tensor, cut, rows), self._new_bias(operator, bias[rows]))

    def _depthwise(self, operator: Operator) -> tuple[int, ...]:
        rows = self._kept[operator.output]
        if rows.all():
            return operator.inputs
        tensor = self._graph.tensors[operator.inputs[1]]
        weights = self._weights(tensor, np.asarray(tensor.data)[..., rows], rows)
        if len(operator.inputs) < 3:
            return (operator.inputs[0], weights)
        return (operator.inputs[0], weights, self._new_bias(operator, _bias(self._graph, operator)[rows]))

    def _concatenated(self, operator: Operator, *, along_channels: bool) -> tuple[int, ...]:
        inputs, begin = [], 0
        for index in operator.inputs:
            count = channels_of(self._graph.tensors[index])
            kept = self._kept[operator.output][begin : begin + count]
            if kept.any():  # a constant part may be gone altogether
                inputs.append(self._operand(index, kept))
            begin += count if along_channels else 0
        return tuple(inputs)

    # ---- constants

    def _operand(self, index: int, kept: Mask) -> int:
        """A constant operand, cut to the channels that stay; an activation as it is."""
        tensor = self._graph.tensors[index]
        if tensor.data is None or kept.all() or channels_of(tensor) != kept.size:
            return index
        return self._append(replace(tensor, data=tensor.data[..., kept]))

    def _weights(self, tensor: Tensor, data: NDArray[np.generic], rows: Mask) -> int:
        quantization = tensor.quantization
        assert quantization is not None  # the reader has checked
        if len(quantization.scale) > 1:
            chosen = np.flatnonzero(rows).tolist()
            quantization = Quantization(
                tuple(quantization.scale[row] for row in chosen),
                tuple(quantization.zero_point[row] for row in chosen),
                quantization.axis,
            )
        return self._append(replace(tensor, data=data, quantization=quantization))

    def _new_bias(self, operator: Operator, values: NDArray[np.int64]) -> int:
        """The scale of a bias follows from those of input and weights; nothing reads it."""
        name = f"{self._graph.tensors[operator.output].name}/bias"
        if len(operator.inputs) > 2:
            name = self._graph.tensors[operator.inputs[2]].name
        return self._append(Tensor(0, name, (values.size,), "int32", None, values.astype(np.int32)))

    def _append(self, tensor: Tensor) -> int:
        """`tensor` with the shape of its data, read-only, at the end of the list."""
        assert tensor.data is not None
        data = np.ascontiguousarray(tensor.data)
        data.setflags(write=False)
        self._tensors.append(replace(tensor, index=len(self._tensors), shape=data.shape, data=data))
        return len(self._tensors) - 1
