"""The output stage of sums of products: bias with the input's zero point folded in, and the factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Constant, Field
from hil.codegen.fixed_point import Factor, activation_range, quantize_factor
from hil.graph.types import Activation, Graph, Operator, Tensor


def output_stage(
    graph: Graph,
    operator: Operator,
    factors: Sequence[Factor],
    weight_sums: NDArray[np.int64],
    activation: Activation,
) -> dict[str, Field]:
    """The fields of `hil_output_stage`.

    (x - z) * w summed is x * w summed minus z times the sum of w, so the input's zero point z moves into the
    bias; padding is filled with z.  The bias wraps like the 32-bit sums it is added to.

    Args:
        factors: one for all channels, or one per channel.
        weight_sums: per output channel, the sum of its weights.
    """
    source = graph.tensors[operator.inputs[0]]
    output = graph.tensors[operator.output]
    folded = -source.zero_point * weight_sums
    if len(operator.inputs) > 2:
        bias = graph.tensors[operator.inputs[2]].data
        folded = folded + np.asarray(bias, dtype=np.int64).reshape(-1)
    low, high = activation_range(activation, output)
    return {
        "bias": Constant("bias", folded.astype(np.uint64).astype(np.uint32).view(np.int32)),
        "multiplier": Constant("multiplier", np.array([f.multiplier for f in factors], dtype=np.int32)),
        "shift": Constant("shift", np.array([f.shift for f in factors], dtype=np.int8)),
        "factor_step": 0 if len(factors) == 1 else 1,
        "zero_point": output.zero_point,
        "activation_min": low,
        "activation_max": high,
    }


def channel_pairs(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Weights in the order of hil_matmul_s8.h: the kernels take two output channels at a time.

    Args:
        weights: (outputs, depth).

    Returns:
        (outputs * depth,): for each pair of outputs its values in turns, a last odd output by itself.
    """
    outputs, depth = weights.shape
    even = outputs // 2 * 2
    pairs = weights[:even].reshape(-1, 2, depth).transpose(0, 2, 1)
    return np.concatenate([pairs.reshape(-1), weights[even:].reshape(-1)])


def convolution_factors(source: Tensor, weights: Tensor, output: Tensor) -> list[Factor]:
    """input scale * weight scale / output scale, in double precision."""
    assert weights.quantization is not None  # weights_of has checked
    return [quantize_factor(source.scale * scale / output.scale) for scale in weights.quantization.scale]
