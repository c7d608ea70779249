"""Small int8 .tflite models, built in memory, for tests.

Ten lines make a model with one operator:

    b = Builder()
    x = b.input((1, 8, 8, 4), scale=0.1, zero_point=3)
    y = b.conv2d(x, weights, bias, weight_scales=[0.02] * 8, out_scale=0.05, out_zero_point=-128)
    model = b.finish(y)
    expected = truth(model, data)          # int8, exact: TFLM's own kernels

Operators may be chained.  What no method builds, `operator` does: any operator, any options, any tensors,
valid or not.  `padding` is "SAME" or "VALID", `activation` "NONE", "RELU", "RELU6" or "RELU_N1_TO_1".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import tflite

_DTYPES = {
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int16": tflite.TensorType.INT16,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
    "float32": tflite.TensorType.FLOAT32,
    "bool": tflite.TensorType.BOOL,
}

# The versions that the TFLite converter gives to the int8 forms; interpreters check them.
_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "RESHAPE": 1,
    "EXPAND_DIMS": 1,
    "SQUEEZE": 1,
}


@dataclass(frozen=True)
class TensorRef:
    """A tensor of the model under construction.  `scale` is 0.0 where it has no per-tensor scale."""

    index: int
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0


@dataclass
class _Tensor:
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    data: np.ndarray[Any, Any] | None


@dataclass
class _Operator:
    name: str
    inputs: list[int]
    outputs: list[int]
    options: str | None
    fields: dict[str, Any]
    version: int


def _same_or_valid(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else (size - reach) // stride + 1


class Builder:
    """Collects tensors and operators; `finish` writes the file.

    Args:
        description: goes into the file, so that two models can be told apart by their digest.
    """

    def __init__(self, description: str = "") -> None:
        self.description = description
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []
        self._inputs: list[int] = []

    # ---- tensors

    def tensor(
        self,
        shape: Sequence[int],
        *,
        dtype: str = "int8",
        scale: float | Sequence[float] = (),
        zero_point: int | Sequence[int] = (),
        axis: int = 0,
        data: Any = None,
        name: str | None = None,
    ) -> TensorRef:
        """Any tensor.  A sequence of scales makes it per-channel along `axis`; `data` makes it a constant."""
        scales = (float(scale),) if isinstance(scale, (int, float)) else tuple(float(s) for s in scale)
        points = (zero_point,) if isinstance(zero_point, int) else tuple(zero_point)
        points = points or (0,) * len(scales)
        array = None if data is None else np.ascontiguousarray(data, dtype=dtype)
        index = len(self._tensors)
        self._tensors.append(
            _Tensor(name or f"tensor_{index}", tuple(shape), dtype, scales, points, axis, array)
        )
        single = len(scales) == 1
        return TensorRef(index, tuple(shape), scales[0] if single else 0.0, points[0] if single else 0)

    def input(
        self,
        shape: Sequence[int],
        *,
        scale: float = 1.0,
        zero_point: int = 0,
        dtype: str = "int8",
        name: str = "input",
    ) -> TensorRef:
        """An input of the model."""
        quantized = dtype in ("int8", "uint8", "int16")
        ref = self.tensor(
            shape,
            dtype=dtype,
            scale=scale if quantized else (),
            zero_point=zero_point if quantized else (),
            name=name,
        )
        self._inputs.append(ref.index)
        return ref

    def constant(
        self,
        data: Any,
        *,
        dtype: str = "int32",
        scale: float | Sequence[float] = (),
        zero_point: int | Sequence[int] = (),
        axis: int = 0,
        name: str | None = None,
    ) -> TensorRef:
        """A constant tensor with the shape of `data`."""
        array = np.asarray(data, dtype=dtype)
        return self.tensor(
            array.shape, dtype=dtype, scale=scale, zero_point=zero_point, axis=axis, data=array, name=name
        )

    def operator(
        self,
        name: str,
        inputs: Sequence[TensorRef | None],
        outputs: Sequence[TensorRef],
        *,
        options: str | None = None,
        version: int | None = None,
        **fields: Any,
    ) -> None:
        """Any operator.

        Args:
            name: as in the schema's BuiltinOperator, e.g. "TANH".
            inputs: None stands for an absent optional input.
            options: table of the schema, e.g. "Conv2DOptions"; `fields` are its fields, e.g. StrideW=2.
        """
        self._operators.append(
            _Operator(
                name,
                [-1 if ref is None else ref.index for ref in inputs],
                [ref.index for ref in outputs],
                options,
                fields,
                version if version is not None else _VERSIONS.get(name, 2),
            )
        )

    def _out(
        self,
        shape: Sequence[int],
        scale: float | None,
        zero_point: int | None,
        like: TensorRef,
        name: str | None,
    ) -> TensorRef:
        return self.tensor(
            shape,
            scale=like.scale if scale is None else scale,
            zero_point=like.zero_point if zero_point is None else zero_point,
            name=name,
        )

    # ---- operators with weights

    def _bias(self, x: TensorRef, bias: Any, weight_scales: tuple[float, ...]) -> TensorRef | None:
        if bias is None:
            return None
        return self.constant(bias, scale=[x.scale * s for s in weight_scales])

    def conv2d(
        self,
        x: TensorRef,
        weights: Any,
        bias: Any = None,
        *,
        weight_scales: Sequence[float],
        out_scale: float,
        out_zero_point: int,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """`weights` (O,KH,KW,C) int8, `bias` (O) int32 or None, one weight scale per O or a single one."""
        scales = tuple(weight_scales)
        w = self.constant(weights, dtype="int8", scale=scales, axis=0)
        o, kh, kw, _ = w.shape
        shape = (
            x.shape[0],
            _same_or_valid(x.shape[1], kh, stride[0], dilation[0], padding),
            _same_or_valid(x.shape[2], kw, stride[1], dilation[1], padding),
            o,
        )
        inputs = [x, w, self._bias(x, bias, scales)]
        y = self._out(shape, out_scale, out_zero_point, x, name)
        self.operator(
            "CONV_2D",
            inputs if bias is not None else inputs[:2],
            [y],
            options="Conv2DOptions",
            Padding=getattr(tflite.Padding, padding),
            StrideH=stride[0],
            StrideW=stride[1],
            DilationHFactor=dilation[0],
            DilationWFactor=dilation[1],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def depthwise_conv2d(
        self,
        x: TensorRef,
        weights: Any,
        bias: Any = None,
        *,
        weight_scales: Sequence[float],
        out_scale: float,
        out_zero_point: int,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """`weights` (1,KH,KW,C*multiplier) int8, one weight scale per C*multiplier or a single one."""
        scales = tuple(weight_scales)
        w = self.constant(weights, dtype="int8", scale=scales, axis=3)
        _, kh, kw, o = w.shape
        shape = (
            x.shape[0],
            _same_or_valid(x.shape[1], kh, stride[0], dilation[0], padding),
            _same_or_valid(x.shape[2], kw, stride[1], dilation[1], padding),
            o,
        )
        inputs = [x, w, self._bias(x, bias, scales)]
        y = self._out(shape, out_scale, out_zero_point, x, name)
        self.operator(
            "DEPTHWISE_CONV_2D",
            inputs if bias is not None else inputs[:2],
            [y],
            options="DepthwiseConv2DOptions",
            Padding=getattr(tflite.Padding, padding),
            StrideH=stride[0],
            StrideW=stride[1],
            DilationHFactor=dilation[0],
            DilationWFactor=dilation[1],
            DepthMultiplier=o // x.shape[3],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def fully_connected(
        self,
        x: TensorRef,
        weights: Any,
        bias: Any = None,
        *,
        weight_scales: Sequence[float],
        out_scale: float,
        out_zero_point: int,
        activation: str = "NONE",
        keep_dims: bool = False,
        name: str | None = None,
    ) -> TensorRef:
        """`weights` (O,I) int8, `bias` (O) int32 or None; one weight scale, or one per O."""
        scales = tuple(weight_scales)
        w = self.constant(weights, dtype="int8", scale=scales, axis=0)
        out_features, in_features = w.shape
        rows = int(np.prod(x.shape)) // in_features
        shape = (*x.shape[:-1], out_features) if keep_dims else (rows, out_features)
        y = self._out(shape, out_scale, out_zero_point, x, name)
        self.operator(
            "FULLY_CONNECTED",
            [x, w, self._bias(x, bias, scales)],
            [y],
            options="FullyConnectedOptions",
            version=4 if len(scales) == 1 else 12,
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
            KeepNumDims=keep_dims,
        )
        return y

    # ---- elementwise with two inputs

    def _binary(
        self,
        op: str,
        options: str,
        a: TensorRef,
        b: TensorRef,
        scale: float,
        point: int,
        act: str,
        name: str | None,
    ) -> TensorRef:
        y = self._out(np.broadcast_shapes(a.shape, b.shape), scale, point, a, name)
        self.operator(
            op,
            [a, b],
            [y],
            options=options,
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, act),
        )
        return y

    def add(
        self,
        a: TensorRef,
        b: TensorRef,
        *,
        out_scale: float,
        out_zero_point: int,
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """Elementwise sum; either may be a constant (of dtype int8 with a scale and a zero point)."""
        return self._binary("ADD", "AddOptions", a, b, out_scale, out_zero_point, activation, name)

    def mul(
        self,
        a: TensorRef,
        b: TensorRef,
        *,
        out_scale: float,
        out_zero_point: int,
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """Elementwise product."""
        return self._binary("MUL", "MulOptions", a, b, out_scale, out_zero_point, activation, name)

    def sub(
        self,
        a: TensorRef,
        b: TensorRef,
        *,
        out_scale: float,
        out_zero_point: int,
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """Elementwise difference; either may be a constant."""
        return self._binary("SUB", "SubOptions", a, b, out_scale, out_zero_point, activation, name)

    # ---- shape and place

    def concatenation(
        self,
        parts: Sequence[TensorRef],
        *,
        axis: int,
        out_scale: float | None = None,
        out_zero_point: int | None = None,
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """TFLM copies bytes: all parts and the output have to share scale and zero point."""
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        y = self._out(shape, out_scale, out_zero_point, parts[0], name)
        self.operator(
            "CONCATENATION",
            parts,
            [y],
            options="ConcatenationOptions",
            Axis=axis,
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def pad(
        self,
        x: TensorRef,
        paddings: Sequence[tuple[int, int]],
        *,
        value: int | None = None,
        name: str | None = None,
    ) -> TensorRef:
        """PAD with the zero point, or PADV2 with the int8 `value`."""
        shape = [size + before + after for size, (before, after) in zip(x.shape, paddings, strict=True)]
        y = self._out(shape, None, None, x, name)
        widths = self.constant(paddings)
        if value is None:
            self.operator("PAD", [x, widths], [y], options="PadOptions")
        else:
            fill = self.constant([value], dtype="int8", scale=x.scale, zero_point=x.zero_point)
            self.operator("PADV2", [x, widths, fill], [y], options="PadV2Options")
        return y

    def _pool(
        self,
        op: str,
        x: TensorRef,
        size: tuple[int, int],
        stride: tuple[int, int] | None,
        padding: str,
        act: str,
        name: str | None,
    ) -> TensorRef:
        stride = stride or size
        shape = (
            x.shape[0],
            _same_or_valid(x.shape[1], size[0], stride[0], 1, padding),
            _same_or_valid(x.shape[2], size[1], stride[1], 1, padding),
            x.shape[3],
        )
        y = self._out(shape, None, None, x, name)
        self.operator(
            op,
            [x],
            [y],
            options="Pool2DOptions",
            Padding=getattr(tflite.Padding, padding),
            StrideH=stride[0],
            StrideW=stride[1],
            FilterHeight=size[0],
            FilterWidth=size[1],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, act),
        )
        return y

    def average_pool2d(
        self,
        x: TensorRef,
        size: tuple[int, int],
        stride: tuple[int, int] | None = None,
        *,
        padding: str = "VALID",
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """Scale and zero point are those of the input; `stride` is `size` unless given."""
        return self._pool("AVERAGE_POOL_2D", x, size, stride, padding, activation, name)

    def max_pool2d(
        self,
        x: TensorRef,
        size: tuple[int, int],
        stride: tuple[int, int] | None = None,
        *,
        padding: str = "VALID",
        activation: str = "NONE",
        name: str | None = None,
    ) -> TensorRef:
        """Scale and zero point are those of the input; `stride` is `size` unless given."""
        return self._pool("MAX_POOL_2D", x, size, stride, padding, activation, name)

    def mean(
        self,
        x: TensorRef,
        axes: Sequence[int],
        *,
        keep_dims: bool = False,
        out_scale: float | None = None,
        out_zero_point: int | None = None,
        name: str | None = None,
    ) -> TensorRef:
        """Mean over `axes` (may be negative)."""
        gone = {axis % len(x.shape) for axis in axes}
        shape = [1 if d in gone else size for d, size in enumerate(x.shape) if keep_dims or d not in gone]
        y = self._out(shape, out_scale, out_zero_point, x, name)
        self.operator("MEAN", [x, self.constant(axes)], [y], options="ReducerOptions", KeepDims=keep_dims)
        return y

    def reshape(self, x: TensorRef, shape: Sequence[int], *, name: str | None = None) -> TensorRef:
        """`shape` without -1."""
        y = self._out(shape, None, None, x, name)
        self.operator(
            "RESHAPE",
            [x, self.constant(shape)],
            [y],
            options="ReshapeOptions",
            NewShape=np.array(shape, np.int32),
        )
        return y

    def expand_dims(self, x: TensorRef, axis: int, *, name: str | None = None) -> TensorRef:
        """A new axis of size 1 at `axis` (non-negative)."""
        y = self._out((*x.shape[:axis], 1, *x.shape[axis:]), None, None, x, name)
        self.operator("EXPAND_DIMS", [x, self.constant([axis])], [y], options="ExpandDimsOptions")
        return y

    def squeeze(self, x: TensorRef, axis: int, *, name: str | None = None) -> TensorRef:
        """Without `axis` (non-negative), which has size 1."""
        y = self._out((*x.shape[:axis], *x.shape[axis + 1 :]), None, None, x, name)
        self.operator("SQUEEZE", [x], [y], options="SqueezeOptions", SqueezeDims=np.array([axis], np.int32))
        return y

    # ---- elementwise with one input

    def softmax(self, x: TensorRef, *, beta: float = 1.0, name: str | None = None) -> TensorRef:
        """Output scale 1/256, zero point -128, as TFLite demands."""
        y = self._out(x.shape, 1 / 256, -128, x, name)
        self.operator("SOFTMAX", [x], [y], options="SoftmaxOptions", Beta=beta)
        return y

    def logistic(self, x: TensorRef, *, name: str | None = None) -> TensorRef:
        """Output scale 1/256, zero point -128, as TFLite demands."""
        y = self._out(x.shape, 1 / 256, -128, x, name)
        self.operator("LOGISTIC", [x], [y])
        return y

    def tanh(self, x: TensorRef, *, name: str | None = None) -> TensorRef:
        """Output scale 1/128, zero point 0, as TFLite demands."""
        y = self._out(x.shape, 1 / 128, 0, x, name)
        self.operator("TANH", [x], [y])
        return y

    def hard_swish(
        self, x: TensorRef, *, out_scale: float, out_zero_point: int, name: str | None = None
    ) -> TensorRef:
        """HARD_SWISH; its output steps may be at most 128 times as fine as its input's."""
        y = self._out(x.shape, out_scale, out_zero_point, x, name)
        self.operator("HARD_SWISH", [x], [y], options="HardSwishOptions", version=1)
        return y

    def leaky_relu(
        self,
        x: TensorRef,
        *,
        alpha: float = 0.2,
        out_scale: float,
        out_zero_point: int,
        name: str | None = None,
    ) -> TensorRef:
        """LEAKY_RELU, which rescales."""
        y = self._out(x.shape, out_scale, out_zero_point, x, name)
        self.operator("LEAKY_RELU", [x], [y], options="LeakyReluOptions", Alpha=alpha)
        return y

    def relu(
        self,
        x: TensorRef,
        *,
        out_scale: float | None = None,
        out_zero_point: int | None = None,
        name: str | None = None,
    ) -> TensorRef:
        """RELU as an operator of its own."""
        y = self._out(x.shape, out_scale, out_zero_point, x, name)
        self.operator("RELU", [x], [y])
        return y

    def relu6(
        self,
        x: TensorRef,
        *,
        out_scale: float | None = None,
        out_zero_point: int | None = None,
        name: str | None = None,
    ) -> TensorRef:
        """RELU6 as an operator of its own."""
        y = self._out(x.shape, out_scale, out_zero_point, x, name)
        self.operator("RELU6", [x], [y])
        return y

    def quantize(
        self, x: TensorRef, *, out_scale: float, out_zero_point: int, name: str | None = None
    ) -> TensorRef:
        """int8 (or float32, for error tests) to int8."""
        y = self._out(x.shape, out_scale, out_zero_point, x, name)
        self.operator("QUANTIZE", [x], [y], options="QuantizeOptions")
        return y

    # ---- the file

    def finish(self, *outputs: TensorRef, subgraphs: int = 1) -> bytes:
        """The .tflite file.  `subgraphs` > 1 repeats the graph, for error tests."""
        fb = flatbuffers.Builder(4096)
        codes = list(dict.fromkeys((op.name, op.version) for op in self._operators))
        # Buffer 0 is empty by convention: tensors without data point to it.
        buffers = [_table(fb, "Buffer")]
        holders: dict[int, int] = {}
        for index, tensor in enumerate(self._tensors):
            if tensor.data is not None:
                holders[index] = len(buffers)
                buffers.append(_table(fb, "Buffer", Data=_aligned_bytes(fb, tensor.data.tobytes())))
        graphs = [self._subgraph(fb, codes, holders, outputs) for _ in range(subgraphs)]
        code_tables = []
        for name, version in codes:
            code = getattr(tflite.BuiltinOperator, name)
            code_tables.append(
                _table(
                    fb,
                    "OperatorCode",
                    DeprecatedBuiltinCode=min(code, 127),
                    BuiltinCode=code,
                    Version=version,
                )
            )
        root = _table(
            fb,
            "Model",
            Version=3,
            OperatorCodes=_offsets(fb, code_tables),
            Subgraphs=_offsets(fb, graphs),
            Description=fb.CreateString(self.description),
            Buffers=_offsets(fb, buffers),
        )
        fb.Finish(root, b"TFL3")
        return bytes(fb.Output())

    def _subgraph(
        self,
        fb: flatbuffers.Builder,
        codes: list[tuple[str, int]],
        holders: dict[int, int],
        outputs: Sequence[TensorRef],
    ) -> int:
        tensors = []
        for index, tensor in enumerate(self._tensors):
            quantization = None
            if tensor.scales:
                quantization = _table(
                    fb,
                    "QuantizationParameters",
                    Scale=fb.CreateNumpyVector(np.array(tensor.scales, np.float32)),
                    ZeroPoint=fb.CreateNumpyVector(np.array(tensor.zero_points, np.int64)),
                    QuantizedDimension=tensor.axis,
                )
            tensors.append(
                _table(
                    fb,
                    "Tensor",
                    Shape=fb.CreateNumpyVector(np.array(tensor.shape, np.int32)),
                    Type=_DTYPES[tensor.dtype],
                    Buffer=holders.get(index, 0),
                    Name=fb.CreateString(tensor.name),
                    Quantization=quantization,
                )
            )
        operators = [self._operator_table(fb, codes, op) for op in self._operators]
        return _table(
            fb,
            "SubGraph",
            Tensors=_offsets(fb, tensors),
            Inputs=fb.CreateNumpyVector(np.array(self._inputs, np.int32)),
            Outputs=fb.CreateNumpyVector(np.array([ref.index for ref in outputs], np.int32)),
            Operators=_offsets(fb, operators),
            Name=fb.CreateString("main"),
        )

    def _operator_table(self, fb: flatbuffers.Builder, codes: list[tuple[str, int]], op: _Operator) -> int:
        fields = {}
        for key, value in op.fields.items():
            fields[key] = fb.CreateNumpyVector(value) if isinstance(value, np.ndarray) else value
        options = _table(fb, op.options, **fields) if op.options else None
        return _table(
            fb,
            "Operator",
            OpcodeIndex=codes.index((op.name, op.version)),
            Inputs=fb.CreateNumpyVector(np.array(op.inputs, np.int32)),
            Outputs=fb.CreateNumpyVector(np.array(op.outputs, np.int32)),
            BuiltinOptionsType=getattr(tflite.BuiltinOptions, op.options) if op.options else 0,
            BuiltinOptions=options,
        )


