"""Graph -> calls: for each operator, the kernel that serves it and its constant parameters.

`hil.graph.read` has checked the forms of the operators (types, scales that have to agree, constant weights).
What is left to refuse here depends on the kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hil.codegen.call import Arguments, Call, Variant
from hil.codegen.fixed_point import FactorOutOfRange
from hil.codegen.registry import on_general_path, variants
from hil.codegen.target import PORTABLE, Target
from hil.errors import UnsupportedOperator
from hil.graph.types import Graph, Operator
from hil.memory import Needs

# Of a compiler whose pointers have 16 bits.
_LARGEST_OBJECT_BYTES = 32_767


def lower(
    graph: Graph, target: Target = PORTABLE, instead: Mapping[int, Variant] = MappingProxyType({})
) -> tuple[Call, ...]:
    """One call per operator, in the order of execution.

    Args:
        instead: operator index -> the kernel that serves it, where that is not the first in the registry.

    Raises:
        UnsupportedOperator: no kernel serves an operator in this form; names operator and layer.
    """
    return tuple(
        _lower_one(graph, operator, instead.get(operator.index) or _choose(graph, operator, target), target)
        for operator in graph.operators
    )


def needs_of(graph: Graph, operator: Operator, target: Target) -> Needs:
    """What the kernel of one operator would ask of the arena; cheaper than the whole call.

    Raises:
        UnsupportedOperator: as `lower`.
    """
    return variant_needs(graph, operator, _choose(graph, operator, target))


def variant_needs(graph: Graph, operator: Operator, variant: Variant) -> Needs:
    """What one kernel would ask of the arena."""
    return Needs(
        scratch_bytes=variant.scratch_bytes(graph, operator),
        overlap=variant.overlap(graph, operator),
        scratch_over=variant.scratch_over,
    )


def _lower_one(graph: Graph, operator: Operator, variant: Variant, target: Target) -> Call:
    try:
        arguments = variant.arguments(graph, operator)
    except FactorOutOfRange as error:
        raise UnsupportedOperator(
            operator.name,
            operator.layer,
            str(error),
            remedy="quantize the model anew with representative data that covers the layer's range",
        ) from error
    if target.flash_apart:
        _check_arrays(operator, arguments)
    return Call(
        operator=operator.index,
        function=variant.function,
        variant=variant.name,
        arguments=arguments,
        output=operator.output,
        needs=variant_needs(graph, operator, variant),
        general=on_general_path(variant, type(operator.options), target),
        copies_constants=variant.copies_constants,
    )


def _check_arrays(operator: Operator, arguments: Arguments) -> None:
    for constant in arguments.constants:
        if constant.data.nbytes > _LARGEST_OBJECT_BYTES:
            raise UnsupportedOperator(
                operator.name,
                operator.layer,
                f"its {constant.name} take {constant.data.nbytes:,} bytes; where an int has 16 bits (AVR), "
                f"an array ends at {_LARGEST_OBJECT_BYTES:,}",
                remedy="use narrower layers",
            )


def _choose(graph: Graph, operator: Operator, target: Target) -> Variant:
    for variant in variants(type(operator.options), target):
        if variant.accepts(graph, operator):
            return variant
    shapes = ", ".join(str(graph.tensors[index].shape) for index in operator.inputs)
    raise UnsupportedOperator(
        operator.name,
        operator.layer,
        f"no kernel takes it with inputs of shape {shapes}",
        remedy="use at most four dimensions, batch included",
    )
