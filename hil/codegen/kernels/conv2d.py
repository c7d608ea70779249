"""CONV_2D."""

from __future__ import annotations

import numpy as np

from hil.codegen.call import Arguments, Constant, Variant
from hil.codegen.geometry import reaches_outside, window_of
from hil.codegen.stage import channel_pairs, convolution_factors, output_stage
from hil.graph.types import Conv2D, Graph, Operator


def conv2d_window(graph: Graph, operator: Operator) -> dict[str, int]:
    """The fields of `hil_window`."""
    return window_of(graph, operator)


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Conv2D)
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    weights = graph.tensors[operator.inputs[1]]
    data = np.asarray(weights.data, dtype=np.int8).reshape(weights.shape[0], -1)
    sums = data.sum(axis=1, dtype=np.int64)
    factors = convolution_factors(source, weights, output)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_conv2d_params",
        params={
            "window": conv2d_window(graph, operator),
            "weights": Constant("weights", channel_pairs(data)),
            "output_c": data.shape[0],
            "stage": output_stage(graph, operator, factors, sums, options.activation),
        },
    )


def _is_1x1(graph: Graph, operator: Operator) -> bool:
    window = conv2d_window(graph, operator)
    return window["kernel_h"] == window["kernel_w"] == 1 and not reaches_outside(window)


def _two_patches(graph: Graph, operator: Operator) -> int:
    window = conv2d_window(graph, operator)
    return 2 * window["kernel_h"] * window["kernel_w"] * window["input_c"]


VARIANTS = (
    Variant("conv2d_s8/1x1", "hil_conv2d_1x1_s8", _arguments, accepts=_is_1x1),
    Variant("conv2d_s8/generic", "hil_conv2d_s8", _arguments, scratch_bytes=_two_patches),
)
