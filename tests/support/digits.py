"""Networks for the digits, trained for seconds: what fits an Uno and a Mega."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from hil.quantize import quantize
from search.datasets import load

Array = np.ndarray[Any, Any]
_EPOCHS, _BATCH, _RATE = 6, 32, 1e-2


def _trained(layers: list[Any]) -> bytes:
    import keras

    keras.utils.set_random_seed(1)
    data = load("digits")
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(_RATE), "sparse_categorical_crossentropy")
    model.fit(data.x_train, data.y_train, batch_size=_BATCH, epochs=_EPOCHS, verbose=0)
    return quantize(model, data.x_train)


@functools.cache
def mlp() -> bytes:
    """64 pixels -> 32 -> 10."""
    import keras

    return _trained([keras.layers.Flatten(), keras.layers.Dense(32, activation="relu")])


@functools.cache
def cnn() -> bytes:
    """Two convolutions, and a depthwise one between them."""
    import keras

    layers = keras.layers
    return _trained(
        [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(12, 1, activation="relu"),
            layers.Flatten(),
        ]
    )


def images(count: int) -> tuple[Array, Array]:
    """Images of the test set, pixels 0 to 1, and what they show."""
    data = load("digits")
    return data.x_test[:count], data.y_test[:count]
