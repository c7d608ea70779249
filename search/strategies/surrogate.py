"""Surrogate search: models of all objectives, and the candidate that is expected to add most hypervolume.

What a generic optimiser must find out trial by trial, a layer list tells beforehand: MACs, parameters and
activations of every candidate, tried or not.  So each metric gets a Gaussian process whose kernel knows them,

    k = 1 + a1 * (cost . cost') + a2 * matern(traits) + a3 * exp(-genes)

a trend in the logarithms of the analytic cost, a smooth correction by traits of the layers, and what is alike
by its genes (search/strategies/models/describe.py).  Latency and RAM follow from the first two after a
handful of trials, so that trials are spent on what is uncertain, which is accuracy.  The next candidate is
the one of largest expected hypervolume improvement, times the probability that it keeps the constraints.

Source: Emmerich, Giannakoglou and Naujoks 2006, "Single- and Multiobjective Evolutionary Optimization
Assisted by Gaussian Random Field Metamodels" (independent Gaussian processes, expected hypervolume
improvement); Gardner et al. 2014, "Bayesian Optimization with Inequality Constraints", equation 6
(probability of being feasible as a factor).  What differs: see the kernel above; the acquisition is maximised
over a list of candidates, the whole space where it is small; what is under way covers what it will probably
reach; the first `initial` trials lie along the front of the analytic cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.models.candidates import Candidates
from search.strategies.models.describe import Describer
from search.strategies.models.improvement import Box, leading, probability_below, reached
from search.strategies.models.memory import Memory
from search.strategies.models.predictions import Models, first_design
from search.strategies.models.records import Record, feasible, limits, read
from search.trial import Proposal, Trial

_ROUGH = 400  # points of the integral for a first look at all candidates
_SHORT = 200  # candidates that are looked at closely


@dataclass(frozen=True)
class SurrogateOptions(Options):
    """What may stand in the study file.

    Attributes:
        initial: how many trials along the front of the analytic cost come before models are asked.
        candidates: up to how many architectures the whole space is listed.
        sample: how many are drawn, once, of a larger space.
        offspring: how many neighbours of the front are added for each proposal, where the space is larger.
        data: from how many trials the models learn at most.
        points: of the integral of the expected improvement.
    """

    initial: Annotated[int, Bounds(at_least=1)] = 4
    candidates: Annotated[int, Bounds(at_least=1)] = 2048
    sample: Annotated[int, Bounds(at_least=1)] = 512
    offspring: Annotated[int, Bounds(at_least=0)] = 128
    data: Annotated[int, Bounds(at_least=2)] = 400
    points: Annotated[int, Bounds(at_least=1)] = 8192


class Surrogate:
    """See the module.

    Args:
        space: what to choose from.
        objectives: what to model.
        seed: of all choices.
        options: as `SurrogateOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space, self._objectives, self._seed = space, objectives, seed
        self._options = build(SurrogateOptions, options)
        self._memory = Memory(objectives)
        self._candidates = Candidates(space, seed, self._options.candidates, self._options.sample)
        self._models: Models | None = None
        self._design: list[Architecture] = []

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._memory.proposal(k, self._propose)) for k in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._memory.add(trials)

    def _propose(self, number: int, pending: Sequence[Architecture]) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        trials = self._memory.informative(self._options.data)
        records = read(trials, self._objectives)
        known = max((len(record.trials) for record in records.values()), default=0)
        if number < self._options.initial or known < 2:
            return self._spread(number, pending, rng)
        pool = self._pool(trials, pending, rng)
        if not pool:
            return self._memory.unseen(self._space, pending, rng)
        return pool[self._best(trials, records, pool, pending, rng)]

    def _best(
        self,
        trials: Sequence[Trial],
        records: Mapping[str, Record],
        pool: Sequence[Architecture],
        pending: Sequence[Architecture],
        rng: np.random.Generator,
    ) -> int:
        """Index of the candidate of the highest score."""
        models, _ = self._prepared()
        able = feasible(trials, self._objectives)
        bounds = limits(self._objectives, records)
        predicted = models.predict(trials, records, [*pool, *pending])
        fits = np.ones(len(pool))
        for metric, bound in bounds.items():
            if not able or metric not in self._objectives.metrics:
                means, deviations = predicted[metric]
                fits *= probability_below(bound, means[: len(pool)], deviations[: len(pool)])
        if not able:
            return int(np.argmax(fits))
        box = Box(self._objectives, records, able, bounds)
        means = np.stack([predicted[metric][0] for metric in self._objectives.metrics], axis=1)
        deviations = np.stack([predicted[metric][1] for metric in self._objectives.metrics], axis=1)
        points, weights = box.uncovered(self._options.points, rng)
        for row in range(len(pool), len(means)):
            weights = weights * (1 - reached(points, means[row : row + 1], deviations[row : row + 1])[0])
        rough = slice(0, _ROUGH)
        first = fits * (reached(points[rough], means[: len(pool)], deviations[: len(pool)]) @ weights[rough])
        short = np.argsort(-first, kind="stable")[:_SHORT]
        scores = fits[short] * (reached(points, means[short], deviations[short]) @ weights)
        return int(short[np.argmax(scores)])

    def _pool(
        self, trials: Sequence[Trial], pending: Sequence[Architecture], rng: np.random.Generator
    ) -> list[Architecture]:
        history = self._memory.history
        parents = [t.architecture for t in leading(trials, self._objectives)]
        if not parents:
            parents = [history.architecture(history.best([t.number for t in trials], rng))]
        offspring = self._candidates.offspring(parents, self._options.offspring, rng)
        return [
            candidate
            for candidate in [*self._candidates.standing, *offspring]
            if self._memory.is_new(candidate, pending)
        ]

    def _spread(self, number: int, pending: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
        """The next of the first design that is new."""
        _, design = self._prepared()
        for candidate in design[number:]:
            if self._memory.is_new(candidate, pending):
                return candidate
        return self._memory.unseen(self._space, pending, rng)

    def _prepared(self) -> tuple[Models, list[Architecture]]:
        """Models and a first design, made when first needed: they look at all candidates."""
        if self._models is None:
            describe = Describer(self._space, self._candidates.standing)
            self._models = Models(describe)
            self._design = first_design(describe, self._candidates.standing, self._seed)
        return self._models, self._design
