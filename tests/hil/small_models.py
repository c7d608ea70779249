"""Small int8 models for tests of devices, bench and API."""

from __future__ import annotations

import functools

import numpy as np

from tests.support.tflite_builder import Builder


@functools.cache
def small_cnn(seed: int = 1, filters: int = 4) -> bytes:
    """8x8x2 -> convolution -> depthwise convolution -> fully connected (5).  Weights are random by `seed`."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    b = Builder()
    x = b.input((1, 8, 8, 2), scale=0.05, zero_point=-3)
    x = b.conv2d(
        x,
        weights(filters, 3, 3, 2),
        rng.integers(-500, 500, filters).astype(np.int32),
        weight_scales=[0.01 + 0.001 * k for k in range(filters)],
        out_scale=0.06,
        out_zero_point=-128,
        activation="RELU",
    )
    x = b.depthwise_conv2d(
        x,
        weights(1, 3, 3, filters),
        rng.integers(-500, 500, filters).astype(np.int32),
        weight_scales=[0.02] * filters,
        out_scale=0.1,
        out_zero_point=5,
    )
    x = b.reshape(x, (1, 64 * filters))
    x = b.fully_connected(
        x,
        weights(5, 64 * filters),
        rng.integers(-500, 500, 5).astype(np.int32),
        weight_scales=[0.01],
        out_scale=0.3,
        out_zero_point=2,
    )
    return b.finish(x)
