"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED: operators with weights."""

from __future__ import annotations

from hil.graph.operators.site import Site, window_output
from hil.graph.types import Conv2D, DepthwiseConv2D, FullyConnected, Options, Tensor


def _with_bias(data: Tensor, weights: Tensor, bias: Tensor | None) -> tuple[int, ...]:
    inputs = (data.index, weights.index)
    return inputs if bias is None else (*inputs, bias.index)


def conv2d(site: Site) -> tuple[tuple[int, ...], Options]:
    """CONV_2D: weights (O,KH,KW,C)."""
    site.expect_inputs(2, 3)
    data = site.activation(0)
    site.quantized_output()
    weights = site.weights(1, rank=4, axis=0, channels_axis=0)
    height, width, channels = site.expect_map(data)
    out_channels, kernel_h, kernel_w, weight_channels = weights.shape
    if channels != weight_channels:
        if channels % weight_channels == 0 and out_channels % (channels // weight_channels) == 0:
            raise site.unsupported(
                f"it is a grouped convolution ({channels // weight_channels} groups)",
                "use Conv2D with groups=1, or a DepthwiseConv2D followed by a 1x1 Conv2D",
            )
        raise site.damaged(f"weights for {weight_channels} channels meet an input of {channels}")
    bias = site.bias(2, out_channels)
    options = Conv2D(
        stride_h=site.positive("StrideH"),
        stride_w=site.positive("StrideW"),
        dilation_h=site.positive("DilationHFactor"),
        dilation_w=site.positive("DilationWFactor"),
        padding=site.padding(),
        activation=site.fused_activation(),
    )
    out_h = window_output(height, kernel_h, options.stride_h, options.dilation_h, options.padding)
    out_w = window_output(width, kernel_w, options.stride_w, options.dilation_w, options.padding)
    site.expect_output_shape((1, out_h, out_w, out_channels))
    return _with_bias(data, weights, bias), options


def depthwise_conv2d(site: Site) -> tuple[tuple[int, ...], Options]:
    """DEPTHWISE_CONV_2D: weights (1,KH,KW,C*multiplier)."""
    site.expect_inputs(2, 3)
    data = site.activation(0)
    site.quantized_output()
    weights = site.weights(1, rank=4, axis=3, channels_axis=3)
    height, width, channels = site.expect_map(data)
    one, kernel_h, kernel_w, out_channels = weights.shape
    if one != 1 or out_channels % channels:
        raise site.damaged(f"weights of shape {weights.shape} meet an input of {channels} channels")
    multiplier = out_channels // channels
    if site.option("DepthMultiplier") not in (0, multiplier):
        raise site.damaged(
            f"depth multiplier {site.option('DepthMultiplier')}, but its weights have {multiplier}"
        )
    bias = site.bias(2, out_channels)
    options = DepthwiseConv2D(
        stride_h=site.positive("StrideH"),
        stride_w=site.positive("StrideW"),
        dilation_h=site.positive("DilationHFactor"),
        dilation_w=site.positive("DilationWFactor"),
        padding=site.padding(),
        multiplier=multiplier,
        activation=site.fused_activation(),
    )
    out_h = window_output(height, kernel_h, options.stride_h, options.dilation_h, options.padding)
    out_w = window_output(width, kernel_w, options.stride_w, options.dilation_w, options.padding)
    site.expect_output_shape((1, out_h, out_w, out_channels))
    return _with_bias(data, weights, bias), options


def fully_connected(site: Site) -> tuple[tuple[int, ...], Options]:
    """FULLY_CONNECTED: weights (O,I); the input is read as rows of I values."""
    site.expect_inputs(2, 3)
    data, output = site.activation(0), site.quantized_output()
    weights = site.weights(1, rank=2, axis=0, channels_axis=0)
    features_out, features_in = weights.shape
    if site.option("WeightsFormat") != 0:
        raise site.unsupported("its weights are shuffled", "convert again without shuffled weights")
    if data.elements % features_in:
        raise site.damaged(f"weights for {features_in} features meet an input of shape {data.shape}")
    rows = data.elements // features_in
    bias = site.bias(2, features_out)
    if output.elements != rows * features_out or output.shape[-1:] != (features_out,):
        raise site.damaged(f"its output has shape {output.shape}, expected ({rows}, {features_out})")
    return _with_bias(data, weights, bias), FullyConnected(activation=site.fused_activation())
