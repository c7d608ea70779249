"""Whole small networks as Keras lowers them, with an input: operators that feed each other in one arena.

A network is a list of block names, so that a failing one shrinks to few blocks.  Each block takes a feature
map and leaves one; the quantization of every tensor is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from hypothesis import strategies as st

from tests.support.operator_models import Case
from tests.support.tflite_builder import Builder, TensorRef


class NetworkBuilder:
    """A Builder that fills in weights and quantization by itself."""

    def __init__(self, seed: int) -> None:
        self.b = Builder(f"network {seed}")
        self.random = np.random.default_rng(seed)

    def _point(self, activation: str) -> int:
        return int(self.random.integers(-60, 60)) if activation == "NONE" else -128

    def _weight_scales(self, outputs: int, depth: int) -> list[float]:
        """Such that a sum over `depth` products is about as large as its inputs."""
        return [float(gain) / (74 * depth**0.5) for gain in self.random.uniform(0.3, 2.0, outputs)]

    def conv(
        self, x: TensorRef, filters: int, kernel: tuple[int, int], stride: int = 1, activation: str = "RELU"
    ) -> TensorRef:
        shape = (filters, *kernel, x.shape[3])
        scales = self._weight_scales(filters, prod(shape[1:]))
        return self.b.conv2d(
            x,
            self.random.integers(-127, 128, shape),
            self.random.integers(-1000, 1000, filters),
            weight_scales=scales,
            out_scale=x.scale * float(self.random.uniform(0.7, 1.4)),
            out_zero_point=self._point(activation),
            stride=(stride, stride),
            activation=activation,
        )

    def depthwise(self, x: TensorRef, kernel: tuple[int, int], stride: int = 1) -> TensorRef:
        channels = x.shape[3]
        scales = self._weight_scales(channels, prod(kernel))
        return self.b.depthwise_conv2d(
            x,
            self.random.integers(-127, 128, (1, *kernel, channels)),
            self.random.integers(-1000, 1000, channels),
            weight_scales=scales,
            out_scale=x.scale * float(self.random.uniform(0.7, 1.4)),
            out_zero_point=-128,
            stride=(stride, stride),
            activation="RELU6",
        )

    def dense(self, x: TensorRef, units: int, activation: str = "NONE") -> TensorRef:
        return self.b.fully_connected(
            x,
            self.random.integers(-127, 128, (units, x.shape[-1])),
            self.random.integers(-1000, 1000, units),
            weight_scales=self._weight_scales(1, x.shape[-1]),
            out_scale=x.scale,
            out_zero_point=self._point(activation),
            activation=activation,
        )

    def add(self, x: TensorRef, y: TensorRef, activation: str = "NONE") -> TensorRef:
        scale = 1.3 * max(x.scale, y.scale)
        return self.b.add(
            x, y, out_scale=scale, out_zero_point=self._point(activation), activation=activation
        )


def _separable(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    return n.conv(n.depthwise(x, (3, 3)), 6, (1, 1))


def _residual(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    inner = n.conv(n.conv(x, x.shape[3], (3, 3)), x.shape[3], (3, 3), activation="NONE")
    return n.add(inner, x, "RELU")


def _inverted_residual(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    inner = n.depthwise(n.conv(x, 2 * x.shape[3], (1, 1), activation="RELU6"), (3, 3))
    return n.add(x, n.conv(inner, x.shape[3], (1, 1), activation="NONE"))


def _inception(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    parts = [n.b.max_pool2d(x, (3, 3), (1, 1), padding="SAME"), n.conv(x, 3, (1, 1)), n.conv(x, 2, (3, 3))]
    scale = max(part.scale for part in parts)
    return n.b.concatenation([n.b.quantize(p, out_scale=scale, out_zero_point=-128) for p in parts], axis=3)


def _squeeze_excite(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    means = n.b.mean(x, (1, 2), keep_dims=True, out_scale=x.scale / 4, out_zero_point=-10)
    gate = n.b.logistic(n.conv(n.conv(means, 2, (1, 1)), x.shape[3], (1, 1), activation="NONE"))
    return n.b.mul(x, gate, out_scale=x.scale, out_zero_point=x.zero_point)


def _strided(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    padded = n.b.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return n.depthwise(padded, (3, 3), stride=2) if min(padded.shape[1:3]) > 2 else x


def _pool(n: NetworkBuilder, x: TensorRef) -> TensorRef:
    return n.b.average_pool2d(x, (2, 2), padding="SAME")


BLOCKS: Mapping[str, Callable[[NetworkBuilder, TensorRef], TensorRef]] = {
    "separable": _separable,
    "residual": _residual,
    "inverted_residual": _inverted_residual,
    "inception": _inception,
    "squeeze_excite": _squeeze_excite,
    "strided": _strided,
    "pool": _pool,
}


def network(seed: int, size: tuple[int, int, int], blocks: Sequence[str], *, flatten: bool) -> Case:
    """A stem, the blocks, then flatten or a global mean, a dense layer and softmax."""
    n = NetworkBuilder(seed)
    source = n.b.input((1, *size), scale=0.02, zero_point=-10)
    x = n.conv(source, 5, (3, 3))
    for block in blocks:
        x = BLOCKS[block](n, x)
    if flatten:
        x = n.b.reshape(x, (1, prod(x.shape)))
    else:
        x = n.b.mean(x, (1, 2), out_scale=x.scale / 2, out_zero_point=-128)
    y = n.b.softmax(n.dense(n.dense(x, 8, "RELU"), 4))
    data = n.random.integers(-128, 128, source.shape).astype(np.int8)
    return Case(f"network {'-'.join(blocks)} on {size}", n.b.finish(y), data)


def conv1d(seed: int) -> Case:
    """Conv1D layers: Keras adds an axis before each convolution and takes it away after."""
    n = NetworkBuilder(seed)
    source = n.b.input((1, 24, 3), scale=0.02, zero_point=4)
    x = source
    for stride in (1, 2):
        x = n.b.reshape(n.conv(n.b.expand_dims(x, 1), 6, (1, 5), stride), (1, 24 // stride, 6))
    x = n.dense(n.b.mean(x, (1,)), 3)
    data = n.random.integers(-128, 128, source.shape).astype(np.int8)
    return Case("conv1d", n.b.finish(n.b.softmax(x)), data)


def fixed_networks() -> list[Case]:
    """One network through every block, and 1-D convolutions."""
    return [
        network(1, (9, 8, 2), list(BLOCKS), flatten=False),
        network(2, (6, 6, 1), ["residual", "inception", "pool"], flatten=True),
        conv1d(3),
    ]


networks: st.SearchStrategy[Case] = st.builds(
    network,
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(3, 10), st.integers(3, 10), st.integers(1, 4)),
    st.lists(st.sampled_from(sorted(BLOCKS)), max_size=5),
    flatten=st.booleans(),
)
