"""FULLY_CONNECTED, with one scale for all weights or one per output."""

from __future__ import annotations

import numpy as np

from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.fixed_point import Factor, quantize_factor
from hil.codegen.stage import channel_pairs, convolution_factors, output_stage
from hil.graph.types import FullyConnected, Graph, Operator


def factors_of(graph: Graph, operator: Operator) -> list[Factor]:
    """Per tensor, the interpreter multiplies the two scales in single precision; per channel in double."""
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    output = graph.tensors[operator.output]
    if weights.quantization is not None and len(weights.quantization.scale) > 1:
        return convolution_factors(source, weights, output)
    product = float(np.float32(source.scale) * np.float32(weights.scale))
    return [quantize_factor(product / output.scale)]


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, FullyConnected)
    source = graph.tensors[operator.inputs[0]]
    data = np.asarray(graph.tensors[operator.inputs[1]].data, dtype=np.int8)
    output_size, input_size = data.shape
    sums = data.sum(axis=1, dtype=np.int64)
    factors = factors_of(graph, operator)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_fully_connected_params",
        params={
            "rows": source.elements // input_size,
            "input_size": input_size,
            "output_size": output_size,
            "weights": Constant("weights", channel_pairs(data)),
            "stage": output_stage(graph, operator, factors, sums, options.activation),
        },
    )


VARIANTS = (Variant("fully_connected_s8/generic", "hil_fully_connected_s8", _arguments),)
