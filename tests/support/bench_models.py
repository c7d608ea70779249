"""Small models that stand in for the MLPerf Tiny ones where those are absent: the same layers, less of them.

The same bytes every time, so their figures can be committed (benchmarks/device.json).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.network_cases import NetworkBuilder
from tests.support.tflite_builder import TensorRef


def _classes(n: NetworkBuilder, x: TensorRef) -> bytes:
    """Global mean, a dense layer and softmax behind `x`."""
    pooled = n.b.mean(x, (1, 2), out_scale=x.scale / 2, out_zero_point=-128)
    return n.b.finish(n.b.softmax(n.dense(pooled, 10)))


def separable() -> bytes:
    """As kws and vww: a strided first layer, then depthwise and pointwise in turns, one of them strided."""
    n = NetworkBuilder(11)
    x = n.conv(n.b.input((1, 24, 20, 3), scale=0.02, zero_point=-10), 8, (3, 3), 2)
    for filters, stride in ((16, 1), (32, 2), (32, 1)):
        x = n.conv(n.depthwise(x, (3, 3), stride), filters, (1, 1))
    return _classes(n, x)


def residual() -> bytes:
    """As ic: 3x3 convolutions with a skip, and a strided block whose skip is a pointwise convolution."""
    n = NetworkBuilder(12)
    x = n.conv(n.b.input((1, 12, 12, 3), scale=0.02, zero_point=-10), 16, (3, 3))
    inner = n.conv(n.conv(x, 16, (3, 3)), 16, (3, 3), activation="NONE")
    x = n.add(inner, x, "RELU")
    inner = n.conv(n.conv(x, 32, (3, 3), 2), 32, (3, 3), activation="NONE")
    return _classes(n, n.add(inner, n.conv(x, 32, (1, 1), 2, activation="NONE"), "RELU"))


def dense() -> bytes:
    """As ad: fully connected layers only, down to a few values and up again."""
    n = NetworkBuilder(13)
    x = n.b.input((1, 160), scale=0.02, zero_point=5)
    for units in (64, 64, 8, 64):
        x = n.dense(x, units, "RELU")
    return n.b.finish(n.dense(x, 160))


BENCH_MODELS: Mapping[str, Callable[[], bytes]] = {
    "small-separable": separable,
    "small-residual": residual,
    "small-dense": dense,
}
