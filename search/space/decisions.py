"""DecisionSpace: a whole space from one function that decides as it goes.

A space says how a network comes about, gene by gene, and asks for each:

    class Towers(DecisionSpace):
        name = "towers"

        def decode(self, choose: Choose) -> Iterator[Layer]:
            source = INPUT
            for number in range(1, choose("depth", (1, 2, 3)) + 1):
                filters = choose(f"block{number}.filters", (8, 16, 32))
                yield Conv(f"block{number}", (source,), filters, 3, 2, "relu6")
                source = f"block{number}"
            yield GlobalAverage("average", (source,))
            yield Dense("classes", ("average",), self.classes, "none")
            yield ClassProbabilities("probabilities", ("classes",))

Sampling, mutation, crossover, distance, text and cost follow from it: `decode` is run again with other
answers. What is offered may depend on what was answered before, so a rule between genes (no stride on a map
of 2x2) is one line where the options are made.  The text lists every gene with its value, "depth=2
block1.filters=8 block2.filters=32"; a gene with one option is no decision and does not appear.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import lru_cache
from math import log2
from typing import TypeAlias

import numpy as np

from search.errors import BadArchitecture
from search.space.base import Architecture, Choice, Cost, Deployment, Value
from search.space.cost import count
from search.space.layers import Layer
from search.space.options import BadOption
from search.space.walk import Choose, Pick, Way, drawn, follow, inherited, next_choice, walk

__all__ = ["Choose", "DecisionSpace", "Layers"]

Layers: TypeAlias = tuple[Layer, ...]
ONLY = "only"  # the text where nothing is to be decided
OCTAVES = 4.0  # numbers that differ by a factor of 16 are as different as two words
_KEPT = 20_000  # texts that were read lately


class DecisionSpace(ABC):
    """See the module.

    Args:
        input_shape: of one sample: (height, width, channels).
        classes: how many the data set has; how many numbers the network gives, where it is a regression.

    Raises:
        BadOption: a shape that no network of this kind takes.
    """

    name: str

    def __init__(self, *, input_shape: tuple[int, ...], classes: int) -> None:
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise BadOption(
                (),
                f"space '{self.name}' got data of shape {tuple(input_shape)}, "
                "expected (height, width, channels)",
                remedy="give each sample a channel dimension, e.g. (8, 8, 1); a time series is (steps, 1, "
                "channels)",
            )
        if classes < 1:
            raise BadOption((), f"space '{self.name}' got {classes} classes, expected at least 1")
        self.input_shape = (input_shape[0], input_shape[1], input_shape[2])
        self.classes = classes
        self._read = lru_cache(maxsize=_KEPT)(self._parsed)

    @abstractmethod
    def decode(self, choose: Choose) -> Iterable[Layer]:
        """The layers of the network that the answers of `choose` make; the last one is the output.

        Pure: the same answers give the same layers and the same questions.
        """

    # What an architecture is

    def way(self, architecture: Architecture) -> Way[Layers]:
        """Its genes, what else they might have been, and its layers.

        Raises:
            BadArchitecture: its text cannot be read, or lies outside this space.
        """
        if architecture.space != self.name:
            raise BadArchitecture(
                f"got an architecture of space '{architecture.space}', expected '{self.name}'"
            )
        return self._read(architecture.text)

    def contains(self, architecture: Architecture) -> bool:
        """Whether it can be built in this space."""
        try:
            self.way(architecture)
        except BadArchitecture:
            return False
        return True

    def layers(self, architecture: Architecture) -> tuple[Layer, ...]:
        """Decode.  Raises BadArchitecture as `way`."""
        return self.way(architecture).made

    def cost(self, architecture: Architecture) -> Cost:
        """Analytic cost; see `search/space/cost.py` for what is counted."""
        return count(self.layers(architecture), self.takes(architecture))

    def takes(self, architecture: Architecture) -> tuple[int, int, int]:
        """The data's shape; a space with a gene of resolution overrides it."""
        return self.input_shape

    def deployment(self, architecture: Architecture) -> Deployment:
        """As the study says."""
        return Deployment()

    def distance(self, a: Architecture, b: Architecture) -> float:
        """Sum over the genes: 1 for one that only one of them has and for words that differ, octaves / 4 and
        at most 1 for numbers.  A metric, as the sum of one metric per gene."""
        first, second = self.way(a).genes, self.way(b).genes
        return sum(
            apart(first[gene], second[gene]) if gene in first and gene in second else 1.0
            for gene in {**first, **second}
        )

    # Moves

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Every gene drawn uniformly of what is offered."""
        return self._walked(drawn(rng))

    def mutate(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        """Another option for one gene.

        The others stay as they are as far as they are still offered; what is new or not offered any more is
        drawn.  The parent comes back only where the space holds no other.
        """
        way = self.way(parent)
        if not way.path:
            return parent
        at = int(rng.integers(len(way.path)))
        options = way.choices[at].options
        step = 1 + int(rng.integers(len(options) - 1))
        changed = {**way.genes, way.choices[at].gene: options[(way.path[at] + step) % len(options)]}
        return self._walked(lambda choice: inherited(choice, [changed], rng))

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Each part of the network (what stands before the last dot of its genes) from `a` or from `b`."""
        parents = (self.way(a).genes, self.way(b).genes)
        turned: dict[str, bool] = {}

        def pick(choice: Choice) -> int:
            if choice.part not in turned:
                turned[choice.part] = bool(rng.integers(2))
            return inherited(choice, parents[::-1] if turned[choice.part] else parents, rng)

        return self._walked(pick)

    # As a tree

    def choice(self, path: tuple[int, ...]) -> Choice | None:
        """See `search.space.base.Space`."""
        return next_choice(self._decoded, path)

    def path(self, architecture: Architecture) -> tuple[int, ...]:
        """See `search.space.base.Space`."""
        return self.way(architecture).path

    def follow(self, path: tuple[int, ...]) -> Architecture:
        """See `search.space.base.Space`."""
        return self._named(follow(self._decoded, path))

    # How it is done

    def _decoded(self, choose: Choose) -> Layers:
        return tuple(self.decode(choose))

    def _walked(self, pick: Pick) -> Architecture:
        return self._named(walk(self._decoded, pick))

    def _named(self, way: Way[Layers]) -> Architecture:
        text = " ".join([f"{gene}={shown(value)}" for gene, value in way.genes.items()])
        return Architecture(self.name, text or ONLY)

    def _parsed(self, text: str) -> Way[Layers]:
        told = iter([] if text == ONLY else text.split(" "))

        def pick(choice: Choice) -> int:
            token = next(told, None)
            if token is None:
                raise BadArchitecture(f'"{text}" ends too early: {choice.gene}=... is missing')
            gene, equals, value = token.partition("=")
            if gene != choice.gene or not equals:
                raise BadArchitecture(f'"{text}": got "{token}", expected "{choice.gene}=..."')
            for index, option in enumerate(choice.options):
                if shown(option) == value:
                    return index
            offered = ", ".join([shown(option) for option in choice.options])
            raise BadArchitecture(f'"{text}": {gene} cannot be "{value}" here, expected one of {offered}')

        way = walk(self._decoded, pick)
        if self._named(way).text != text:
            raise BadArchitecture(f'"{text}" goes on behind its end', remedy=f'valid is "{self._named(way)}"')
        return way


def shown(value: Value) -> str:
    """A value as it stands in an architecture's text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def apart(a: Value, b: Value) -> float:
    """Distance of two values of a gene, at most 1; see `DecisionSpace.distance`."""
    if a == b:
        return 0.0
    if isinstance(a, str | bool) or isinstance(b, str | bool) or min(a, b) <= 0:
        return 1.0
    return min(1.0, abs(log2(a) - log2(b)) / OCTAVES)