def _table(fb: flatbuffers.Builder, table: str, **fields: Any) -> int:
    """Write one table of the schema with the binding's Start/Add/End functions; None fields are left out."""
    getattr(tflite, f"{table}Start")(fb)
    for key, value in fields.items():
        if value is not None:
            getattr(tflite, f"{table}Add{key}")(fb, value)
    return int(getattr(tflite, f"{table}End")(fb))


def _offsets(fb: flatbuffers.Builder, tables: Sequence[int]) -> int:
    fb.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        fb.PrependUOffsetTRelative(table)
    return int(fb.EndVector())


def _aligned_bytes(fb: flatbuffers.Builder, data: bytes) -> int:
    """A vector of bytes aligned to 16, as the schema demands of `Buffer.data`."""
    fb.StartVector(1, len(data), 16)
    fb.head = fb.head - len(data)
    fb.Bytes[fb.head : fb.head + len(data)] = data
    return int(fb.EndVector())


def truth(model: bytes, data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Run `model` once in TensorFlow Lite Micro: the exact truth.  `data` has the input's shape and dtype."""
    from tflite_micro.python.tflite_micro import runtime

    # The wheel's default arena, ten times the file, is too small for a small model with large activations.
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=(4 << 20) + 10 * len(model))
    interpreter.set_input(data, 0)
    interpreter.invoke()
    return np.array(interpreter.get_output(0))
