"""Small models of one operator each, with an input: what every build of the kernels is held to, bit by bit.

    KINDS["conv2d"]        a Hypothesis strategy of Case
    any_case()             a strategy over all kinds
    fixed_cases()          a short list that reaches every kernel and its corners, the same in each run

A Case carries the .tflite bytes and the input; `case.truth()` is what TensorFlow Lite Micro makes of them.
The shape, the quantization and the options are drawn one by one, so that a failing example shrinks; weights
and inputs come from a seeded generator.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

from tests.support.operator_models import (
    ACTIVATIONS,
    OTHERS,
    Case,
    Scale,
    binary,
    concatenation,
    conv2d,
    depthwise_conv2d,
    fully_connected,
    mean,
    pad,
    pool,
    reshape,
    softmax,
    unary,
)

__all__ = ["KINDS", "Case", "any_case", "fixed_cases"]

# ---- strategies

_seeds = st.integers(0, 2**32 - 1)
_zero_points = st.sampled_from([-128, 127, 0]) | st.integers(-128, 127)
_scales = st.floats(-12.0, 1.0).map(lambda exponent: float(np.float32(2.0**exponent)))
_quantizations = st.builds(Scale, _scales, _zero_points)
_sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
_kernels = st.tuples(st.integers(1, 5), st.integers(1, 5))
_steps = st.tuples(st.integers(1, 3), st.integers(1, 3))
_paddings = st.sampled_from(["SAME", "VALID"])
_activations = st.sampled_from(ACTIVATIONS)
_spreads = st.sampled_from([0.1, 1.0, 4.0])
_shapes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 9))


@st.composite
def _conv2d_cases(draw: st.DrawFn) -> Case:
    kernel = draw(st.just((1, 1)) | _kernels)
    return conv2d(
        draw(_seeds),
        size=draw(_sizes),
        channels=draw(st.tuples(st.integers(1, 9), st.integers(1, 9))),
        kernel=kernel,
        stride=draw(_steps),
        dilation=draw(st.just((1, 1)) | _steps),
        padding=draw(_paddings),
        activation=draw(_activations),
        x=draw(_quantizations),
        out_zero_point=draw(_zero_points),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        spread=draw(_spreads),
        narrow=draw(st.booleans()),
    )


@st.composite
def _common_conv2d_cases(draw: st.DrawFn) -> Case:
    """What TensorFlow's converter makes of common layers, and DSP kernels take: an even number of outputs, no
    weight of -128, a range that fits the sums, an output zero point of -128 where there is a ReLU.
    """
    activation = draw(st.sampled_from(["NONE", "RELU"]))
    return conv2d(
        draw(_seeds),
        size=draw(st.tuples(st.integers(1, 12), st.integers(1, 12))),
        channels=(draw(st.integers(1, 9) | st.sampled_from([4, 8, 16, 32])), 2 * draw(st.integers(1, 8))),
        kernel=draw(st.sampled_from([(1, 1), (3, 3)]) | _kernels),
        stride=draw(st.just((1, 1)) | _steps),
        dilation=draw(st.just((1, 1)) | _steps),
        padding=draw(_paddings),
        activation=activation,
        x=draw(st.builds(Scale, st.just(0.02), _zero_points)),
        out_zero_point=-128 if activation == "RELU" else draw(_zero_points),
        bias=draw(st.booleans()),
        spread=draw(st.sampled_from([0.5, 1.0])),
        narrow=True,
    )


@st.composite
def _depthwise_cases(draw: st.DrawFn) -> Case:
    return depthwise_conv2d(
        draw(_seeds),
        size=draw(_sizes),
        channels=draw(st.integers(1, 9)),
        multiplier=draw(st.just(1) | st.integers(1, 9)),
        kernel=draw(_kernels),
        stride=draw(_steps),
        dilation=draw(st.just((1, 1)) | _steps),
        padding=draw(_paddings),
        activation=draw(_activations),
        x=draw(_quantizations),
        out_zero_point=draw(_zero_points),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        spread=draw(_spreads),
    )


@st.composite
def _depthwise_square_cases(draw: st.DrawFn) -> Case:
    """What the kernels for DSP cores take, as long as the factors lie within their range."""
    step, side = draw(st.integers(1, 2)), draw(st.sampled_from([3, 5]))
    return depthwise_conv2d(
        draw(_seeds),
        size=draw(st.tuples(st.integers(1, 14), st.integers(1, 14))),
        channels=4 * draw(st.integers(1, 3)),
        multiplier=1,
        kernel=(side, side),
        stride=(step, step),
        dilation=(1, 1),
        padding=draw(_paddings),
        activation=draw(st.sampled_from(["NONE", "RELU"])),
        x=Scale(2.0 ** draw(st.integers(-6, -3)), draw(_zero_points)),
        out_zero_point=draw(st.just(-128) | _zero_points),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        spread=draw(_spreads),
    )


@st.composite
def _common_depthwise_cases(draw: st.DrawFn) -> Case:
    """Any window over four channels to a group, for the DSP kernel that takes what others do not."""
    return depthwise_conv2d(
        draw(_seeds),
        size=draw(st.tuples(st.integers(1, 12), st.integers(1, 12))),
        channels=4 * draw(st.integers(1, 3)),
        multiplier=1,
        kernel=draw(st.sampled_from([(5, 5), (7, 7), (9, 1), (1, 4)]) | _kernels),
        stride=draw(_steps),
        dilation=draw(st.just((1, 1)) | _steps),
        padding=draw(_paddings),
        activation=draw(st.sampled_from(["NONE", "RELU"])),
        x=Scale(2.0 ** draw(st.integers(-6, -3)), draw(_zero_points)),
        out_zero_point=draw(st.just(-128) | _zero_points),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        spread=draw(_spreads),
    )


@st.composite
def _mean_cases(draw: st.DrawFn) -> Case:
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9)))
    axes = draw(st.sets(st.sampled_from([1, 2, 3]), min_size=1, max_size=3))
    return mean(
        draw(_seeds),
        shape,
        tuple(sorted(axes)),
        draw(st.booleans()),
        draw(_quantizations),
        draw(_quantizations),
    )


@st.composite
def _pad_cases(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(st.integers(1, 5), min_size=3, max_size=3))
    paddings = tuple(draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape)
    return pad(
        draw(_seeds), tuple(shape), paddings, draw(st.none() | st.integers(-128, 127)), draw(_quantizations)
    )


def _binary_cases(operator: str) -> st.SearchStrategy[Case]:
    return st.builds(
        binary,
        _seeds,
        st.just(operator),
        _shapes,
        st.sampled_from(OTHERS),
        st.booleans(),
        _activations,
        _quantizations,
        _quantizations,
        _zero_points,
        _spreads,
    )


def _pool_cases(operator: str) -> st.SearchStrategy[Case]:
    return st.builds(
        pool,
        _seeds,
        st.just(operator),
        _sizes,
        st.integers(1, 9),
        _kernels,
        _steps,
        _paddings,
        _activations,
        _quantizations,
    )


def _unary_cases(operator: str) -> st.SearchStrategy[Case]:
    return st.builds(unary, _seeds, st.just(operator), _quantizations, _quantizations)


KINDS: Mapping[str, st.SearchStrategy[Case]] = {
    "conv2d": _conv2d_cases(),
    "common conv2d": _common_conv2d_cases(),
    "depthwise_conv2d": _depthwise_cases(),
    "square depthwise_conv2d": _depthwise_square_cases(),
    "common depthwise_conv2d": _common_depthwise_cases(),
    "fully_connected": st.builds(
        fully_connected,
        _seeds,
        st.integers(1, 3),
        st.integers(1, 40),
        st.integers(1, 9),
        _activations,
        _quantizations,
        _zero_points,
        st.booleans(),
        st.booleans(),
        _spreads,
        st.booleans(),
    ),
    "add": _binary_cases("add"),
    "sub": _binary_cases("sub"),
    "mul": _binary_cases("mul"),
    "concatenation": st.builds(
        concatenation,
        _seeds,
        _shapes,
        st.integers(1, 3),
        st.integers(2, 5),
        _quantizations,
        st.booleans(),
    ),
    "pad": _pad_cases(),
    "average_pool2d": _pool_cases("average_pool2d"),
    "max_pool2d": _pool_cases("max_pool2d"),
    "mean": _mean_cases(),
    "reshape": st.builds(reshape, _seeds, _shapes, _activations, _quantizations),
    "softmax": st.builds(
        softmax, _seeds, st.integers(1, 3), st.integers(1, 300), st.floats(0.1, 4.0), _quantizations
    ),
    "logistic": _unary_cases("logistic"),
    "tanh": _unary_cases("tanh"),
    "hard_swish": _unary_cases("hard_swish"),
    "leaky_relu": _unary_cases("leaky_relu"),
    "relu": _unary_cases("relu"),
    "relu6": _unary_cases("relu6"),
    "quantize": _unary_cases("quantize"),
}


def any_case() -> st.SearchStrategy[Case]:
    """A case of any kind."""
    return st.one_of(*KINDS.values())


# ---- a fixed list

_X = Scale(0.05, 3)
_LOW = Scale(0.02, -128)


def fixed_cases() -> list[Case]:
    """Every kernel and its corners; small enough for an emulator."""
    return [
        depthwise_conv2d(61, (9, 6), 8, 1, (7, 7), (2, 2), (1, 1), "SAME", "RELU", Scale(0.05, 3), -128),
        depthwise_conv2d(62, (9, 8), 4, 1, (3, 2), (1, 1), (2, 3), "VALID", "NONE", Scale(0.05, -128), 5),
        conv2d(64, (5, 5), (4, 6), (3, 3), (1, 1), (1, 1), "SAME", "RELU", Scale(0.02, -128), -128),
        conv2d(65, (3, 3), (32, 32), (1, 1), (1, 1), (1, 1), "VALID", "NONE", Scale(0.02, -3), 7),
        conv2d(
            66, (2, 2), (64, 4), (5, 5), (1, 1), (1, 1), "SAME", "RELU", Scale(0.02, -128), -128, narrow=True
        ),
        conv2d(1, (7, 5), (3, 8), (3, 3), (2, 2), (1, 1), "SAME", "RELU", _X, -128),
        conv2d(2, (6, 6), (4, 5), (3, 3), (1, 1), (1, 1), "VALID", "NONE", _LOW, 7),
        conv2d(3, (9, 8), (2, 3), (3, 2), (1, 1), (2, 3), "SAME", "RELU6", _X, -100),
        conv2d(4, (5, 5), (8, 7), (1, 1), (1, 1), (1, 1), "VALID", "RELU", _LOW, -128),
        conv2d(
            5, (5, 4), (3, 4), (1, 1), (2, 3), (1, 1), "SAME", "NONE", _X, 0, bias=False, per_channel=False
        ),
        conv2d(6, (12, 1), (4, 6), (5, 1), (2, 1), (1, 1), "SAME", "NONE", _X, 10),
        depthwise_conv2d(7, (6, 7), 8, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU6", _X, -128),
        depthwise_conv2d(8, (7, 7), 5, 1, (3, 3), (2, 2), (1, 1), "SAME", "NONE", _LOW, 5),
        depthwise_conv2d(9, (8, 8), 3, 1, (3, 2), (1, 1), (2, 2), "VALID", "RELU", _X, -128),
        depthwise_conv2d(10, (9, 5), 1, 9, (4, 3), (2, 2), (1, 1), "SAME", "NONE", _X, -4),
        depthwise_conv2d(11, (4, 4), 3, 2, (2, 2), (1, 1), (1, 1), "VALID", "RELU", _LOW, -128, bias=False),
        depthwise_conv2d(
            60, (9, 6), 8, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(61, (25, 5), 4, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU", _LOW, -128, spread=0.2),
        depthwise_conv2d(62, (4, 9), 12, 1, (3, 3), (1, 1), (1, 1), "SAME", "NONE", _X, 5, per_channel=False),
        depthwise_conv2d(63, (10, 7), 4, 1, (3, 3), (1, 1), (1, 1), "VALID", "NONE", _X, -128, bias=False),
        depthwise_conv2d(
            64, (11, 8), 4, 1, (3, 3), (2, 2), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(65, (12, 9), 8, 1, (3, 3), (2, 2), (1, 1), "SAME", "NONE", _X, 7, per_channel=False),
        depthwise_conv2d(66, (6, 7), 4, 1, (3, 3), (2, 2), (1, 1), "VALID", "RELU", _LOW, -128, spread=0.3),
        depthwise_conv2d(
            67, (1, 1), 4, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(
            68, (6, 6), 4, 1, (3, 3), (1, 1), (1, 1), "SAME", "NONE", _LOW, -7, per_channel=False
        ),
        depthwise_conv2d(
            69, (7, 4), 8, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(70, (4, 8), 4, 1, (3, 3), (1, 1), (1, 1), "SAME", "NONE", _X, 90, per_channel=False),
        depthwise_conv2d(
            71, (3, 3), 8, 1, (3, 3), (1, 1), (1, 1), "SAME", "RELU", _LOW, -128, per_channel=False
        ),
        depthwise_conv2d(
            72, (4, 5), 4, 1, (3, 3), (1, 1), (1, 1), "VALID", "NONE", _X, -1, per_channel=False
        ),
        depthwise_conv2d(
            73, (12, 12), 4, 1, (3, 3), (2, 2), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(
            74, (11, 12), 4, 1, (3, 3), (2, 2), (1, 1), "SAME", "NONE", _X, 0, per_channel=False
        ),
        depthwise_conv2d(75, (5, 6), 4, 1, (3, 3), (2, 2), (1, 1), "SAME", "NONE", _X, 40, per_channel=False),
        depthwise_conv2d(
            76, (4, 4), 4, 1, (3, 3), (1, 1), (1, 1), "SAME", "NONE", _X, -20, per_channel=False
        ),
        depthwise_conv2d(
            77, (9, 8), 4, 1, (5, 5), (1, 1), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(
            78, (3, 3), 8, 1, (5, 5), (1, 1), (1, 1), "SAME", "RELU", _LOW, -128, per_channel=False
        ),
        depthwise_conv2d(
            79, (15, 14), 4, 1, (5, 5), (1, 1), (1, 1), "SAME", "NONE", _X, 9, per_channel=False
        ),
        depthwise_conv2d(80, (6, 7), 4, 1, (5, 5), (1, 1), (1, 1), "VALID", "NONE", _X, 0, per_channel=False),
        depthwise_conv2d(
            81, (13, 9), 4, 1, (5, 5), (2, 2), (1, 1), "SAME", "RELU", _X, -128, per_channel=False
        ),
        depthwise_conv2d(
            82, (12, 20), 4, 1, (5, 5), (2, 2), (1, 1), "SAME", "NONE", _X, 4, per_channel=False
        ),
        fully_connected(12, 1, 33, 7, "NONE", _X, -3),
        fully_connected(13, 1, 16, 8, "RELU", _LOW, -128, per_channel=True),
        fully_connected(14, 3, 10, 4, "RELU6", _X, -128, bias=False),
        fully_connected(42, 1, 33, 7, "NONE", _X, -3, narrow=True),
        fully_connected(43, 1, 3, 2, "NONE", _LOW, -128, narrow=True),
        fully_connected(44, 1, 74, 12, "RELU", _LOW, -128, narrow=True),
        fully_connected(45, 1, 24, 9, "NONE", _X, 5, per_channel=True, narrow=True),
        fully_connected(46, 3, 10, 5, "NONE", _X, -128, bias=False, narrow=True),
        fully_connected(47, 1, 64, 8, "NONE", _X, 5, per_channel=True, spread=4.0, narrow=True),
        binary(15, "add", (4, 3, 5), "activation", False, "RELU", _X, Scale(0.11, -20), -128),
        binary(16, "add", (4, 3, 5), "channels", True, "NONE", _X, Scale(0.01, 4), 9),
        binary(17, "mul", (4, 3, 5), "channel means", False, "NONE", _X, Scale(0.03, -7), 2),
        binary(18, "mul", (2, 3, 4), "rows", False, "RELU6", _X, _LOW, -128),
        binary(19, "mul", (3, 3, 2), "itself", False, "NONE", _X, _X, -128),
        concatenation(20, (3, 4, 5), 3, 4, _X),
        concatenation(21, (3, 4, 5), 1, 2, _LOW),
        concatenation(39, (2, 3, 4), 3, 2, _X, constant=True),
        pad(22, (3, 4, 2), ((1, 2), (0, 3), (0, 0)), None, _X),
        pad(23, (2, 3, 3), ((0, 1), (2, 0), (1, 1)), 55, _X),
        pool(24, "average_pool2d", (7, 6), 5, (3, 3), (2, 2), "SAME", "RELU", _X),
        pool(25, "average_pool2d", (8, 8), 6, (8, 8), (8, 8), "VALID", "NONE", _LOW),
        pool(26, "max_pool2d", (7, 6), 5, (3, 2), (2, 1), "SAME", "RELU6", _X),
        pool(27, "max_pool2d", (4, 4), 3, (2, 2), (2, 2), "VALID", "NONE", _LOW),
        pool(51, "average_pool2d", (25, 5), 8, (25, 5), (1, 1), "VALID", "NONE", _X),
        pool(52, "average_pool2d", (7, 6), 4, (3, 3), (2, 2), "SAME", "RELU", _X),
        pool(53, "average_pool2d", (20, 15), 4, (20, 15), (1, 1), "VALID", "NONE", _LOW),
        pool(54, "max_pool2d", (7, 6), 12, (3, 2), (2, 1), "SAME", "RELU6", _X),
        mean(55, (5, 4, 12), (1, 2), False, _X, Scale(0.04, -1)),
        mean(56, (19, 15, 4), (1, 2), True, _LOW, Scale(0.03, -100)),
        mean(28, (5, 4, 7), (1, 2), False, _X, Scale(0.04, -1)),
        mean(29, (5, 4, 7), (1, 3), True, _X, _X),
        mean(30, (6, 3, 5), (2,), False, _LOW, Scale(0.03, -100)),
        reshape(31, (3, 4, 5), "RELU", _X),
        softmax(32, 1, 10, 1.0, Scale(0.02, 5)),
        softmax(33, 3, 12, 0.5, Scale(0.9, -128)),
        softmax(34, 1, 200, 1.0, Scale(0.002, 0)),
        unary(35, "logistic", Scale(0.05, 3), _X),
        unary(36, "relu", Scale(0.05, -10), Scale(0.03, -128)),
        unary(37, "relu6", Scale(0.06, -20), _X),
        unary(38, "quantize", Scale(0.05, -10), Scale(0.012, 60)),
        binary(40, "sub", (4, 3, 5), "activation", False, "RELU", _X, Scale(0.11, -20), -128),
        # Many pairs, near the least and at another shift of the plane that serves DSP cores.
        binary(48, "add", (24, 24, 9), "constant", False, "RELU", _X, Scale(0.11, -20), -128),
        binary(49, "sub", (17, 24, 9), "constant", True, "NONE", _X, Scale(0.3, 20), 7, spread=16.0),
        binary(57, "sub", (5, 6, 7), "columns", False, "RELU6", _X, Scale(0.05, -9), -100),
        binary(58, "add", (9, 9, 8), "constant", False, "RELU6", _LOW, Scale(0.013, -9), -90, spread=4.0),
        binary(50, "add", (12, 9, 7), "itself", False, "NONE", _X, _X, -3),
        binary(41, "sub", (4, 3, 5), "channels", True, "NONE", _X, Scale(0.01, 4), 9),
        # A tie that falls the other way where the output's factor is divided in single precision.
        binary(
            2183991,
            "sub",
            (2, 4, 4),
            "map",
            False,
            "NONE",
            Scale(0.3530750870704651, -128),
            Scale(0.25, -128),
            -128,
            0.1,
        ),
        unary(42, "tanh", Scale(0.05, 3), _X),
        unary(43, "hard_swish", Scale(0.05, 3), Scale(0.03, -118)),
        unary(44, "leaky_relu", Scale(0.05, 3), Scale(0.03, -100)),
    ]
