"""Constant operands where flash has an address space of its own (AVR): used from a copy in the scratch.

A kernel takes its operands through pointers into RAM, since most of them are activations.  Weights and tables
are not operands: the portable kernels read them from flash (firmware/lib/kernels/hil_flash.h).
"""

from __future__ import annotations

from dataclasses import replace

from hil.codegen.call import Variant
from hil.graph.types import Graph, Operator


def copied(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The same kernels for operators with a constant operand.  They must not ask for scratch themselves."""
    return tuple(_copied(variant) for variant in variants)


def _copied(variant: Variant) -> Variant:
    def accepts(graph: Graph, operator: Operator) -> bool:
        return _constant_bytes(graph, operator) > 0 and variant.accepts(graph, operator)

    return replace(
        variant,
        name=f"{variant.name}_copied",
        accepts=accepts,
        scratch_bytes=_constant_bytes,
        copies_constants=True,
    )


def _constant_bytes(graph: Graph, operator: Operator) -> int:
    tensors = (graph.tensors[index] for index in operator.inputs)
    return sum(tensor.size_bytes for tensor in tensors if tensor.is_constant)
