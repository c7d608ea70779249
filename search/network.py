"""Layer list -> Keras model, in operators that lower to supported int8 ones.

Batch normalisation follows each convolution, without a bias of its own; the converter folds both into one
CONV_2D or DEPTHWISE_CONV_2D and fuses the activation.  Strided convolutions use SAME padding of the operator
itself, so that no PAD appears.  All initial weights come from one seed: the same list gives the same bytes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from search.errors import BadArchitecture
from search.space.base import Architecture, Space
from search.space.layers import (
    ClassProbabilities,
    Concat,
    Conv,
    Dense,
    Depthwise,
    Flat,
    GlobalAverage,
    Layer,
    Pool,
    Sum,
    sides,
)

# Keras' default of 0.99 suits thousands of steps per epoch; small data sets have a dozen.
NORMALISATION_MOMENTUM = 0.9


class CannotBuild(BadArchitecture):
    """A network that its space cannot make a model of that runs in int8: the candidate is to blame, not the
    set-up, and the search goes on."""


@runtime_checkable
class BuildsModel(Protocol):
    """A space that makes its Keras models itself, because no layer list could say what they are (a user's
    HyperModel, docs/spaces/keras_tuner.md).

    Attributes:
        digest: of what the models follow from beside the architecture, e.g. the file that builds them; no
            study is continued with another.
    """

    @property
    def digest(self) -> str: ...

    def keras_model(self, architecture: Architecture, *, seed: int) -> Any:
        """The untrained `keras.Model`: the same bytes whenever it is made.

        Raises:
            CannotBuild: there is none for this architecture.
        """


def model_of(space: Space, architecture: Architecture, *, seed: int, probabilities: bool = True) -> Any:
    """The untrained Keras model of an architecture, however its space makes it.

    Args:
        seed: of the initial weights.
        probabilities: False for a regression: what stands before the probabilities of the classes is the
            output.  A space that makes its models itself ends them as it likes.

    Raises:
        BadArchitecture: as `build`; CannotBuild as `BuildsModel.keras_model`.
    """
    if isinstance(space, BuildsModel):
        return space.keras_model(architecture, seed=seed)
    layers = space.layers(architecture)
    if not probabilities:
        layers = without_probabilities(layers)
    return build(layers, space.takes(architecture), seed=seed)


def without_probabilities(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layer list of a regression: that of a classifier whose classes are the outputs, without softmax."""
    return tuple(layers[:-1] if layers and isinstance(layers[-1], ClassProbabilities) else layers)


def build(layers: Sequence[Layer], input_shape: tuple[int, int, int], *, seed: int) -> Any:
    """Make the Keras model, untrained.

    Args:
        layers: decoded architecture; the last one is the output.
        input_shape: (height, width, channels) of one image.
        seed: of the initial weights.

    Returns:
        A `keras.Model` from (batch, height, width, channels) float32 to the last layer's output.

    Raises:
        BadArchitecture: the list is empty, names an input that is not there, or holds a layer that does not
            apply.
    """
    if not layers:
        raise BadArchitecture("an empty layer list is no network", remedy="give at least an output layer")
    keras = load_keras()
    tensors = {"input": keras.Input(shape=input_shape, name="input")}
    for position, layer in enumerate(layers):
        try:
            inputs = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = _apply(keras, layer, inputs, seed=seed * 1009 + position)
        except KeyError as error:
            raise BadArchitecture(
                f"layer '{layer.name}' takes {error} as its input, but no earlier layer has that name",
                remedy=f"the layers before it are: {', '.join(tensors)}",
            ) from error
        except ValueError as error:
            raise BadArchitecture(
                f"layer '{layer.name}' ({type(layer).__name__}) cannot be applied: {error}",
                remedy="check its input shapes; pools and strides may have used up the picture",
            ) from error
    # A name of its own: Keras would count models, and the count would end up in the .tflite file.
    return keras.Model(tensors["input"], tensors[layers[-1].name], name="network")


