"""NSGA-II: evolution towards the whole Pareto front, kept evenly spread by crowding distance.

Source: Deb, Pratap, Agarwal and Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm:
    NSGA-II": non-dominated sorting (section III A), crowding distance and crowded comparison (III B), the
    main loop (III C), constrained domination (section VI).
What differs from the paper:

* there are no generations to wait for.  A population of N is selected of the one before and of the N trials
  told next, as in the paper; but each child has its parents from the population *and* the trials told since;
* crossover and mutation are the space's, as architectures are no vectors of numbers: a mutation changes one
  gene where the space can, which is what the paper's chance of 1/n per gene comes to on average;
* failed trials, of which nothing is known, are dominated by all others;
* a child that was told before is mutated (again), up to `attempts` times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.pareto import crowding_distance, non_dominated_sort
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.fold import Fold
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class Nsga2Options(Options):
    """For budgets of tens to hundreds of trials; the paper has a population of 100 for 250 generations.

    Attributes:
        population: how many trials can become parents; as many samples are drawn first.
        crossover: chance that a child is made of two parents and not of one alone.
        mutation: chance that it is mutated then.
        attempts: how many mutations are made to find a child that was not told yet; then the last is tried
            again.
    """

    population: Annotated[int, Bounds(at_least=2)] = 20
    crossover: Annotated[float, Bounds(at_least=0, at_most=1)] = 0.9
    mutation: Annotated[float, Bounds(at_least=0, at_most=1)] = 0.5
    attempts: Annotated[int, Bounds(at_least=1)] = 50


class Nsga2:
    """See the module.

    Args:
        space: what to move in.
        objectives: their losses and constraints; the reward is not used.
        seed: of all choices.
        options: as `Nsga2Options`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._objectives = objectives
        self._seed = seed
        self._options = build(Nsga2Options, options)
        self._history = History(objectives)
        self._survivors = Fold[tuple[int, ...]](self._history, (), self._select, self._options.population)
        self._parents: tuple[int, ...] | None = None  # numbers, the best first; None: to be selected

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._propose(number)) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._survivors.add(trials)
        self._parents = None

    def _propose(self, number: int) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        sampling = len(self._history) < self._options.population
        candidate = self._space.sample(rng) if sampling else self._child(rng)
        for _ in range(self._options.attempts - 1):
            if not self._history.has_seen(candidate):
                break
            candidate = self._space.sample(rng) if sampling else self._space.mutate(candidate, rng)
        return candidate

    def _child(self, rng: np.random.Generator) -> Architecture:
        if self._parents is None:
            survivors, younger = self._survivors.now()
            self._parents = self._select(survivors, younger) if younger else survivors
        child, other = self._winner(rng), self._winner(rng)
        if rng.random() < self._options.crossover:
            child = self._space.crossover(child, other, rng)
        return self._space.mutate(child, rng) if rng.random() < self._options.mutation else child

    def _winner(self, rng: np.random.Generator) -> Architecture:
        """Of a tournament of two by crowded comparison, in which order the parents stand."""
        parents = self._parents or ()
        return self._history.architecture(parents[int(rng.integers(len(parents), size=2).min())])

    def _select(self, survivors: tuple[int, ...], younger: Sequence[int]) -> tuple[int, ...]:
        """The first `population` by front, then from the least crowded to the most; then what is infeasible,
        least violation first."""
        rank, feasible = self._history.rank, self._history.feasible
        unable = [number for number in (*survivors, *younger) if not feasible(number)]
        ordered = self._by_crowded_comparison([n for n in (*survivors, *younger) if feasible(n)])
        ordered += sorted(unable, key=lambda number: (rank(number), number), reverse=True)
        return tuple(ordered[: self._options.population])

    def _by_crowded_comparison(self, numbers: Sequence[int]) -> list[int]:
        if not numbers:
            return []
        ids = np.array(sorted(numbers))
        losses = np.array([self._objectives.losses(self._history.trial(int(n)).values) for n in ids])
        fronts = non_dominated_sort(losses)
        crowding = np.empty(len(ids))
        for front in range(int(fronts.max()) + 1):
            crowding[fronts == front] = crowding_distance(losses[fronts == front])
        return [int(number) for number in ids[np.lexsort((-ids, -crowding, fronts))]]
