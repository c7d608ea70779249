"""Shape arithmetic that the converter left in a file, computed away.

A Reshape layer in a model with a free batch dimension becomes SHAPE, STRIDED_SLICE and PACK in front of
RESHAPE.  With the batch fixed to 1 every one of them is a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hil.graph.schema import RawModel, RawOperator, RawTensor

_Values = list[NDArray[np.generic]]


def fold(model: RawModel) -> RawModel:
    """The model without the operators whose results do not depend on the input.

    Folded results become constants of their tensors; an operator that cannot be folded stays as it is.
    """
    tensors = list(model.tensors)
    kept = []
    for operator in model.operators:
        result = _result(operator, tensors)
        output = operator.outputs[0] if operator.outputs else -1
        if result is None or result.shape != tensors[output].shape or not _is_integer(tensors[output]):
            kept.append(operator)
            continue
        data = result.astype(tensors[output].dtype)
        data.setflags(write=False)
        tensors[output] = replace(tensors[output], data=data)
    return replace(model, tensors=tuple(tensors), operators=tuple(kept))


def _result(operator: RawOperator, tensors: Sequence[RawTensor]) -> NDArray[np.generic] | None:
    """What the operator gives for every input of the model; None where it depends on the input."""
    inputs = [tensors[index] for index in operator.inputs if index >= 0]
    if operator.name == "SHAPE" and len(inputs) == 1:
        return np.array(inputs[0].shape)
    values = [tensor.data for tensor in inputs if tensor.data is not None]
    if operator.name not in _FOLDERS or not values or len(values) != len(operator.inputs):
        return None
    return _FOLDERS[operator.name](operator, values)


def _is_integer(tensor: RawTensor) -> bool:
    return tensor.dtype in ("int32", "int64")


def _pack(operator: RawOperator, values: _Values) -> NDArray[np.generic] | None:
    axis = operator.options["Axis"]
    if len({value.shape for value in values}) != 1 or not -values[0].ndim - 1 <= axis <= values[0].ndim:
        return None
    return np.stack(values, axis=axis)


def _strided_slice(operator: RawOperator, values: _Values) -> NDArray[np.generic] | None:
    """The one-dimensional case, which is all that shapes need."""
    options = operator.options
    if options["EllipsisMask"] or options["NewAxisMask"] or len(values) != 4 or values[0].ndim != 1:
        return None
    if any(value.size != 1 for value in values[1:]):
        return None
    begin, end, stride = (int(value.reshape(-1)[0]) for value in values[1:])
    if options["ShrinkAxisMask"]:
        if not -values[0].size <= begin < values[0].size:
            return None
        return np.asarray(values[0][begin])
    if stride == 0:
        return None
    first = None if options["BeginMask"] else begin
    last = None if options["EndMask"] else end
    return values[0][first:last:stride]


_FOLDERS: Mapping[str, Callable[[RawOperator, _Values], NDArray[np.generic] | None]] = {
    "PACK": _pack,
    "STRIDED_SLICE": _strided_slice,
}
