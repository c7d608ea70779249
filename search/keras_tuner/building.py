"""One Keras model of a HyperModel: seeded, checked against the data, with its softmax as a layer of its own.

What the user compiled the model with is not used: a study trains all its networks alike (search/train.py,
the table [train]).  So a model need not be compiled.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from search.network import CannotBuild, forget_models, load_keras


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Everything that is drawn within follows from `seed`; random and numpy go on afterwards as if nothing
    had been drawn.  Layers are named from the start again, as their names end up in the .tflite file."""
    keras = load_keras()
    before, numpy_before = random.getstate(), np.random.get_state()
    forget_models()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)


def checked(model: Any, *, name: str, input_shape: tuple[int, ...], classes: int) -> Any:
    """The same model, if a study can use it.

    Args:
        model: what `build` returned.
        name: of the HyperModel.

    Raises:
        CannotBuild: it is no built `keras.Model` from one input of this shape to `classes` numbers.
    """
    keras = load_keras()
    if not isinstance(model, keras.Model):
        got = "None" if model is None else f"a {type(model).__name__}"
        raise CannotBuild(
            f"{name} returned {got}, expected a keras.Model", remedy="end build with: return model"
        )
    inputs, outputs = list(getattr(model, "inputs", None) or []), list(getattr(model, "outputs", None) or [])
    if not inputs or not outputs:
        raise CannotBuild(
            f"{name} returned a model that is not built",
            remedy=f"begin a Sequential with keras.Input({input_shape})",
        )
    if len(inputs) != 1 or len(outputs) != 1:
        raise CannotBuild(
            f"{name} returned a model of {len(inputs)} inputs and {len(outputs)} outputs, expected one each"
        )
    if tuple(inputs[0].shape[1:]) != tuple(input_shape):
        raise CannotBuild(
            f"{name} returned a model that takes {tuple(inputs[0].shape[1:])}, "
            f"the data are {tuple(input_shape)}",
            remedy="let its __init__ take input_shape, or change the data",
        )
    if tuple(outputs[0].shape[1:]) != (classes,):
        raise CannotBuild(
            f"{name} returned a model that gives {tuple(outputs[0].shape[1:])}, "
            f"the data have {classes} classes",
            remedy=f"end it with keras.layers.Dense({classes}, activation='softmax')",
        )
    return model


def with_softmax_apart(model: Any) -> Any:
    """The same network, whose final softmax is a layer: the loss takes what stands before it, for numerical
    reasons (search/train.py)."""
    keras = load_keras()
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    if isinstance(last, keras.layers.Softmax | keras.Model) or activation is not keras.activations.softmax:
        return model
    last.activation = keras.activations.linear
    return keras.Model(
        model.inputs[0], keras.layers.Softmax(name="probabilities")(model.outputs[0]), name="network"
    )
