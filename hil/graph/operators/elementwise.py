"""ADD, SUB, MUL, activations of their own, SOFTMAX, QUANTIZE: each value by itself, or along one row."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose, isfinite

import numpy as np

from hil.graph.operators.site import Site
from hil.graph.types import (
    Activation,
    Add,
    HardSwish,
    LeakyRelu,
    Logistic,
    Mul,
    Options,
    Quantize,
    Relu,
    Softmax,
    Sub,
    Tanh,
    Tensor,
)

# The kernels broadcast over up to four dimensions.
_RANK = 4


_BINARY: Mapping[str, type[Add] | type[Sub] | type[Mul]] = {"ADD": Add, "SUB": Sub, "MUL": Mul}


def binary(site: Site) -> tuple[tuple[int, ...], Options]:
    """ADD, SUB and MUL.  Where the order does not matter, a constant operand is put last."""
    site.expect_inputs(2, 2)
    first, second = site.quantized(site.input(0)), site.quantized(site.input(1))
    site.quantized_output()
    if first.is_constant and site.raw.name != "SUB":
        first, second = second, first
    if first.is_constant and second.is_constant:
        raise site.unsupported(
            "both of its inputs are constants", "put the result into the weights of the next layer"
        )
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError as error:
        raise site.damaged(f"shapes {first.shape} and {second.shape} do not broadcast") from error
    site.expect_output_shape(shape)
    if first.shape != second.shape and len(shape) > _RANK:
        raise site.unsupported(
            f"it broadcasts over {len(shape)} dimensions, at most {_RANK} can be",
            "reshape both operands to the same shape of up to 4 dimensions",
        )
    activation = site.fused_activation()
    return (first.index, second.index), _BINARY[site.raw.name](activation)


def _unary(site: Site) -> tuple[Tensor, Tensor]:
    site.expect_inputs(1, 1)
    data, output = site.activation(0), site.quantized_output()
    site.expect_output_shape(data.shape)
    return data, output


def relu(site: Site) -> tuple[tuple[int, ...], Options]:
    """RELU rescales; RELU6 in TensorFlow Lite Micro only clamps, which is wrong where the scales differ."""
    data, output = _unary(site)
    if site.raw.name == "RELU":
        return (data.index,), Relu(Activation.RELU)
    if data.zero_point != output.zero_point or not isclose(data.scale, output.scale, rel_tol=1e-6):
        raise site.unsupported(
            f"a RELU6 of its own cannot rescale from {data.scale:.6g} to {output.scale:.6g}: TensorFlow Lite "
            "Micro, which the kernels are held to, only clamps there and gives wrong values",
            "put ReLU(max_value=6) right behind a convolution, Dense or Add, which take it in, or use ReLU",
        )
    return (data.index,), Relu(Activation.RELU6)


def _expect_output(site: Site, output: Tensor, steps: int, zero_point: int) -> None:
    if output.zero_point != zero_point or not isclose(output.scale, 1 / steps, rel_tol=1e-5):
        raise site.unsupported(
            f"its output has scale {output.scale:.6g} and zero point {output.zero_point}, "
            f"expected 1/{steps} and {zero_point}",
            "convert again with the TensorFlow Lite converter, which chooses these",
        )


def logistic(site: Site) -> tuple[tuple[int, ...], Options]:
    """LOGISTIC to scale 1/256 and zero point -128."""
    data, output = _unary(site)
    _expect_output(site, output, 256, -128)
    return (data.index,), Logistic()


def tanh(site: Site) -> tuple[tuple[int, ...], Options]:
    """TANH to scale 1/128 and zero point 0."""
    data, output = _unary(site)
    _expect_output(site, output, 128, 0)
    return (data.index,), Tanh()


def hard_swish(site: Site) -> tuple[tuple[int, ...], Options]:
    """HARD_SWISH, which rescales."""
    data, _ = _unary(site)
    return (data.index,), HardSwish()


def leaky_relu(site: Site) -> tuple[tuple[int, ...], Options]:
    """LEAKY_RELU, which rescales."""
    data, _ = _unary(site)
    alpha = float(site.option("Alpha"))
    if not isfinite(alpha) or alpha < 0:
        raise site.unsupported(
            f"its slope is {alpha:g}, expected at least 0", "use LeakyReLU with a slope >= 0"
        )
    return (data.index,), LeakyRelu(alpha)


def softmax(site: Site) -> tuple[tuple[int, ...], Options]:
    """SOFTMAX along the last axis, to scale 1/256 and zero point -128."""
    data, output = _unary(site)
    _expect_output(site, output, 256, -128)
    if not data.shape:
        raise site.damaged("softmax of a scalar")
    beta = float(site.option("Beta"))
    if not isfinite(beta) or beta <= 0:
        raise site.damaged(f"beta is {beta}, expected a positive number")
    return (data.index,), Softmax(beta=beta)


def quantize(site: Site) -> tuple[tuple[int, ...], Options]:
    """QUANTIZE from int8 to int8 with another scale."""
    data, _ = _unary(site)
    return (data.index,), Quantize()
