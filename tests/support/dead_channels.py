"""Networks like those of `network_cases`, but with channels that do not depend on the input, or are not read.

live      random weights
low       a bias so low that the activation's lower end is always reached
high      a bias so high that the upper end is
mute      weights of 0: the bias alone speaks
unread    (of an input channel) no output channel has a weight for it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.network_cases import BLOCKS, NetworkBuilder
from tests.support.operator_models import Case
from tests.support.tflite_builder import Builder, TensorRef

Array = np.ndarray[Any, Any]

KINDS = ("live", "low", "high", "mute")
#: Beyond what any sum of products here reaches, and far from 2^31.
_FAR = 1 << 24


class _Killer(Builder):
    """A Builder that lets a share of the channels die."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__(f"dead channels {seed}")
        self._random = np.random.default_rng([seed, 1])
        self._share = share

    def _kinds(self, outputs: int) -> Array:
        dead = (1 - self._share, self._share / 2, self._share / 4, self._share / 4)
        return self._random.choice(KINDS, outputs, p=dead)

    def _bias_of(self, bias: Any, kinds: Array) -> Array:
        values = np.where(kinds == "low", -_FAR, np.where(kinds == "high", _FAR, bias))
        return values.astype(np.int32)

    def conv2d(self, x: TensorRef, weights: Any, bias: Any = None, **rest: Any) -> TensorRef:
        kinds = self._kinds(len(weights))
        data = np.where((kinds == "mute")[:, None, None, None], 0, weights)
        data[..., self._random.random(x.shape[3]) < self._share / 4] = 0
        return super().conv2d(x, data, self._bias_of(bias, kinds), **rest)

    def depthwise_conv2d(self, x: TensorRef, weights: Any, bias: Any = None, **rest: Any) -> TensorRef:
        kinds = self._kinds(weights.shape[3])
        data = np.where(kinds == "mute", 0, weights)
        return super().depthwise_conv2d(x, data, self._bias_of(bias, kinds), **rest)

    def fully_connected(self, x: TensorRef, weights: Any, bias: Any = None, **rest: Any) -> TensorRef:
        kinds = self._kinds(len(weights))
        data = np.where((kinds == "mute")[:, None], 0, weights)
        return super().fully_connected(x, data, self._bias_of(bias, kinds), **rest)


def _separable(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    return n.conv(n.depthwise(x, (3, 3)), 11, (1, 1))


def _valid(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    """A convolution whose windows stay inside, so that any constant can be folded."""
    if min(x.shape[1:3]) < 2:
        return x
    weights = n.random.integers(-127, 128, (9, 2, 2, x.shape[3]))
    return n.b.conv2d(
        x, weights, np.zeros(9), weight_scales=[0.002], out_scale=x.scale, out_zero_point=5, padding="VALID"
    )


def _widened(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    """A depthwise convolution with two outputs per input."""
    return n.b.depthwise_conv2d(
        x,
        n.random.integers(-127, 128, (1, 2, 2, 2 * x.shape[3])),
        n.random.integers(-1000, 1000, 2 * x.shape[3]),
        weight_scales=[0.004],
        out_scale=x.scale,
        out_zero_point=-128,
        activation="RELU",
    )


def _with_constant(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    """A concatenation with a constant, and a sum with one."""
    beside = n.random.integers(-128, 128, (*x.shape[:3], 3))
    beside[..., 0] = -128
    part = n.b.constant(beside, dtype="int8", scale=x.scale, zero_point=x.zero_point)
    y = n.b.concatenation([part, x], axis=3)
    shift = n.b.constant(n.random.integers(-128, 128, y.shape[3]), dtype="int8", scale=x.scale, zero_point=0)
    return n.b.add(y, shift, out_scale=x.scale, out_zero_point=x.zero_point)


DEAD_BLOCKS = {
    **BLOCKS,
    "separable": _separable,
    "valid": _valid,
    "widened": _widened,
    "with_constant": _with_constant,
}


def dead_network(
    seed: int,
    size: tuple[int, int, int],
    blocks: Sequence[str],
    share: float,
    *,
    flatten: bool,
    softmax: bool,
) -> Case:
    """A stem of 12 channels, the blocks, then flatten or a global mean, and two dense layers."""
    n = NetworkBuilder(seed)
    n.b = _Killer(seed, share)
    source = n.b.input((1, *size), scale=0.02, zero_point=-10)
    x = n.conv(source, 12, (3, 3))
    for block in blocks:
        x = DEAD_BLOCKS[block](n, x)
    if flatten:
        x = n.b.reshape(x, (1, prod(x.shape)))
    else:
        x = n.b.mean(x, (1, 2), out_scale=x.scale / 2, out_zero_point=-128)
    y = n.dense(n.dense(x, 10, "RELU"), 4)
    if softmax:
        y = n.b.softmax(y)
    data = n.random.integers(-128, 128, source.shape).astype(np.int8)
    return Case(f"dead channels {'-'.join(blocks)} on {size}", n.b.finish(y), data)


def fixed_dead_networks() -> list[Case]:
    """Through every block, by a few at a time."""
    names = sorted(DEAD_BLOCKS)
    return [dead_network(k, (9, 8, 2), names[k::4], 0.6, flatten=k % 2 == 0, softmax=k > 1) for k in range(4)]


_ARGUMENTS: Mapping[str, st.SearchStrategy[Any]] = {"flatten": st.booleans(), "softmax": st.booleans()}

dead_networks: st.SearchStrategy[Case] = st.builds(
    dead_network,
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(2, 8), st.integers(2, 8), st.integers(1, 4)),
    st.lists(st.sampled_from(sorted(DEAD_BLOCKS)), max_size=4),
    st.sampled_from([0.3, 0.6, 0.9]),
    **_ARGUMENTS,
)
