"""Evolution that keeps the best: crossover or mutation of winners of tournaments among the best so far.

Source: Guo et al. 2020, "Single Path One-Shot Neural Architecture Search with Uniform Sampling", Algorithm 1:
    the best k of all become parents, half of the children come from crossover and half from mutation.  Lin
    et al. 2020, "MCUNet", search their sub-networks by such an evolution.
What differs from the papers:

* there are no generations to wait for: each proposal comes from the best `population` trials told so far
  ((mu + lambda), as a steady state);
* parents win a tournament, where the paper draws them alike; `tournament` = 1 does that;
* a mutation changes one gene where the space can (`Space.mutate`), not each with a chance of 0.1;
* children that break a constraint are not drawn again until one keeps it: what a limit on real hardware says
  is known only after trying.  They rank below everything feasible, by how much they break the constraints
  (`Objectives.rank`);
* a child that was told before is mutated, up to `attempts` times;
* where the reward is drawn at random, each selection is by a new draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import BadOption, Bounds, Options, build
from search.strategies.fold import Fold
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class EvolutionOptions(Options):
    """For budgets of tens to hundreds of trials; Guo et al. have 10 parents and 50 children in each of 20
    generations.

    Attributes:
        population: how many of the best become parents; as many samples are drawn first.
        tournament: how many of them are drawn for each parent, without replacement; the best wins.
        crossover: share of the children that are made of two parents; the others are mutations of one.
        attempts: how many mutations are made to find a child that was not told yet; then the last is tried
            again.
    """

    population: Annotated[int, Bounds(at_least=2)] = 20
    tournament: Annotated[int, Bounds(at_least=1)] = 5
    crossover: Annotated[float, Bounds(at_least=0, at_most=1)] = 0.5
    attempts: Annotated[int, Bounds(at_least=1)] = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tournament >= self.population:
            raise BadOption(
                ("tournament",),
                f"got {self.tournament}, expected less than the population of {self.population}",
            )


class Evolution:
    """See the module.

    Args:
        space: what to move in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `EvolutionOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._options = build(EvolutionOptions, options)
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
        places = list(range(len(self._parents)))
        winner = self._winner(places, rng)
        parent = self._history.architecture(self._parents[winner])
        if rng.random() >= self._options.crossover:
            return self._space.mutate(parent, rng)
        places.remove(winner)
        other = self._history.architecture(self._parents[self._winner(places, rng)])
        return self._space.crossover(parent, other, rng)

    def _winner(self, places: Sequence[int], rng: np.random.Generator) -> int:
        return int(rng.choice(places, size=self._options.tournament, replace=False).min())

    def _select(self, survivors: tuple[int, ...], younger: Sequence[int]) -> tuple[int, ...]:
        judge = self._history.judge(np.random.default_rng((self._seed, younger[-1], 1)))
        ordered = sorted((*survivors, *younger), key=lambda number: (judge(number), number), reverse=True)
        return tuple(ordered[: self._options.population])
