"""What `tuner.search(x, y, validation_data=...)` was called with, as arrays: for the ranges of the int8 model
and for its accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.graph import read
from hil.interpreter import HostInterpreter
from search.keras_tuner.library import kt

REPRESENTATIVE = 128
VALIDATION = 2048  # of a data set that is not in memory


def training_inputs(args: Sequence[Any], kwargs: Mapping[str, Any]) -> NDArray[Any]:
    """Some of the training inputs, (at most 128, ...).

    Raises:
        FatalValueError: there are none, or they cannot be read without being used up.
    """
    x = args[0] if args else kwargs.get("x")
    if x is None:
        raise kt.errors.FatalValueError(
            "search() got no training data: the ranges of the int8 model are taken from x.  Call "
            "tuner.search(x, y, ...)"
        )
    taken = [np.asarray(inputs) for inputs, _ in _batches(x, None, REPRESENTATIVE)]
    samples: NDArray[Any] = np.concatenate(taken)[:REPRESENTATIVE]
    return samples


def validation(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Validation inputs (count, ...) and labels (count,); None where there are none, or no classes."""
    data = kwargs.get("validation_data")
    x = args[0] if args else kwargs.get("x")
    y = args[1] if len(args) > 1 else kwargs.get("y")
    share = kwargs.get("validation_split", 0.0)
    if data is None and share and x is not None and y is not None:
        keep = len(y) - int(len(y) * share)  # Keras takes the last samples, before it shuffles
        data = (x[keep:], y[keep:])
    if data is None:
        return None
    pairs = data if not isinstance(data, tuple | list) else None
    source = (
        _batches(pairs, None, VALIDATION) if pairs is not None else _batches(data[0], data[1], VALIDATION)
    )
    inputs, labels = zip(*[(np.asarray(a), np.asarray(b)) for a, b in source], strict=True)
    classes = _classes(np.concatenate(labels))
    return None if classes is None else (np.concatenate(inputs), classes)


def int8_accuracy(tflite: bytes, x: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of `x` that the int8 model puts into its class, 0 to 1, as the board would.

    One output is the probability of class 1; of several the largest names the class.
    """
    graph = read(tflite)
    given, result = graph.input_tensor, graph.output_tensor
    steps = np.rint(x / np.float32(given.scale)) + given.zero_point
    scores = HostInterpreter(graph).run(np.clip(steps, -128, 127).astype(np.int8))
    scores = scores.reshape(len(x), -1)
    if scores.shape[1] == 1:
        said = ((scores[:, 0].astype(np.int32) - result.zero_point) * result.scale > 0.5).astype(np.int64)
    else:
        said = scores.argmax(axis=-1)
    return float(np.mean(said == labels))


def _batches(x: Any, y: Any, most: int) -> Iterator[tuple[Any, Any]]:
    """Pieces of (inputs, labels) until there are `most`; arrays come whole."""
    if isinstance(x, np.ndarray) or hasattr(x, "__array__"):
        yield (x, y) if y is not None else (x[:most], None)
        return
    if isinstance(x, dict | list | tuple):
        raise kt.errors.FatalValueError(
            f"search() got a {type(x).__name__} of inputs; a network on a board has one input, an array"
        )
    if hasattr(x, "__next__"):
        raise kt.errors.FatalValueError(
            "search() got a generator, which would be used up by looking at it: hand in arrays, a "
            "tf.data.Dataset or a keras.utils.PyDataset"
        )
    seen = 0
    for batch in x if hasattr(x, "__iter__") else (x[index] for index in count()):
        inputs, labels = (batch[0], batch[1]) if isinstance(batch, tuple | list) else (batch, None)
        yield inputs, labels
        seen += len(inputs)
        if seen >= most:
            return


def _classes(labels: NDArray[Any]) -> NDArray[Any] | None:
    """Class numbers of what a classifier is trained with: numbers or one-hot rows; None for anything else."""
    if labels.dtype == object:
        return None
    if labels.ndim == 2 and labels.shape[1] > 1:
        one_hot = np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=1) == 1)
        return labels.argmax(axis=1) if one_hot else None
    flat = labels.reshape(-1)
    return flat.astype(np.int64) if flat.size == len(labels) and np.all(flat == np.rint(flat)) else None
