"""Architecture and Space: what a search moves in.  Pure data and pure functions; knows nothing of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

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


Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True)
class Choice:
    """One decision on the way to an architecture.

    Attributes:
        gene: what is decided, unique on the way, e.g. "stage2.width"; what stands before the last dot is the
            part of the network that it belongs to, what stands behind it the kind of the gene, and genes of
            one kind mean the same in every part.
        options: what it may become here, at least two; other decisions before it may offer others.
    """

    gene: str
    options: tuple[Value, ...]

    @property
    def part(self) -> str:
        return self.gene.rpartition(".")[0]

    @property
    def kind(self) -> str:
        return self.gene.rpartition(".")[2]


@dataclass(frozen=True)
class Deployment:
    """How a network is to be deployed, where that is part of the search; None: as the study says.

    Attributes:
        board: id of the board.
        clock_hz: of its core.
        patches: whether its first operators may run in stripes.
    """

    board: str | None = None
    clock_hz: int | None = None
    patches: bool | None = None


class Space(Protocol):
    """A set of architectures with the operations that strategies need.  Seeded by the generator that is
    handed in.

    Every space is also a tree of decisions: `choice` says what is to be decided next, and a path of indices
    from the root to a leaf is an architecture.  `search/space/decisions.py` makes all the rest of such a
    tree, and is the short way to a new space.

    Attributes:
        name: as in TOML.
        input_shape: of one sample of the data: (height, width, channels), time series (steps, 1, channels).
    """

    name: str
    input_shape: tuple[int, int, int]

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

    def takes(self, architecture: Architecture) -> tuple[int, int, int]:
        """Shape of one input of the network: that of the data, unless its resolution is a gene."""

    def deployment(self, architecture: Architecture) -> Deployment:
        """How it is to be deployed."""

    # As a tree of decisions

    def choice(self, path: tuple[int, ...]) -> Choice | None:
        """What is decided after the options with these indices were taken; None where nothing is left.

        Raises:
            BadArchitecture: no path of this tree.
        """

    def path(self, architecture: Architecture) -> tuple[int, ...]:
        """The indices of the options that make `architecture`.

        Raises:
            BadArchitecture: as `layers`.
        """

    def follow(self, path: tuple[int, ...]) -> Architecture:
        """The architecture at the end of a path.

        Raises:
            BadArchitecture: no path of this tree, or one that does not end yet.
        """
