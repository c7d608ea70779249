"""FULLY_CONNECTED, with one scale for all weights or one per output."""

from __future__ import annotations

import numpy as np

from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.fixed_point import Factor, quantize_factor
from hil.codegen.stage import channel_pairs, convolution_factors, output_stage
from hil.graph.types import FullyConnected, Graph, Operator, Tensor


def _factors(source: Tensor, weights: Tensor, output: Tensor) -> list[Factor]:
    """Per tensor, the interpreter multiplies the two scales in single precision; per channel in double."""
    if weights.quantization is not None and len(weights.quantization.scale) > 1:
        return convolution_factors(source, weights, output)
    product = float(np.float32(source.scale) * np.float32(weights.scale))
    return [quantize_factor(product / output.scale)]


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, FullyConnected)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    weights = graph.tensors[operator.inputs[1]]
    data = np.asarray(weights.data, dtype=np.int8)
    output_size, input_size = data.shape
    sums = data.sum(axis=1, dtype=np.int64)
    factors = _factors(source, weights, output)
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
