"""ADD, SUB and MUL, with broadcasting."""

from __future__ import annotations

from hil.codegen.call import Arguments, Field, Operand, Variant, operand
from hil.codegen.fixed_point import Factor, activation_range, quantize_factor
from hil.codegen.geometry import broadcast_fields
from hil.graph.types import Add, Graph, Mul, Operator, Sub
from hil.memory import Overlap

ADD_HEADROOM_BITS = 20


def broadcast(graph: Graph, operator: Operator) -> dict[str, Field] | None:
    a, b = (graph.tensors[index].shape for index in operator.inputs)
    return broadcast_fields(a, b)


def is_broadcastable(graph: Graph, operator: Operator) -> bool:
    return broadcast(graph, operator) is not None


def operands(graph: Graph, operator: Operator) -> tuple[Operand, ...]:
    return tuple(operand(graph, index, name) for index, name in zip(operator.inputs, "ab", strict=True))


def sum_factors(scale_a: float, scale_b: float, output_scale: float) -> tuple[Factor, Factor, Factor]:
    """Of a, b and their sum.  Scales are divided in double precision, as the exact truth does."""
    largest = 2.0 * max(scale_a, scale_b)
    return (
        quantize_factor(scale_a / largest),
        quantize_factor(scale_b / largest),
        quantize_factor(largest / ((1 << ADD_HEADROOM_BITS) * output_scale), largest_shift=0),
    )


def _sum(graph: Graph, operator: Operator) -> Arguments:
    """ADD and SUB."""
    options = operator.options
    assert isinstance(options, Add | Sub)
    a, b = (graph.tensors[index] for index in operator.inputs)
    output = graph.tensors[operator.output]
    factor_a, factor_b, factor = sum_factors(a.scale, b.scale, output.scale)
    low, high = activation_range(options.activation, output)
    return Arguments(
        inputs=operands(graph, operator),
        params_type="hil_add_params",
        params={
            "shape": broadcast(graph, operator) or {},
            "zero_point_a": a.zero_point,
            "zero_point_b": b.zero_point,
            "multiplier_a": factor_a.multiplier,
            "shift_a": factor_a.shift,
            "multiplier_b": factor_b.multiplier,
            "shift_b": factor_b.shift,
            "multiplier": factor.multiplier,
            "shift": factor.shift,
            "zero_point": output.zero_point,
            "activation_min": low,
            "activation_max": high,
        },
    )


def product_factor(graph: Graph, operator: Operator) -> Factor:
    """scale_a * scale_b / output_scale."""
    a, b = (graph.tensors[index] for index in operator.inputs)
    return quantize_factor(a.scale * b.scale / graph.tensors[operator.output].scale)


def _mul(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Mul)
    a, b = (graph.tensors[index] for index in operator.inputs)
    output = graph.tensors[operator.output]
    factor = product_factor(graph, operator)
    low, high = activation_range(options.activation, output)
    return Arguments(
        inputs=operands(graph, operator),
        params_type="hil_mul_params",
        params={
            "shape": broadcast(graph, operator) or {},
            "zero_point_a": a.zero_point,
            "zero_point_b": b.zero_point,
            "multiplier": factor.multiplier,
            "shift": factor.shift,
            "zero_point": output.zero_point,
            "activation_min": low,
            "activation_max": high,
        },
    )


def full_operand(graph: Graph, operator: Operator) -> Overlap | None:
    """The first operand that is an activation as large as the output."""
    elements = graph.tensors[operator.output].elements
    for position, index in enumerate(operator.inputs):
        tensor = graph.tensors[index]
        if not tensor.is_constant and tensor.elements == elements:
            return Overlap(position)
    return None


ADD_VARIANTS = (
    Variant("add_s8/generic", "hil_add_s8", _sum, accepts=is_broadcastable, overlap=full_operand),
)
SUB_VARIANTS = (
    Variant("sub_s8/generic", "hil_sub_s8", _sum, accepts=is_broadcastable, overlap=full_operand),
)
MUL_VARIANTS = (
    Variant("mul_s8/generic", "hil_mul_s8", _mul, accepts=is_broadcastable, overlap=full_operand),
)
