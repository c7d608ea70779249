"""Graph -> calls: for each operator, the kernel that serves it and its constant parameters.

`hil.graph.read` has checked the forms of the operators (types, scales that have to agree, constant weights).
What is left to refuse here depends on the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.codegen.call import Call, Variant
from hil.codegen.fixed_point import FactorOutOfRange
from hil.codegen.registry import VARIANTS
from hil.errors import UnsupportedOperator
from hil.graph.types import Graph, Operator
from hil.memory import Needs


def lower(graph: Graph) -> tuple[Call, ...]:
    """One call per operator, in the order of execution.

    Raises:
        UnsupportedOperator: no kernel serves an operator in this form; names operator and layer.
    """
    return tuple(_lower_one(graph, operator) for operator in graph.operators)


def needs(calls: Sequence[Call]) -> tuple[Needs, ...]:
    """What the calls ask of the arena, for `hil.memory.plan`."""
    return tuple(Needs(scratch_bytes=call.scratch_bytes, in_place=call.in_place) for call in calls)


def _lower_one(graph: Graph, operator: Operator) -> Call:
    variant = _choose(graph, operator)
    try:
        arguments = variant.arguments(graph, operator)
    except FactorOutOfRange as error:
        raise UnsupportedOperator(
            operator.name,
            operator.layer,
            str(error),
            remedy="quantize the model anew with representative data that covers the layer's range",
        ) from error
    return Call(
        operator=operator.index,
        function=variant.function,
        variant=variant.name,
        arguments=arguments,
        output=operator.output,
        scratch_bytes=variant.scratch_bytes(graph, operator),
        in_place=variant.in_place(graph, operator),
    )


def _choose(graph: Graph, operator: Operator) -> Variant:
    for variant in VARIANTS[type(operator.options)]:
        if variant.accepts(graph, operator):
            return variant
    shapes = ", ".join(str(graph.tensors[index].shape) for index in operator.inputs)
    raise UnsupportedOperator(
        operator.name,
        operator.layer,
        f"no kernel takes it with inputs of shape {shapes}",
        remedy="use at most four dimensions, batch included",
    )
