"""Bytes of a .tflite file -> plain data, through the schema binding of the `tflite` package.

The binding trusts its input; a damaged file makes it raise whatever the wrong offset happens to hit.  So the
whole file is decoded here in one go, every length is held against the size of the file, and what the binding
raises becomes a BadModel.  Nothing behind this module touches the binding or an unchecked byte.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.errors import BadModel

# Numpy's name for each tensor type of the schema; the others ("STRING", "INT4", ...) keep the schema's name.
_NUMPY_TYPES = {
    "FLOAT32": "float32",
    "FLOAT16": "float16",
    "FLOAT64": "float64",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT16": "int16",
    "UINT16": "uint16",
    "INT32": "int32",
    "UINT32": "uint32",
    "INT64": "int64",
    "UINT64": "uint64",
    "BOOL": "bool",
}

# Operator -> its table of options and the fields that are read.  Operators that are absent need none.
_OPTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": (
        "Conv2DOptions",
        (
            "Padding",
            "StrideH",
            "StrideW",
            "DilationHFactor",
            "DilationWFactor",
            "FusedActivationFunction",
        ),
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (
            "Padding",
            "StrideH",
            "StrideW",
            "DilationHFactor",
            "DilationWFactor",
            "DepthMultiplier",
            "FusedActivationFunction",
        ),
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat")),
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "AVERAGE_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "PACK": ("PackOptions", ("Axis",)),
}

# What the binding raises on damaged files: reads past the end, impossible lengths, broken text.
_DAMAGE = (
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, eq=False)
class RawTensor:
    """A tensor as the file has it.  `dtype` is numpy's name, or the schema's where numpy has none."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    data: NDArray[np.generic] | None
    sparse: bool


