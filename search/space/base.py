"""Architecture and Space: what a search moves in.  Pure data and pure functions; knows nothing of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from search.space.layers import Layer


@dataclass(frozen=True)
class Architecture:
    """The genotype: hashable and JSON-able.

    Attributes:
        space: name of the space that can read it, e.g. "chain".
        text: short, readable, canonical form, e.g. "conv3-16/2 ds3-24 ir5-24x4s"; two architectures are
            the same network exactly when space and text are equal.
    """

    space: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"space": self.space, "text": self.text}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Architecture:
        return cls(space=str(data["space"]), text=str(data["text"]))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Cost:
    """What can be said of an architecture without Keras, in microseconds.

    Attributes:
        parameters: weights and biases after batch normalisation is folded.
        macs: multiply-accumulates of one inference, padding included.
        weight_bytes: int8 weights plus int32 biases.
        peak_activation_bytes: largest sum of int8 tensors alive at once, an output lying over an input as
            far as any kernel could let it, scratch not included: a lower bound of RAM.
        striped_activation_bytes: the same where the first layers may run in stripes.
    """

    parameters: int
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    striped_activation_bytes: int


class Space(Protocol):
    """A set of architectures with the operations that strategies need.  Seeded by the generator that is
    handed in.

    Attributes:
        name: as in TOML.
    """

    name: str

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A random architecture."""

    def mutate(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        """A neighbour that differs from `parent` (in one gene where possible)."""

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """A child whose genes come from `a` or `b`."""

    def distance(self, a: Architecture, b: Architecture) -> float:
        """A metric: 0 exactly for equal architectures, symmetric, triangle inequality."""

    def contains(self, architecture: Architecture) -> bool:
        """Whether it can be built in this space."""

    def layers(self, architecture: Architecture) -> tuple[Layer, ...]:
        """Decode.  The last layer is the output.

        Raises:
            BadArchitecture: its text cannot be read, or lies outside this space.
        """

    def cost(self, architecture: Architecture) -> Cost:
        """Analytic cost, >= 10,000 a second."""