def _apply(keras: Any, layer: Layer, inputs: list[Any], *, seed: int) -> Any:
    make = keras.layers
    match layer:
        case Conv():
            _must_be_read_rightly(layer, inputs[0].shape)
            x = make.Conv2D(
                layer.filters,
                layer.kernel,
                strides=layer.stride,
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seed=seed),
                name=layer.name,
            )(inputs[0])
            return _normalised(keras, x, layer.name, layer.activation)
        case Depthwise():
            x = make.DepthwiseConv2D(
                layer.kernel,
                strides=layer.stride,
                padding="same",
                use_bias=False,
                depthwise_initializer=keras.initializers.VarianceScaling(
                    scale=2.0 * inputs[0].shape[-1], mode="fan_in", seed=seed
                ),
                name=layer.name,
            )(inputs[0])
            return _normalised(keras, x, layer.name, layer.activation)
        case Sum():
            return _activated(keras, make.Add(name=layer.name)(inputs), layer.name, layer.activation)
        case Concat():
            return make.Concatenate(name=layer.name)(inputs)
        case Pool():
            kind = make.MaxPooling2D if layer.kind == "max" else make.AveragePooling2D
            padding = "same" if layer.same else "valid"
            return kind(layer.size, strides=layer.stride, padding=padding, name=layer.name)(inputs[0])
        case GlobalAverage():
            return make.GlobalAveragePooling2D(name=layer.name)(inputs[0])
        case Flat():
            return make.Flatten(name=layer.name)(inputs[0])
        case Dense():
            x = make.Dense(
                layer.units, kernel_initializer=keras.initializers.GlorotUniform(seed=seed), name=layer.name
            )(inputs[0])
            return _activated(keras, x, layer.name, layer.activation)
        case ClassProbabilities():
            return make.Softmax(name=layer.name)(inputs[0])
        case _:
            raise ValueError(f"there is no Keras form of a {type(layer).__name__} layer")


def _must_be_read_rightly(layer: Conv, shape: tuple[int, ...]) -> None:
    """Refuse what TensorFlow Lite gets wrong.

    A float kernel as large as its map, with padding at the far ends alone (sides of 1 and 2), is taken for a
    plain matrix product, reads beyond its input, and gives chance numbers or ends the process (seen with
    TensorFlow 2.21).  The ranges for int8 are taken with it.
    """
    kernel, stride = sides(layer.kernel), sides(layer.stride)
    padded = any(side == 2 and step == 1 for side, step in zip(kernel, stride, strict=True))
    if kernel == tuple(shape[1:3]) and max(kernel) == 2 and padded:
        raise ValueError(f"TensorFlow Lite cannot run a kernel of {kernel} on a map of that size")


def _normalised(keras: Any, x: Any, name: str, activation: str) -> Any:
    x = keras.layers.BatchNormalization(momentum=NORMALISATION_MOMENTUM, name=f"{name}_norm")(x)
    return _activated(keras, x, name, activation)


def _activated(keras: Any, x: Any, name: str, activation: str) -> Any:
    if activation == "none":
        return x
    limit = {"relu": None, "relu6": 6.0}[activation]
    return keras.layers.ReLU(max_value=limit, name=f"{name}_{activation}")(x)


def settle(model: Any, samples: NDArray[np.float32]) -> None:
    """Set the statistics of every batch normalisation to those of `samples`, in one pass.

    Without it an untrained network may be dead: where all weights of a narrow first layer happen to be
    negative, ReLU makes everything behind it zero, the ranges of the activations vanish, and the int8 model
    gets scales that no runtime takes.  Normalised inputs are positive about half of the time.

    Args:
        samples: (count, height, width, channels), as for training; a hundred are enough.
    """
    normalisations = [layer for layer in model.layers if hasattr(layer, "moving_mean")]
    for layer in normalisations:
        layer.momentum = 0.0  # of the old statistics nothing remains
    model(samples, training=True)
    for layer in normalisations:
        layer.momentum = NORMALISATION_MOMENTUM


def to_bytes(model: Any) -> bytes:
    """The model as a .keras file."""
    with tempfile.TemporaryDirectory(prefix="hilnas-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def forget_models() -> None:
    """Let Keras drop the global state that it gathers with every model; models in hand stay usable."""
    if "keras" in sys.modules:
        load_keras().utils.clear_session(free_memory=False)


def load_keras() -> Any:
    """Import Keras on TensorFlow without the chatter that both print on standard error."""
    if "keras" not in sys.modules or "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        with _silent_stderr():
            import tensorflow

            tensorflow.get_logger().setLevel("ERROR")
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadArchitecture(
            f"Keras runs on '{keras.backend.backend()}'; int8 conversion needs it on TensorFlow",
            remedy="unset KERAS_BACKEND, or: export KERAS_BACKEND=tensorflow",
        )
    return keras


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what C++ code writes to file descriptor 2; errors still arrive as exceptions."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # a process without standard error has nothing to silence
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
