""".tflite -> Graph: the file is decoded, shape arithmetic is folded, and operators are checked at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from hil.errors import BadModel, UnsupportedOperator
from hil.graph.fold import fold
from hil.graph.layers import LayerNamer, layer_namer
from hil.graph.operators import CONVERTERS
from hil.graph.operators.site import Site
from hil.graph.remedies import remedy_for
from hil.graph.schema import RawModel, RawOperator, RawTensor, damaged, decode
from hil.graph.types import Graph, Operator, Quantization, Tensor

_CONVERT = "quantize it to full int8: `hilnas measure` takes the .keras file and does it"
# These only move values between float and int8.  The operator between them is the one to blame.
_CASTS = ("DEQUANTIZE", "QUANTIZE")


def read(source: str | Path | bytes) -> Graph:
    """Read an int8 .tflite model.

    Args:
        source: a path, or the bytes of the file.

    Returns:
        The graph, with operators in the order of execution.

    Raises:
        BadModel: the file is missing, is not a .tflite file, is damaged, or is not an int8 model with one
            input, one output and a batch of 1.
        UnsupportedOperator: the runtime lacks an operator, or a form of it.  All are named; the error's
            `operator` and `layer` are those of the first.
    """
    data, where = _load(source)
    model = fold(decode(data, where))
    _check_ends(model, where)
    tensors = tuple(_tensor(index, raw) for index, raw in enumerate(model.tensors))
    operators = _operators(model, tensors, where)
    _check_order(operators, tensors, model, where)
    return Graph(
        digest=hashlib.sha256(data).hexdigest(),
        tensors=tensors,
        operators=operators,
        input=model.inputs[0],
        output=model.outputs[0],
        flatbuffer=data,
    )


def _load(source: str | Path | bytes) -> tuple[bytes, str]:
    """The file's bytes, and how error messages name it."""
    if isinstance(source, bytes):
        return source, "the model"
    path = Path(source)
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise BadModel(
            f"{path} cannot be read: {error.strerror or error}",
            remedy="check the path and the permissions of the .tflite file",
        ) from error
    except ValueError as error:
        raise BadModel(f"{str(path)!r} is no path: {error}", remedy="name a .tflite file") from error


def _check_ends(model: RawModel, where: str) -> None:
    """One int8 input with batch 1, one int8 output, and something between them."""
    for what, indices in (("input", model.inputs), ("output", model.outputs)):
        if len(indices) != 1:
            raise BadModel(
                f"{where} has {len(indices)} {what}s, expected 1",
                remedy=f"give the model one {what}: concatenate them, or measure each branch by itself",
            )
        tensor = model.tensors[indices[0]]
        if tensor.dtype != "int8":
            inner = {model.tensors[index].dtype for op in model.operators for index in op.outputs}
            remedy = (
                f"it is int8 inside: set converter.inference_{what}_type = tf.int8 and convert again"
                if "int8" in inner
                else _CONVERT
            )
            raise BadModel(
                f"{where} is not int8: its {what} '{tensor.name}' is {tensor.dtype}", remedy=remedy
            )
        if len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
            raise BadModel(
                f"{where}: its int8 {what} '{tensor.name}' has no scale and zero point", remedy=_CONVERT
            )
    if not model.operators:
        raise BadModel(f"{where} has no operators", remedy="convert a model with at least one layer")
    shape = model.tensors[model.inputs[0]].shape
    if not shape or shape[0] != 1:
        batch = shape[0] if shape else "no dimension at all"
        raise BadModel(
            f"{where} has an input of shape {shape}: a batch of {batch}, expected 1",
            remedy="convert with a batch of 1: tf.TensorSpec((1, ...)) or keras.Input(..., batch_size=1)",
        )


def _tensor(index: int, raw: RawTensor) -> Tensor:
    quantization = Quantization(raw.scales, raw.zero_points, raw.axis) if raw.scales else None
    return Tensor(index, raw.name, raw.shape, raw.dtype, quantization, raw.data)


def _operators(model: RawModel, tensors: tuple[Tensor, ...], where: str) -> tuple[Operator, ...]:
    namer = layer_namer(tensors[index].name for op in model.operators for index in op.outputs)
    operators = []
    problems: list[UnsupportedOperator] = []
    for index, raw in enumerate(model.operators):
        layer = _layer(raw, tensors, namer)
        try:
            operators.append(_convert(index, raw, layer, tensors, where))
        except UnsupportedOperator as problem:
            problems.append(problem)
    if problems:
        raise _combined(problems)
    return tuple(operators)


def _layer(raw: RawOperator, tensors: Sequence[Tensor], namer: LayerNamer) -> str:
    constants = [tensors[index].name for index in raw.inputs if index >= 0 and tensors[index].is_constant]
    return namer.name(raw.name, tensors[raw.outputs[0]].name if raw.outputs else "", constants)


def _convert(index: int, raw: RawOperator, layer: str, tensors: tuple[Tensor, ...], where: str) -> Operator:
    if raw.name not in CONVERTERS:
        raise UnsupportedOperator(
            raw.name, layer, "the runtime does not have it", remedy=remedy_for(raw.name)
        )
    site = Site(where, raw, layer, tensors)
    if len(raw.outputs) != 1:
        raise site.damaged(f"it has {len(raw.outputs)} outputs, expected 1")
    for tensor in (site.output, *(tensors[i] for i in raw.inputs if i >= 0)):
        if min(tensor.shape, default=1) < 1:
            raise site.damaged(f"tensor '{tensor.name}' has the empty shape {tensor.shape}")
    inputs, options = CONVERTERS[raw.name](site)
    return Operator(index, raw.name, layer, inputs, site.output.index, options)


def _combined(problems: list[UnsupportedOperator]) -> UnsupportedOperator:
    """One error that names them all, each with its remedy once."""
    blamed = [problem for problem in problems if problem.operator not in _CASTS] or problems
    first = blamed[0]
    if len(blamed) == 1:
        return first
    others = list(dict.fromkeys(str(problem) for problem in blamed[1:] if str(problem) != str(first)))
    remedies = list(dict.fromkeys(problem.remedy for problem in blamed if problem.remedy))
    named = [
        f"{' and '.join(dict.fromkeys(p.operator for p in blamed if p.remedy == remedy))}: {remedy}"
        for remedy in remedies
    ]
    reason = first.message.partition("': ")[2]
    return UnsupportedOperator(
        first.operator,
        first.layer,
        "; ".join([f"{reason}; and {len(others)} more: {others[0]}", *others[1:]]) if others else reason,
        remedy="\n".join(named),
    )


def _check_order(
    operators: Sequence[Operator], tensors: Sequence[Tensor], model: RawModel, where: str
) -> None:
    """Every activation is computed once, before it is used."""
    ready = {model.inputs[0]}
    for operator in operators:
        for index in operator.inputs:
            if index not in ready and not tensors[index].is_constant:
                raise damaged(
                    where,
                    f"operator {operator.name} of layer '{operator.layer}' reads a tensor "
                    f"'{tensors[index].name}' that nothing has computed",
                )
        if operator.output in ready or tensors[operator.output].is_constant:
            raise damaged(where, f"tensor '{tensors[operator.output].name}' is computed twice")
        ready.add(operator.output)
    if model.outputs[0] not in ready or model.outputs[0] == model.inputs[0]:
        raise damaged(where, f"its output '{tensors[model.outputs[0]].name}' is not computed")
