"""Cost of a Keras model: what its traced TensorFlow graph multiplies, stores and keeps.

A HyperModel builds whatever it likes (nested and shared layers, layers of the user's own), so not the layers
are counted but the operators that they come down to:

* MACs and weights are those of Conv2D, DepthwiseConv2dNative and MatMul, a shared weight counted once, with
  one bias for each output channel among the parameters; batch normalisation folds into them;
* bytes of weights are the int8 weights alone: equal biases may share their bytes;
* the peak is the largest single tensor among the network's input and the outputs of convolutions, products,
  pools, sums and concatenations.  None of them can be done without, whatever the converter fuses and wherever
  kernels write over their input: a lower bound of every arena.
"""

from __future__ import annotations

from math import prod
from typing import Any

from search.space.base import Cost

_MULTIPLY = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2")
_STORE = (*_MULTIPLY, "MaxPool", "AvgPool", "ConcatV2")


def traced_cost(model: Any) -> Cost:
    """Cost of one inference of a built `keras.Model` with one input of fixed shape and one output."""
    import tensorflow as tf

    given = model.inputs[0]
    shape = (1, *given.shape[1:])
    function = tf.function(lambda x: model(x, training=False))
    graph = function.get_concrete_function(tf.TensorSpec(shape, given.dtype))
    network_input = graph.inputs[0].op.name
    weights: dict[str, tuple[int, int]] = {}
    macs = 0
    ends = prod(shape[1:]), prod(model.outputs[0].shape[1:])
    peak = max(ends)
    for operation in graph.graph.get_operations():
        if operation.type not in _STORE or not operation.outputs[0].shape.is_fully_defined():
            continue
        written = operation.outputs[0].shape.as_list()
        if operation.type in _MULTIPLY:
            kernel = operation.inputs[1]
            reach, channels = _reach(operation.type, kernel.shape.as_list(), operation)
            macs += prod(written) * reach
            source = _source(kernel)
            if source != network_input:
                weights.setdefault(source, (prod(kernel.shape.as_list()), channels))
        # Several at a time are pieces of one map, padded, which the converter takes together again.
        if len(written) >= 2 and written[0] == 1:
            peak = max(peak, prod(written))
    stored = sum(size for size, _ in weights.values())
    return Cost(
        parameters=stored + sum(channels for _, channels in weights.values()),
        macs=macs,
        weight_bytes=stored,
        peak_activation_bytes=peak,
        striped_activation_bytes=max(ends),
    )


def _reach(kind: str, kernel: list[int], operation: Any) -> tuple[int, int]:
    """How many products make one output, and how many output channels there are."""
    if kind == "Conv2D":
        return prod(kernel[:3]), kernel[3]
    if kind == "DepthwiseConv2dNative":
        return prod(kernel[:2]), kernel[2] * kernel[3]
    transposed = bool(operation.get_attr("transpose_b" if kind == "MatMul" else "adj_y"))
    rows, columns = kernel[-2:]
    return (columns, rows) if transposed else (rows, columns)


def _source(tensor: Any) -> str:
    """Where a tensor comes from: the name of the variable, constant or input at the beginning of its way."""
    operation = tensor.op
    while operation.inputs:
        operation = operation.inputs[0].op
    return str(operation.name)
