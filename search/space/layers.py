"""The layer list: what an Architecture decodes to, as pure data.

Spaces emit it; `search/space/cost.py` counts it; `search/network.py` turns it into Keras.  So a new space
needs neither a cost model nor Keras code of its own.  Shapes are (height, width, channels), without the
batch dimension; a time series is (steps, 1, channels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Act: TypeAlias = Literal["none", "relu", "relu6"]

Side: TypeAlias = int | tuple[int, int]
"""Kernel, stride or pool: one number for a square, or (rows, columns)."""


def sides(side: Side) -> tuple[int, int]:
    """(rows, columns)."""
    return (side, side) if isinstance(side, int) else side


@dataclass(frozen=True)
class Layer:
    """Base: `name` is unique; `inputs` name earlier layers ("input" is the network's input)."""

    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution, SAME padding, batch-normalised, then `activation`."""

    filters: int
    kernel: Side
    stride: Side
    activation: Act


@dataclass(frozen=True)
class Depthwise(Layer):
    """Depthwise convolution, SAME padding, batch-normalised, then `activation`."""

    kernel: Side
    stride: Side
    activation: Act


@dataclass(frozen=True)
class Sum(Layer):
    """Elementwise sum of two inputs of the same shape, then `activation`."""

    activation: Act = "none"


@dataclass(frozen=True)
class Concat(Layer):
    """Two or more inputs of the same height and width, one behind the other along the channels."""


@dataclass(frozen=True)
class Pool(Layer):
    """Max or average pooling; `stride` None is that of the size.

    VALID padding, or SAME (`same`), where an average leaves out what lies outside the map.
    """

    kind: Literal["max", "average"]
    size: Side
    stride: Side | None = None
    same: bool = False


@dataclass(frozen=True)
class GlobalAverage(Layer):
    """Global average pooling to a vector."""


@dataclass(frozen=True)
class Flat(Layer):
    """Flatten to a vector."""


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected."""

    units: int
    activation: Act


@dataclass(frozen=True)
class ClassProbabilities(Layer):
    """Softmax."""
