"""Builders of small models of one operator, with an input; `operator_cases` draws their arguments.

Weights and inputs come from a generator seeded by the first argument; all else is an argument, so that a
failing example shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np

from tests.support.tflite_builder import Builder, TensorRef, truth

Array = np.ndarray[Any, Any]
Generator = np.random.Generator

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@dataclass(frozen=True, eq=False)
class Case:
    """One model and one input for it."""

    name: str
    model: bytes
    data: Array

    def truth(self) -> Array:
        """The exact output."""
        return truth(self.model, self.data)

    def __repr__(self) -> str:
        return f"Case({self.name})"


@dataclass(frozen=True)
class Scale:
    """Quantization of one activation."""

    scale: float
    zero_point: int


def _int8(random: Generator, shape: tuple[int, ...]) -> Array:
    """Any byte, with the extremes over-represented: they are where rounding and clamping go wrong."""
    values = random.integers(-128, 128, size=shape)
    extremes = random.choice([-128, -127, 0, 127], size=shape)
    return np.where(random.random(shape) < 0.1, extremes, values).astype(np.int8)


def _case(name: str, builder: Builder, x: TensorRef, y: TensorRef, random: Generator) -> Case:
    return Case(name, builder.finish(y), _int8(random, x.shape))


def _weights(
    random: Generator,
    shape: tuple[int, ...],
    outputs: int,
    depth: int,
    x: Scale,
    *,
    per_channel: bool,
    spread: float,
    narrow: bool = False,
) -> tuple[Array, Array, list[float], float]:
    """Weights, biases, weight scales, and an output scale at which outputs fill `spread` times the range.

    Args:
        narrow: no weight is -128, as converters do it; some kernels for DSP cores rely on that.
    """
    weights = np.maximum(_int8(random, shape), -127 if narrow else -128)
    scales = 0.02 * np.exp2(random.uniform(-4, 4, size=outputs if per_channel else 1))
    bias = random.integers(-5000, 5000, size=outputs).astype(np.int32)
    typical = x.scale * float(np.median(scales)) * 74 * 74 * sqrt(depth)
    return weights, bias, [float(scale) for scale in scales], typical / (spread * 64)


def conv2d(
    seed: int,
    size: tuple[int, int],
    channels: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: str,
    activation: str,
    x: Scale,
    out_zero_point: int,
    per_channel: bool = True,
    bias: bool = True,
    spread: float = 1.0,
    narrow: bool = False,
) -> Case:
    """`channels`: (in, out).  With VALID padding the input is enlarged to hold one window."""
    random = np.random.default_rng(seed)
    size = _hold_window(size, kernel, dilation, padding)
    depth = prod(kernel) * channels[0]
    weights, biases, scales, out_scale = _weights(
        random,
        (channels[1], *kernel, channels[0]),
        channels[1],
        depth,
        x,
        per_channel=per_channel,
        spread=spread,
        narrow=narrow,
    )
    b = Builder()
    source = b.input((1, *size, channels[0]), scale=x.scale, zero_point=x.zero_point)
    y = b.conv2d(
        source,
        weights,
        biases if bias else None,
        weight_scales=scales,
        out_scale=out_scale,
        out_zero_point=out_zero_point,
        stride=stride,
        dilation=dilation,
        padding=padding,
        activation=activation,
    )
    name = f"conv2d {size} {channels} k{kernel} s{stride} d{dilation} {padding} {activation}"
    return _case(name, b, source, y, random)


def depthwise_conv2d(
    seed: int,
    size: tuple[int, int],
    channels: int,
    multiplier: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: str,
    activation: str,
    x: Scale,
    out_zero_point: int,
    per_channel: bool = True,
    bias: bool = True,
    spread: float = 1.0,
) -> Case:
    random = np.random.default_rng(seed)
    if dilation != (1, 1):
        stride = (stride[0], stride[0])
    size = _hold_window(size, kernel, dilation, padding)
    outputs = channels * multiplier
    weights, biases, scales, out_scale = _weights(
        random, (1, *kernel, outputs), outputs, prod(kernel), x, per_channel=per_channel, spread=spread
    )
    b = Builder()
    source = b.input((1, *size, channels), scale=x.scale, zero_point=x.zero_point)
    y = b.depthwise_conv2d(
        source,
        weights,
        biases if bias else None,
        weight_scales=scales,
        out_scale=out_scale,
        out_zero_point=out_zero_point,
        stride=stride,
        dilation=dilation,
        padding=padding,
        activation=activation,
    )
    name = f"depthwise {size} {channels}*{multiplier} k{kernel} s{stride} d{dilation} {padding} {activation}"
    return _case(name, b, source, y, random)


def _hold_window(
    size: tuple[int, int], kernel: tuple[int, int], dilation: tuple[int, int], padding: str
) -> tuple[int, int]:
    if padding == "SAME":
        return size
    height, width = (max(n, (k - 1) * d + 1) for n, k, d in zip(size, kernel, dilation, strict=True))
    return height, width


def fully_connected(
    seed: int,
    rows: int,
    inputs: int,
    outputs: int,
    activation: str,
    x: Scale,
    out_zero_point: int,
    per_channel: bool = False,
    bias: bool = True,
    spread: float = 1.0,
    narrow: bool = False,
) -> Case:
    """More than one row: the input is (1, rows, inputs) and the output keeps its dimensions."""
    random = np.random.default_rng(seed)
    weights, biases, scales, out_scale = _weights(
        random,
        (outputs, inputs),
        outputs,
        inputs,
        x,
        per_channel=per_channel and outputs > 1,
        spread=spread,
        narrow=narrow,
    )
    b = Builder()
    source = b.input((1, inputs) if rows == 1 else (1, rows, inputs), scale=x.scale, zero_point=x.zero_point)
    y = b.fully_connected(
        source,
        weights,
        biases if bias else None,
        weight_scales=scales,
        out_scale=out_scale,
        out_zero_point=out_zero_point,
        activation=activation,
        keep_dims=rows > 1,
    )
    return _case(f"fully_connected {rows}x{inputs}->{outputs} {activation}", b, source, y, random)


def _second_operand(b: Builder, x: TensorRef, other: str, scale: Scale, random: Generator) -> TensorRef:
    """An operand beside x: another activation of its shape, a mean over rows and columns, or a constant."""
    match other:
        case "activation":
            return b.quantize(x, out_scale=scale.scale, out_zero_point=scale.zero_point)
        case "itself":
            return x
        case "channel means":
            return b.mean(x, (1, 2), keep_dims=True, out_scale=scale.scale, out_zero_point=scale.zero_point)
        case _:
            shapes = {
                "constant": x.shape,
                "scalar": (1,),
                "channels": x.shape[-1:],
                "rows": (x.shape[1], 1, 1),
                "columns": (1, 1, x.shape[2], 1),
                "map": (1, *x.shape[1:3], 1),
            }
            data = _int8(random, shapes[other])
            return b.constant(data, dtype="int8", scale=scale.scale, zero_point=scale.zero_point)


OTHERS = ("activation", "itself", "channel means", "constant", "scalar", "channels", "rows", "columns", "map")


def binary(
    seed: int,
    operator: str,
    shape: tuple[int, int, int],
    other: str,
    swapped: bool,
    activation: str,
    x: Scale,
    y: Scale,
    out_zero_point: int,
    spread: float = 1.0,
) -> Case:
    """`operator`: "add", "sub" or "mul"; see `OTHERS` for what is added."""
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, *shape), scale=x.scale, zero_point=x.zero_point)
    operands = [source, _second_operand(b, source, other, y, random)]
    if swapped:
        operands.reverse()
    # ADD and SUB demand that both inputs together stay below 2^20 output steps.
    typical = 1.4 * max(x.scale, y.scale) if operator != "mul" else 74 * x.scale * y.scale
    result = getattr(b, operator)(
        *operands, out_scale=typical / spread, out_zero_point=out_zero_point, activation=activation
    )
    return _case(f"{operator} {shape} {other}{' swapped' * swapped} {activation}", b, source, result, random)


def pool(
    seed: int,
    operator: str,
    size: tuple[int, int],
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    activation: str,
    x: Scale,
) -> Case:
    """`operator`: "average_pool2d" or "max_pool2d"."""
    random = np.random.default_rng(seed)
    size = _hold_window(size, kernel, (1, 1), padding)
    b = Builder()
    source = b.input((1, *size, channels), scale=x.scale, zero_point=x.zero_point)
    y = getattr(b, operator)(source, kernel, stride, padding=padding, activation=activation)
    return _case(
        f"{operator} {size} {channels} k{kernel} s{stride} {padding} {activation}", b, source, y, random
    )


def mean(
    seed: int, shape: tuple[int, ...], axes: tuple[int, ...], keep_dims: bool, x: Scale, out: Scale
) -> Case:
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, *shape), scale=x.scale, zero_point=x.zero_point)
    y = b.mean(source, axes, keep_dims=keep_dims, out_scale=out.scale, out_zero_point=out.zero_point)
    return _case(f"mean {shape} over {axes}", b, source, y, random)


def concatenation(
    seed: int, shape: tuple[int, int, int], axis: int, parts: int, x: Scale, constant: bool = False
) -> Case:
    """Of the input, a max pool of it, and paddings of it that widen the axis; and perhaps of a constant."""
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, *shape), scale=x.scale, zero_point=x.zero_point)
    pieces = [source, b.max_pool2d(source, (2, 2), (1, 1), padding="SAME")]
    for width in range(1, parts - 1):
        pieces.append(b.pad(source, [(width, 0) if d == axis else (0, 0) for d in range(4)]))
    pieces = pieces[:parts][::-1]
    if constant:
        data = _int8(random, source.shape)
        pieces.insert(1, b.constant(data, dtype="int8", scale=x.scale, zero_point=x.zero_point))
    y = b.concatenation(pieces, axis=axis)
    name = f"concatenation {shape} axis {axis}, {parts} parts{' and a constant' * constant}"
    return _case(name, b, source, y, random)


def pad(
    seed: int, shape: tuple[int, ...], paddings: tuple[tuple[int, int], ...], value: int | None, x: Scale
) -> Case:
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, *shape), scale=x.scale, zero_point=x.zero_point)
    y = b.pad(source, ((0, 0), *paddings), value=value)
    return _case(f"pad {shape} by {paddings}", b, source, y, random)


def softmax(seed: int, rows: int, depth: int, beta: float, x: Scale) -> Case:
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, depth) if rows == 1 else (1, rows, depth), scale=x.scale, zero_point=x.zero_point)
    y = b.softmax(source, beta=beta)
    return _case(f"softmax {rows}x{depth} scale {x.scale:.3g} beta {beta:.3g}", b, source, y, random)


def unary(seed: int, operator: str, x: Scale, out: Scale) -> Case:
    """All 256 values at once.  `operator` is the name of a Builder's method."""
    b = Builder()
    source = b.input((1, 256), scale=x.scale, zero_point=x.zero_point)
    match operator:
        case "logistic" | "tanh" | "relu6":
            y = getattr(b, operator)(source)
        case "hard_swish":  # its 16 bits leave no room for a much finer or much coarser output
            scale = min(max(out.scale, x.scale / 100), x.scale * 100)
            y = b.hard_swish(source, out_scale=scale, out_zero_point=out.zero_point)
        case _:
            y = getattr(b, operator)(source, out_scale=out.scale, out_zero_point=out.zero_point)
    name = f"{operator} {x.scale:.3g}, {x.zero_point} -> {out.scale:.3g}, {out.zero_point}"
    data = np.random.default_rng(seed).permutation(np.arange(-128, 128)).astype(np.int8)
    return Case(name, b.finish(y), data.reshape(1, 256))


def reshape(seed: int, shape: tuple[int, int, int], activation: str, x: Scale) -> Case:
    """A pool, flattened, then rectified: the reshape lies between two operators."""
    random = np.random.default_rng(seed)
    b = Builder()
    source = b.input((1, *shape), scale=x.scale, zero_point=x.zero_point)
    pooled = b.max_pool2d(source, (2, 2), (1, 1), padding="SAME", activation=activation)
    y = b.relu(b.reshape(pooled, (1, prod(shape))))
    return _case(f"reshape {shape}", b, source, y, random)
