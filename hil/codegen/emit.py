"""Calls and arena plan -> model.c, the implementation of firmware/lib/runtime/hil_model.h."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hil.codegen.call import Call, Constant, Field, Symbol
from hil.codegen.literals import array_definition
from hil.codegen.sharing import constant_names, own_name, weight_bytes
from hil.graph.types import Graph
from hil.memory import ArenaPlan

# What `constant_names` gives.
_Names: TypeAlias = Mapping[Constant, str]

_HEAD = """\
/*
 * Generated from a .tflite file; do not edit.
 * SHA-256 {digest}
 * {operators} operators, arena {arena} bytes, weights {weights} bytes
 */
#include "hil_model.h"

#include <stddef.h>

#include "hil_flash.h"
#include "hil_kernels.h"
#include "hil_sections.h"

int8_t hil_arena[{arena}] HIL_ARENA;

const HIL_FLASH hil_model_info hil_model = {{
    .digest = {{{digest_bytes}}},
    .arena_bytes = {arena},
    .input_offset = {input_offset},
    .input_bytes = {input_bytes},
    .output_offset = {output_offset},
    .output_bytes = {output_bytes},
    .operator_count = {operators},
    .input_scale = {input_scale},
    .output_scale = {output_scale},
    .input_zero_point = {input_zero_point},
    .output_zero_point = {output_zero_point},
}};
"""


def model_c(graph: Graph, calls: Sequence[Call], plan: ArenaPlan) -> str:
    """The text of model.c.  The same model gives the same text."""
    names = constant_names(calls)
    head = _HEAD.format(
        digest=graph.digest,
        operators=len(calls),
        arena=plan.arena_bytes,
        weights=weight_bytes(calls),
        digest_bytes=", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(graph.digest)),
        input_offset=plan.offsets[graph.input],
        input_bytes=graph.input_tensor.size_bytes,
        output_offset=plan.offsets[graph.output],
        output_bytes=graph.output_tensor.size_bytes,
        input_scale=_float(graph.input_tensor.scale),
        output_scale=_float(graph.output_tensor.scale),
        input_zero_point=graph.input_tensor.zero_point,
        output_zero_point=graph.output_tensor.zero_point,
    )
    params = _shared_params(calls, names)
    definitions = "".join(_definitions(graph, call, plan, names, params) for call in calls)
    cases = "".join(_case(graph, call, plan, names, params) for call in calls)
    return (
        f"{head}{definitions}\nvoid hil_model_run_operator(uint16_t index) {{\n"
        f"  switch (index) {{\n{cases}    default:\n      break;\n  }}\n}}\n"
    )


def _float(value: float) -> str:
    """As C99 writes it exactly."""
    return f"{value.hex()}f"


def _prefix(call: Call) -> str:
    return f"op{call.operator}"


def _title(graph: Graph, call: Call) -> str:
    """One comment line: operator, layer, shapes, kernel."""
    operator = graph.operators[call.operator]
    layer = re.sub(r"[^\w./:-]", "_", operator.layer, flags=re.ASCII).replace("*/", "_")
    shapes = " ".join(
        _shape(graph, index) for index in operator.inputs if not graph.tensors[index].is_constant
    )
    return (
        f"{call.operator}: {operator.name} {layer}, {shapes} -> {_shape(graph, operator.output)}, "
        f"{call.variant or 'a view of the same bytes'}"
    )


def _shape(graph: Graph, tensor: int) -> str:
    return "x".join(str(size) for size in graph.tensors[tensor].shape)


def _shared_params(calls: Sequence[Call], names: _Names) -> dict[int, str]:
    """Operator -> the name of its parameters: that of the first call with the same ones."""
    first: dict[tuple[str, str], str] = {}
    return {
        call.operator: first.setdefault(
            (call.arguments.params_type, _fields(names, call.arguments.params)), _prefix(call)
        )
        for call in calls
    }


def _definitions(graph: Graph, call: Call, plan: ArenaPlan, names: _Names, params: Mapping[int, str]) -> str:
    """The constants and the parameters that no earlier call has."""
    prefix = _prefix(call)
    text = f"\n/* {_title(graph, call)} */\n"
    text += "".join(
        array_definition(names[constant], constant.data)
        for constant in call.constants
        if names[constant] == own_name(call, constant)
    )
    if call.arguments.input_array:
        pointers = ", ".join(_inputs(call, plan, names))
        text += f"static const int8_t *const HIL_FLASH {prefix}_inputs[] = {{{pointers}}};\n"
    if call.arguments.params_type and params[call.operator] == prefix:
        fields = _fields(names, call.arguments.params)
        text += f"static const HIL_FLASH {call.arguments.params_type} {prefix} = {fields};\n"
    return text


def _fields(names: _Names, fields: Mapping[str, Field], indent: str = "    ") -> str:
    lines = "".join(f"{indent}.{name} = {_value(names, value, indent)},\n" for name, value in fields.items())
    return f"{{\n{lines}{indent[4:]}}}"


def _value(names: _Names, value: Field, indent: str) -> str:
    if isinstance(value, Constant):
        return names[value]
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, tuple):
        return "{" + ", ".join(str(item) for item in value) + "}"
    if isinstance(value, Mapping):
        return _fields(names, value, indent + "    ")
    return str(value)


def _inputs(call: Call, plan: ArenaPlan, names: _Names) -> list[str]:
    """The pointers that the kernel is called with."""
    copies = _copies(call, plan)
    return [
        names[operand]
        if isinstance(operand, Constant) and operand not in copies
        else f"hil_arena + {copies[operand] if isinstance(operand, Constant) else plan.offsets[operand]}"
        for operand in call.arguments.inputs
    ]


def _copies(call: Call, plan: ArenaPlan) -> dict[Constant, int]:
    """Operands that are copied to the arena before the call, and where to."""
    offsets: dict[Constant, int] = {}
    if call.copies_constants:
        at = plan.scratch[call.operator][0]
        for operand in call.arguments.inputs:
            if isinstance(operand, Constant):
                offsets[operand] = at
                at += operand.data.nbytes
    return offsets


def _case(graph: Graph, call: Call, plan: ArenaPlan, names: _Names, params: Mapping[int, str]) -> str:
    """One case of the switch: one call, or none."""
    output = f"hil_arena + {plan.offsets[call.output]}"
    statement = ""
    if call.function:
        inputs = _inputs(call, plan, names)
        if call.arguments.input_array:
            inputs = [f"{_prefix(call)}_inputs"]
        scratch = f"hil_arena + {plan.scratch[call.operator][0]}" if call.needs.scratch_bytes else "NULL"
        arguments = ", ".join([*inputs, f"&{params[call.operator]}", output, scratch])
        statement = "".join(
            f"      hil_flash_copy(hil_arena + {offset}, {names[constant]}, {constant.data.nbytes});\n"
            for constant, offset in _copies(call, plan).items()
        )
        statement += f"      {call.function}({arguments});\n"
    return f"    case {call.operator}: /* {_title(graph, call)} */\n{statement}      break;\n"
