"""Operators that only move bytes: CONCATENATION, PAD, and the views, which move none."""

from __future__ import annotations

from math import prod

import numpy as np

from hil.codegen.call import Arguments, Constant, Variant, operand
from hil.graph.types import Concatenation, Graph, Operator, Pad


def _concatenation(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Concatenation)
    tensors = [graph.tensors[index] for index in operator.inputs]
    chunks = [prod(tensor.shape[options.axis :]) for tensor in tensors]
    return Arguments(
        inputs=tuple(operand(graph, index, f"input_{i}") for i, index in enumerate(operator.inputs)),
        params_type="hil_concatenation_params",
        params={
            "count": len(tensors),
            "outer": prod(tensors[0].shape[: options.axis]),
            "chunk_bytes": Constant("chunk_bytes", np.array(chunks, dtype=np.int32)),
        },
        input_array=True,
    )


def _pad(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Pad)
    source = graph.tensors[operator.inputs[0]]
    missing = 4 - len(source.shape)
    paddings = ((0, 0),) * missing + options.paddings
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_pad_params",
        params={
            "size": (1,) * missing + source.shape,
            "before": tuple(before for before, _ in paddings),
            "after": tuple(after for _, after in paddings),
            "value": options.value,
        },
    )


def _has_four_dimensions(graph: Graph, operator: Operator) -> bool:
    return len(graph.tensors[operator.inputs[0]].shape) <= 4


def _view(graph: Graph, operator: Operator) -> Arguments:
    return Arguments(inputs=operator.inputs, params_type="", params={})


CONCATENATION_VARIANTS = (Variant("concatenation_s8/generic", "hil_concatenation_s8", _concatenation),)
PAD_VARIANTS = (Variant("pad_s8/generic", "hil_pad_s8", _pad, accepts=_has_four_dimensions),)
#: No function: the planner gives the output bytes of the input, or the inputs bytes of the output.
VIEW_VARIANTS = (Variant("", "", _view),)
