"""HyperModels of the tests, tiny ones for images of 8x8x1 and 10 classes."""

from __future__ import annotations

from typing import Any

from search.keras_tuner.library import kt
from search.network import load_keras

keras = load_keras()


def build(hp: Any) -> Any:
    """A plain function, with a loop, a conditional scope and two names that need escaping."""
    kind = hp.Choice("kind", ["conv", "separable"])
    layers = [keras.Input((8, 8, 1))]
    with hp.conditional_scope("kind", ["separable"]):
        multiplier = hp.Int("depth multiplier", 1, 2)
    for number in range(hp.Int("blocks", 1, 2)):
        with hp.name_scope(f"block{number}"):
            filters = hp.Int("filters", 4, 12, step=4)
            strides = hp.Choice("strides", [1, 2])
        if kind == "conv":
            layers.append(keras.layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu"))
        else:
            layers.append(
                keras.layers.SeparableConv2D(filters, 3, strides=strides, depth_multiplier=multiplier)
            )
            layers.append(keras.layers.BatchNormalization())
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    rate = hp.Float("learning=rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Faulty(kt.HyperModel):  # type: ignore[misc]
    """Two of its six kinds of networks can be used."""

    def __init__(self, input_shape: tuple[int, ...] = (8, 8, 1), num_classes: int = 10) -> None:
        super().__init__()
        self.input_shape = input_shape
        self.classes = num_classes

    def build(self, hp: Any) -> Any:
        kind = hp.Choice("kind", ["fine", "raises", "none", "recurrent", "outputs", "logits"])
        if kind == "raises":
            raise ValueError("no such luck")
        if kind == "none":
            return None
        outputs = 3 if kind == "outputs" else self.classes
        layers = [keras.Input(self.input_shape)]
        if kind == "recurrent":
            layers += [keras.layers.Reshape((8, 8)), keras.layers.GRU(4)]
        else:
            filters = hp.Int("filters", 4, 8, step=4)
            layers += [
                keras.layers.Conv2D(filters, 3, strides=2, activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
            ]
        activation = None if kind == "logits" else "softmax"
        return keras.Sequential([*layers, keras.layers.Dense(outputs, activation=activation)])
