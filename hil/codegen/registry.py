"""Which kernels serve which operator: one line per kind.  The first whose precondition holds is taken.

To add a faster kernel, write it as a sibling file in firmware/lib/kernels and put its Variant in front of the
generic one (docs/add-a-kernel.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hil.codegen.call import Faster, Variant
from hil.codegen.kernels import (
    binary,
    binary_dsp,
    conv2d,
    conv2d_dsp,
    conv2d_winograd_dsp,
    depthwise_conv2d,
    depthwise_conv2d_dsp,
    depthwise_taps_dsp,
    depthwise_tiles_dsp,
    fully_connected,
    fully_connected_dsp,
    mean,
    moving,
    pool2d,
    pools_dsp,
    softmax,
    unary,
)
from hil.codegen.kernels.copied import copied
from hil.codegen.target import Target
from hil.graph import types
from hil.graph.types import Graph, Operator

VARIANTS: Mapping[type, tuple[Variant, ...]] = MappingProxyType(
    {
        types.Conv2D: conv2d.VARIANTS,
        types.DepthwiseConv2D: depthwise_conv2d.VARIANTS,
        types.FullyConnected: fully_connected.VARIANTS,
        types.Add: binary.ADD_VARIANTS,
        types.Sub: binary.SUB_VARIANTS,
        types.Mul: binary.MUL_VARIANTS,
        types.Concatenation: moving.CONCATENATION_VARIANTS,
        types.Pad: moving.PAD_VARIANTS,
        types.AveragePool2D: pool2d.AVERAGE_VARIANTS,
        types.MaxPool2D: pool2d.MAX_VARIANTS,
        types.Mean: mean.VARIANTS,
        types.Reshape: moving.VIEW_VARIANTS,
        types.RowSlice: moving.VIEW_VARIANTS,
        types.RowJoin: moving.VIEW_VARIANTS,
        types.Softmax: softmax.VARIANTS,
        types.Logistic: unary.LOGISTIC_VARIANTS,
        types.Tanh: unary.TANH_VARIANTS,
        types.HardSwish: unary.HARD_SWISH_VARIANTS,
        types.LeakyRelu: unary.LEAKY_RELU_VARIANTS,
        types.Relu: unary.RELU_VARIANTS,
        types.Quantize: unary.QUANTIZE_VARIANTS,
    }
)

#: Kernels for cores with the DSP extension (SMLAD and its kin), asked before those above.
DSP_VARIANTS: Mapping[type, tuple[Variant, ...]] = MappingProxyType(
    {
        types.Conv2D: conv2d_dsp.VARIANTS,
        types.DepthwiseConv2D: (
            *depthwise_tiles_dsp.VARIANTS,
            *depthwise_conv2d_dsp.VARIANTS,
            *depthwise_taps_dsp.VARIANTS,
        ),
        types.FullyConnected: fully_connected_dsp.VARIANTS,
        types.Add: binary_dsp.ADD_VARIANTS,
        types.Sub: binary_dsp.SUB_VARIANTS,
        types.Mul: binary_dsp.MUL_VARIANTS,
        types.AveragePool2D: pools_dsp.AVERAGE_VARIANTS,
        types.MaxPool2D: pools_dsp.MAX_VARIANTS,
        types.Mean: pools_dsp.MEAN_VARIANTS,
    }
)

#: For cores whose flash is apart: operators that may have a constant operand, asked before those above.
FLASH_APART_VARIANTS: Mapping[type, tuple[Variant, ...]] = MappingProxyType(
    {
        types.Add: copied(binary.ADD_VARIANTS),
        types.Sub: copied(binary.SUB_VARIANTS),
        types.Mul: copied(binary.MUL_VARIANTS),
        types.Concatenation: copied(moving.CONCATENATION_VARIANTS),
    }
)

#: For cores with DSP: faster kernels for more scratch, the best first; `hil.codegen.choose` decides on them.
DSP_FASTER: Mapping[type, Callable[[Graph, Operator], tuple[Faster, ...]]] = MappingProxyType(
    {
        types.Conv2D: conv2d_winograd_dsp.faster,
    }
)


def variants(options: type, target: Target) -> tuple[Variant, ...]:
    """The kernels for one kind of operator, the most particular first."""
    return (
        *(DSP_VARIANTS.get(options, ()) if target.dsp else ()),
        *(FLASH_APART_VARIANTS.get(options, ()) if target.flash_apart else ()),
        *VARIANTS[options],
    )


def on_general_path(variant: Variant, options: type, target: Target) -> bool:
    """Whether an operator missed the kernels that this core has for its kind.

    So it is where the core has DSP kernels for the kind, and a portable one serves, or a DSP one that is
    marked as general: the preconditions of the faster ones (on shape or weight values) did not hold.
    """
    return target.dsp and options in DSP_VARIANTS and (variant.general or variant in VARIANTS[options])


def faster(graph: Graph, operator: Operator, target: Target) -> tuple[Faster, ...]:
    """Kernels for an operator that take more scratch than the one of `variants`, the best first."""
    offers = DSP_FASTER.get(type(operator.options)) if target.dsp else None
    return offers(graph, operator) if offers is not None else ()
