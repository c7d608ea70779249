"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN, PAD, CONCATENATION, RESHAPE: operators that combine or move values."""

from __future__ import annotations

import numpy as np

from hil.graph.operators.site import Site, window_output
from hil.graph.types import (
    Activation,
    AveragePool2D,
    Concatenation,
    MaxPool2D,
    Mean,
    Options,
    Pad,
    Reshape,
)

# The kernels address maps of up to four dimensions.
_RANK = 4


def pool2d(site: Site) -> tuple[tuple[int, ...], Options]:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    site.expect_inputs(1, 1)
    data, output = site.activation(0), site.quantized_output()
    height, width, channels = site.expect_map(data)
    site.expect_same_quantization(data, output)
    kind = AveragePool2D if site.raw.name == "AVERAGE_POOL_2D" else MaxPool2D
    options = kind(
        filter_h=site.positive("FilterHeight"),
        filter_w=site.positive("FilterWidth"),
        stride_h=site.positive("StrideH"),
        stride_w=site.positive("StrideW"),
        padding=site.padding(),
        activation=site.fused_activation(),
    )
    out_h = window_output(height, options.filter_h, options.stride_h, 1, options.padding)
    out_w = window_output(width, options.filter_w, options.stride_w, 1, options.padding)
    site.expect_output_shape((1, out_h, out_w, channels))
    return (data.index,), options


def mean(site: Site) -> tuple[tuple[int, ...], Options]:
    """MEAN over constant axes."""
    site.expect_inputs(2, 2)
    data, _ = site.activation(0), site.quantized_output()
    rank = len(data.shape)
    axes = site.integers(1, "axes")
    if rank > _RANK or not axes:
        raise site.unsupported(
            f"it averages {len(axes)} axes of a tensor of {rank} dimensions, expected at least one of "
            f"at most {_RANK}",
            "use GlobalAveragePooling2D",
        )
    if any(not -rank <= axis < rank for axis in axes):
        raise site.damaged(f"axes {axes} of a tensor of {rank} dimensions")
    gone = tuple(sorted({axis % rank for axis in axes}))
    keep_dims = bool(site.option("KeepDims"))
    site.expect_output_shape(
        tuple(
            1 if axis in gone else size
            for axis, size in enumerate(data.shape)
            if keep_dims or axis not in gone
        )
    )
    return (data.index,), Mean(axes=gone, keep_dims=keep_dims)


def pad(site: Site) -> tuple[tuple[int, ...], Options]:
    """PAD fills with the zero point, PADV2 with a constant."""
    site.expect_inputs(2, 3)
    data, output = site.activation(0), site.quantized_output()
    rank = len(data.shape)
    if rank > _RANK:
        raise site.unsupported(f"it pads {rank} dimensions, at most {_RANK} can be", "use ZeroPadding2D")
    widths = site.integers(1, "paddings")
    if len(widths) != 2 * rank or min(widths, default=0) < 0:
        raise site.damaged(f"paddings {widths} for {rank} dimensions")
    paddings = tuple(zip(widths[::2], widths[1::2], strict=True))
    site.expect_output_shape(
        tuple(size + before + after for size, (before, after) in zip(data.shape, paddings, strict=True))
    )
    site.expect_same_quantization(data, output)
    value = output.zero_point
    if site.raw.name == "PADV2":
        fill = site.quantized(site.input(2))
        if fill.data is None or fill.elements != 1:
            raise site.unsupported("it fills with a computed value", "use ZeroPadding2D")
        site.expect_same_quantization(output, fill)
        value = int(fill.data.reshape(-1)[0])
    return (data.index,), Pad(paddings=paddings, value=value)


def concatenation(site: Site) -> tuple[tuple[int, ...], Options]:
    """CONCATENATION of tensors that share scale and zero point; some may be constants, not all."""
    site.expect_inputs(1, 64)
    parts = [site.quantized(site.input(position)) for position in range(len(site.raw.inputs))]
    if all(part.is_constant for part in parts):
        raise site.unsupported(
            "all of its inputs are constants", "put the result into the model as one constant"
        )
    output = site.quantized_output()
    rank = len(parts[0].shape)
    axis = int(site.option("Axis"))
    if not -rank <= axis < rank or any(len(part.shape) != rank for part in parts):
        raise site.damaged(f"shapes {[part.shape for part in parts]} cannot be joined along axis {axis}")
    axis %= rank
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    for part in parts:
        if part.shape[:axis] + part.shape[axis + 1 :] != tuple(shape[:axis] + shape[axis + 1 :]):
            raise site.damaged(f"shapes {[part.shape for part in parts]} cannot be joined along axis {axis}")
    site.expect_output_shape(tuple(shape))
    if site.fused_activation() is not Activation.NONE:
        raise site.unsupported("it has a fused activation", "put the activation before the concatenation")
    site.expect_same_quantization(output, *parts)
    return tuple(part.index for part in parts), Concatenation(axis=axis)


def reshape(site: Site) -> tuple[tuple[int, ...], Options]:
    """RESHAPE, EXPAND_DIMS and SQUEEZE; the new shape is that of the output."""
    site.expect_inputs(1, 2)
    data, output = site.activation(0), site.quantized_output()
    if data.elements != output.elements:
        raise site.damaged(f"shape {data.shape} cannot become {output.shape}")
    if site.raw.name == "RESHAPE" and len(site.raw.inputs) == 2:
        wanted = np.array(site.integers(1, "dimensions"))
        if wanted.size != len(output.shape) or any(
            want not in (-1, size) for want, size in zip(wanted.tolist(), output.shape, strict=True)
        ):
            raise site.damaged(f"new shape {wanted.tolist()}, but its output has {output.shape}")
    site.expect_same_quantization(data, output)
    return (data.index,), Reshape()
