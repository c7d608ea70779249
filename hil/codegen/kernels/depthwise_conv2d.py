"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

import numpy as np

from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.geometry import reaches_outside, window_of
from hil.codegen.stage import convolution_factors, output_stage
from hil.graph.types import DepthwiseConv2D, Graph, Operator


def _options(operator: Operator) -> DepthwiseConv2D:
    options = operator.options
    assert isinstance(options, DepthwiseConv2D)
    return options


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    options = _options(operator)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    weights = graph.tensors[operator.inputs[1]]
    data = np.asarray(weights.data, dtype=np.int8)
    sums = data.reshape(-1, data.shape[3]).sum(axis=0, dtype=np.int64)
    factors = convolution_factors(source, weights, output)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_depthwise_conv2d_params",
        params={
            "window": window_of(graph, operator),
            "weights": Constant("weights", data),
            "multiplier": options.multiplier,
            "stage": output_stage(graph, operator, factors, sums, options.activation),
        },
    )


def _border_patch(graph: Graph, operator: Operator) -> int:
    window = window_of(graph, operator)
    return window["kernel_h"] * window["kernel_w"] * window["input_c"] if reaches_outside(window) else 0


VARIANTS = (
    Variant(
        "depthwise_conv2d_s8/multiplier_1",
        "hil_depthwise_conv2d_m1_s8",
        _arguments,
        accepts=lambda graph, operator: _options(operator).multiplier == 1,
        scratch_bytes=_border_patch,
    ),
    Variant(
        "depthwise_conv2d_s8/generic", "hil_depthwise_conv2d_s8", _arguments, scratch_bytes=_border_patch
    ),
)
