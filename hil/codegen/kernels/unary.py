"""Functions of one value: QUANTIZE (to another int8 scale) and activations on their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.activation_tables import hard_swish_table, leaky_relu_table
from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.fixed_point import Factor, activation_range, quantize_factor
from hil.codegen.sigmoid import sigmoid_table, tanh_table
from hil.graph.types import Activation, Graph, LeakyRelu, Operator, Relu
from hil.memory import Overlap


def _requantize(graph: Graph, operator: Operator, activation: Activation) -> Arguments:
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    factor = quantize_factor(source.scale / output.scale)
    low, high = activation_range(activation, output)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_requantize_params",
        params={
            "size": output.elements,
            "input_zero_point": source.zero_point,
            "multiplier": factor.multiplier,
            "shift": factor.shift,
            "zero_point": output.zero_point,
            "activation_min": low,
            "activation_max": high,
        },
    )


def _quantize(graph: Graph, operator: Operator) -> Arguments:
    return _requantize(graph, operator, Activation.NONE)


def _relu(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Relu)
    return _requantize(graph, operator, options.activation)


def _lookup(graph: Graph, operator: Operator, table: NDArray[np.int8]) -> Arguments:
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_lookup_params",
        params={"size": graph.tensors[operator.output].elements, "table": Constant("table", table)},
    )


def _logistic(graph: Graph, operator: Operator) -> Arguments:
    source = graph.tensors[operator.inputs[0]]
    return _lookup(graph, operator, sigmoid_table(source.zero_point, _to_q4(source.scale)))


def _tanh(graph: Graph, operator: Operator) -> Arguments:
    source = graph.tensors[operator.inputs[0]]
    return _lookup(graph, operator, tanh_table(source.zero_point, _to_q4(source.scale)))


def _to_q4(scale: float) -> Factor:
    return quantize_factor(scale * (1 << 27), least_shift=0, largest_shift=62)


def _hard_swish(graph: Graph, operator: Operator) -> Arguments:
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    return _lookup(graph, operator, hard_swish_table(source, output))


def _leaky_relu(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, LeakyRelu)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    return _lookup(graph, operator, leaky_relu_table(source, output, options.alpha))


def _first(graph: Graph, operator: Operator) -> Overlap:
    return Overlap(0)


QUANTIZE_VARIANTS = (Variant("quantize_s8/generic", "hil_requantize_s8", _quantize, overlap=_first),)
RELU_VARIANTS = (Variant("relu_s8/generic", "hil_requantize_s8", _relu, overlap=_first),)
LOGISTIC_VARIANTS = (Variant("logistic_s8/table", "hil_lookup_s8", _logistic, overlap=_first),)
TANH_VARIANTS = (Variant("tanh_s8/table", "hil_lookup_s8", _tanh, overlap=_first),)
HARD_SWISH_VARIANTS = (Variant("hard_swish_s8/table", "hil_lookup_s8", _hard_swish, overlap=_first),)
LEAKY_RELU_VARIANTS = (Variant("leaky_relu_s8/table", "hil_lookup_s8", _leaky_relu, overlap=_first),)
