"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from hil.codegen.call import Arguments, Variant
from hil.codegen.fixed_point import activation_range
from hil.codegen.geometry import window_of
from hil.graph.types import AveragePool2D, Graph, MaxPool2D, Operator


def arguments(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, AveragePool2D | MaxPool2D)
    low, high = activation_range(options.activation, graph.tensors[operator.output])
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_pool2d_params",
        params={
            "window": window_of(graph, operator),
            "activation_min": low,
            "activation_max": high,
        },
    )


AVERAGE_VARIANTS = (Variant("average_pool2d_s8/generic", "hil_average_pool2d_s8", arguments),)
MAX_VARIANTS = (Variant("max_pool2d_s8/generic", "hil_max_pool2d_s8", arguments),)
