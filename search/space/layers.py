"""The layer list: what an Architecture decodes to, as pure data.

Spaces emit it; `search/space/cost.py` counts it; `search/network.py` turns it into Keras.  So a new space
needs neither a cost model nor Keras code of its own.  Shapes are (height, width, channels), without the
batch dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Act: TypeAlias = Literal["none", "relu", "relu6"]


@dataclass(frozen=True)
class Layer:
    """Base: `name` is unique; `inputs` name earlier layers ("input" is the network's input)."""

    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution, SAME padding, batch-normalised, then `activation`."""

    filters: int
    kernel: int
    stride: int
    activation: Act


@dataclass(frozen=True)
class Depthwise(Layer):
    """Depthwise convolution, SAME padding, batch-normalised, then `activation`."""

    kernel: int
    stride: int
    activation: Act


@dataclass(frozen=True)
class Sum(Layer):
    """Elementwise sum of two inputs of the same shape."""


@dataclass(frozen=True)
class Pool(Layer):
    """Max or average pooling, VALID padding, stride = size."""

    kind: Literal["max", "average"]
    size: int


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
