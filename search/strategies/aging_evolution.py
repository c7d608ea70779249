"""Aging (regularized) evolution: tournament selection among the youngest; the oldest dies, not the worst.

Source: Real, Aggarwal, Huang and Le 2019, "Regularized Evolution for Image Classifier Architecture Search",
Algorithm 1.  What is added here:

* trials come back late and in any order, so the population is the `population` youngest *told* trials by
  number, and until that many were told, samples are drawn;
* what does not fit and what failed enters the population too, ranked below everything feasible
  (`Objectives.rank`): by how much it breaks the constraints, so that a population without a feasible
  member climbs towards one;
* a child that was told before is mutated again, up to `attempts` times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import BadOption, Bounds, Options, build
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class AgingEvolutionOptions(Options):
    """P and S of Algorithm 1, for budgets of tens to hundreds of trials; the paper has 100 and 25 for 20,000.

    Attributes:
        population: how many trials can become parents.
        tournament: how many of them are drawn, without replacement; the best becomes the parent.
        attempts: how many mutations are made to find a child that was not told yet; then the last is tried
            again.
    """

    population: Annotated[int, Bounds(at_least=1)] = 20
    tournament: Annotated[int, Bounds(at_least=1)] = 5
    attempts: Annotated[int, Bounds(at_least=1)] = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tournament > self.population:
            raise BadOption(
                ("tournament",),
                f"got {self.tournament}, expected at most the population of {self.population}",
            )


class AgingEvolution:
    """See the module.

    Args:
        space: what to move in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `AgingEvolutionOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._options = build(AgingEvolutionOptions, options)
        self._history = History(objectives)

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._propose(number)) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._history.add(trials)

    def _propose(self, number: int) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        sampling = len(self._history) < self._options.population
        candidate = self._space.sample(rng) if sampling else self._space.mutate(self._parent(rng), rng)
        for _ in range(self._options.attempts - 1):
            if not self._history.has_seen(candidate):
                break
            candidate = self._space.sample(rng) if sampling else self._space.mutate(candidate, rng)
        return candidate

    def _parent(self, rng: np.random.Generator) -> Architecture:
        living = self._history.latest(self._options.population)
        drawn = rng.choice(living, size=self._options.tournament, replace=False)
        return self._history.architecture(self._history.best(drawn.tolist(), rng))
