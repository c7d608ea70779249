"""Candidates: what a strategy with a model chooses from.

A space of at most `limit` architectures is listed whole, by walking its tree of decisions; of a larger one a
sample is drawn, to which each proposal adds offspring of the best so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from search.space.base import Architecture, Space

_DESCENTS = 24
_DRAWS_PER_ONE = 4


def estimated_size(space: Space, rng: np.random.Generator) -> float:
    """About how many architectures a space has: the mean over random ways from root to leaf of the product of
    the numbers of options, which is an estimate without bias.

    Source: Knuth 1975, "Estimating the Efficiency of Backtrack Programs", theorem 1.
    """
    products = []
    for _ in range(_DESCENTS):
        path: tuple[int, ...] = ()
        widths = []
        while (choice := space.choice(path)) is not None:
            widths.append(len(choice.options))
            path = (*path, int(rng.integers(widths[-1])))
        products.append(float(prod(widths)))
    return float(np.mean(products))


def every_architecture(space: Space, limit: int) -> list[Architecture] | None:
    """All architectures in the order of the tree; None where there are more than `limit`."""
    found: list[Architecture] = []
    for path in _leaves(space, ()):
        found.append(space.follow(path))
        if len(found) > limit:
            return None
    return found


def _leaves(space: Space, path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    choice = space.choice(path)
    if choice is None:
        yield path
        return
    for index in range(len(choice.options)):
        yield from _leaves(space, (*path, index))


class Candidates:
    """See the module.

    Args:
        space: what to choose from.
        seed: of the sample.
        limit: up to how many architectures are listed.
        sample: how many are drawn of a larger space; None: as many.
    """

    def __init__(self, space: Space, seed: int, limit: int, sample: int | None = None) -> None:
        self._space, self._seed, self._limit = space, seed, limit
        self._size = limit if sample is None else sample
        self._standing: list[Architecture] | None = None
        self.whole = False

    @property
    def standing(self) -> Sequence[Architecture]:
        """The whole space, or the sample that all proposals share; made when first asked for."""
        if self._standing is None:
            rng = np.random.default_rng((self._seed, 0, 1))
            found = None
            # Twice the limit, because it is an estimate; a space of a million is not walked in vain.
            if estimated_size(self._space, rng) <= 2 * self._limit:
                found = every_architecture(self._space, self._limit)
            self.whole = found is not None
            self._standing = found if found is not None else self._sample(rng)
        return self._standing

    def offspring(
        self, parents: Sequence[Architecture], count: int, rng: np.random.Generator
    ) -> list[Architecture]:
        """Up to `count` neighbours of the parents, one to three mutations away or a crossing of two; none
        where the whole space is listed."""
        standing = {architecture.text for architecture in self.standing}
        if self.whole or not parents:
            return []
        found: dict[str, Architecture] = {}
        for _ in range(_DRAWS_PER_ONE * count):
            if len(found) == count:
                break
            child = parents[int(rng.integers(len(parents)))]
            steps = int(rng.integers(1, 4))
            if len(parents) > 1 and rng.random() < 0.25:
                child = self._space.crossover(child, parents[int(rng.integers(len(parents)))], rng)
                steps -= 1
            for _ in range(steps):
                child = self._space.mutate(child, rng)
            if child.text not in standing:
                found.setdefault(child.text, child)
        return list(found.values())

    def _sample(self, rng: np.random.Generator) -> list[Architecture]:
        found: dict[str, Architecture] = {}
        for _ in range(_DRAWS_PER_ONE * self._size):
            drawn = self._space.sample(rng)
            found.setdefault(drawn.text, drawn)
            if len(found) == self._size:
                break
        return list(found.values())