@dataclass(frozen=True)
class RawOperator:
    """An operator as the file has it.  An absent optional input is -1."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class RawModel:
    """The only subgraph of a file."""

    tensors: tuple[RawTensor, ...]
    operators: tuple[RawOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def damaged(where: str, what: str) -> BadModel:
    """The error for a file that contradicts itself."""
    return BadModel(
        f"{where} is damaged: {what}",
        remedy="copy or convert the model again; `sha256sum` tells whether two copies are the same",
    )


def decode(data: bytes, where: str) -> RawModel:
    """Decode a whole .tflite file.

    Args:
        where: how error messages name the file.

    Raises:
        BadModel: not a .tflite file, damaged, or with more than one subgraph.
    """
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise BadModel(
            f"{where} is not a .tflite file: {len(data):,} bytes, and bytes 4 to 8 are "
            f"{data[4:8]!r} instead of b'TFL3'",
            remedy="hand over the file that the TensorFlow Lite converter wrote, or the .keras file",
        )
    try:
        return _Decoder(data, where).model()
    except BadModel:
        raise
    except _DAMAGE as error:
        raise damaged(where, f"{type(error).__name__} while it was decoded ({error})") from error


class _Decoder:
    def __init__(self, data: bytes, where: str) -> None:
        import tflite  # a third of a second, so not at import

        self._tflite: ModuleType = tflite
        self._data = data
        self._where = where

    def model(self) -> RawModel:
        model = self._tflite.Model.GetRootAs(self._data, 0)
        if model.Version() != 3:
            raise BadModel(
                f"{self._where} has schema version {model.Version()}, expected 3",
                remedy="convert the model again with a TensorFlow of the last years",
            )
        if model.SubgraphsLength() != 1:
            raise BadModel(
                f"{self._where} has {model.SubgraphsLength()} subgraphs, expected 1",
                remedy="convert one inference function without while loops and conditionals",
            )
        graph = model.Subgraphs(0)
        names = [
            self._operator_name(model.OperatorCodes(index))
            for index in range(self._checked(model.OperatorCodesLength(), 4, "operator codes"))
        ]
        tensors = tuple(
            self._tensor(model, graph.Tensors(index))
            for index in range(self._checked(graph.TensorsLength(), 4, "tensors"))
        )
        operators = tuple(
            self._operator(graph.Operators(index), names, len(tensors))
            for index in range(self._checked(graph.OperatorsLength(), 4, "operators"))
        )
        return RawModel(
            tensors,
            operators,
            self._indices(graph.InputsLength, graph.InputsAsNumpy, len(tensors), "model inputs"),
            self._indices(graph.OutputsLength, graph.OutputsAsNumpy, len(tensors), "model outputs"),
        )

    def _checked(self, length: int, element_bytes: int, what: str) -> int:
        if length * element_bytes > len(self._data):
            raise damaged(self._where, f"it claims {length:,} {what} in a file of {len(self._data):,} bytes")
        return length

    def _numbers(self, length: Callable[[], int], values: Callable[[], Any], what: str) -> NDArray[Any]:
        """A vector of the file as a numpy array; empty where it is absent."""
        return np.asarray(values()) if self._checked(length(), 1, what) else np.zeros(0, np.int32)

    def _indices(
        self, length: Callable[[], int], values: Callable[[], Any], tensors: int, what: str, lowest: int = 0
    ) -> tuple[int, ...]:
        indices = tuple(int(value) for value in self._numbers(length, values, what))
        if any(not lowest <= index < tensors for index in indices):
            raise damaged(self._where, f"{what} {indices} name tensors that are not there (it has {tensors})")
        return indices

    def _operator_name(self, code: Any) -> str:
        # Codes above 126 stand in the newer field only; older files fill the older field only.
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        if number == self._tflite.BuiltinOperator.CUSTOM:
            custom = code.CustomCode()
            return f"CUSTOM {custom.decode()}" if custom else "CUSTOM"
        return _names_of(self._tflite.BuiltinOperator).get(number, f"number {number}")

    def _tensor(self, model: Any, tensor: Any) -> RawTensor:
        name = (tensor.Name() or b"").decode()
        shape = tuple(
            int(size) for size in self._numbers(tensor.ShapeLength, tensor.ShapeAsNumpy, "dimensions")
        )
        kind = _names_of(self._tflite.TensorType).get(tensor.Type(), f"number {tensor.Type()}")
        dtype = _NUMPY_TYPES.get(kind, kind)
        scales: tuple[float, ...] = ()
        points: tuple[int, ...] = ()
        axis = 0
        quantization = tensor.Quantization()
        if quantization is not None:
            scales = tuple(
                float(scale)
                for scale in self._numbers(quantization.ScaleLength, quantization.ScaleAsNumpy, "scales")
            )
            points = tuple(
                int(point)
                for point in self._numbers(
                    quantization.ZeroPointLength, quantization.ZeroPointAsNumpy, "zero points"
                )
            )
            axis = int(quantization.QuantizedDimension())
        sparse = tensor.Sparsity() is not None
        if min(shape, default=0) < 0:
            raise damaged(self._where, f"tensor '{name}' has shape {shape}")
        data = None if sparse else self._constant(model, tensor, name, shape, dtype)
        return RawTensor(name, shape, dtype, scales, points, axis, data, sparse)

    def _constant(
        self, model: Any, tensor: Any, name: str, shape: tuple[int, ...], dtype: str
    ) -> NDArray[np.generic] | None:
        """The read-only data of a constant; None for activations and for types that numpy does not have."""
        index = tensor.Buffer()
        if index >= model.BuffersLength():
            raise damaged(self._where, f"tensor '{name}' names buffer {index} of {model.BuffersLength()}")
        buffer = model.Buffers(index)
        size = self._checked(buffer.DataLength(), 1, "constant bytes")
        if size == 0 or dtype not in _NUMPY_TYPES.values():
            return None
        elements = 1
        for dimension in shape:
            elements *= dimension  # Python's integers, so that nothing wraps
        if elements * np.dtype(dtype).itemsize != size:
            raise damaged(
                self._where, f"constant '{name}' of shape {shape} and type {dtype} has {size:,} bytes"
            )
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype).reshape(shape)

    def _operator(self, operator: Any, names: list[str], tensors: int) -> RawOperator:
        code = operator.OpcodeIndex()
        if code >= len(names):
            raise damaged(self._where, f"an operator names operator code {code} of {len(names)}")
        name = names[code]
        inputs = self._indices(
            operator.InputsLength, operator.InputsAsNumpy, tensors, f"inputs of {name}", lowest=-1
        )
        outputs = self._indices(
            operator.OutputsLength, operator.OutputsAsNumpy, tensors, f"outputs of {name}"
        )
        return RawOperator(name, inputs, outputs, self._options(operator, name))

    def _options(self, operator: Any, name: str) -> Mapping[str, Any]:
        if name not in _OPTIONS:
            return {}
        table, fields = _OPTIONS[name]
        union = operator.BuiltinOptions()
        if union is None or operator.BuiltinOptionsType() != getattr(self._tflite.BuiltinOptions, table):
            raise damaged(self._where, f"an operator {name} has no {table}")
        options = getattr(self._tflite, table)()
        options.Init(union.Bytes, union.Pos)
        return {field: getattr(options, field)() for field in fields}


@lru_cache(maxsize=4)
def _names_of(enumeration: type) -> dict[int, str]:
    """Number -> name of one of the binding's enumerations."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
