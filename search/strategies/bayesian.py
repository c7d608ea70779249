"""Bayesian optimisation over a distance between architectures, batches by Thompson sampling.

A Gaussian process needs no vectors, only to know how much two points are alike: here exp(-d / length), where
d is the distance that the space itself defines (`Space.distance`).  The reward of the study is modelled, and
each metric that is constrained; the next architecture is the best one of a function drawn from the posterior.

Source: Kandasamy et al. 2018, "Neural Architecture Search with Bayesian Optimisation and Optimal Transport"
(NASBOT: kernel exp(-beta d) of a distance, offspring of the best as candidates); Kandasamy et al. 2018,
"Parallelised Bayesian Optimisation via Thompson Sampling" (asyTS).  What
differs: the distance is that of the space and not OTMANN; one length, fitted together with amplitude and
noise under priors; a function drawn from the posterior is used in place of expected improvement, so that
proposals asked for at once differ without knowing of each other; a function is drawn for each constraint
too, and among candidates that its draw keeps all of them the best is taken, where there is none the one of
least violation (as Eriksson and Poloczek 2021, "Scalable Constrained Bayesian Optimization").
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
from search.strategies.models.distances import Distances
from search.strategies.models.gaussian import Array, Fitter, Posterior, Prior, Term
from search.strategies.models.memory import Memory
from search.strategies.models.records import Record, limits, read, rewards
from search.trial import Proposal, Trial

TERMS = (Term("exponential", Prior(1.0, 1.0), Prior(2.0, 1.0)),)
NOISE = Prior(0.05, 1.5)
REWARD = "reward"

_PARENTS = 5


@dataclass(frozen=True)
class BayesianOptions(Options):
    """What may stand in the study file.

    Attributes:
        initial: how many samples are drawn before models are asked.
        candidates: up to how many architectures the whole space is listed; else as many are drawn.
            The distance of each to each that the models learn from is computed once.
        offspring: how many neighbours of the five best are added for each proposal to such a sample.
        data: from how many trials the models learn at most.
    """

    initial: Annotated[int, Bounds(at_least=1)] = 8
    candidates: Annotated[int, Bounds(at_least=1)] = 128
    offspring: Annotated[int, Bounds(at_least=0)] = 16
    data: Annotated[int, Bounds(at_least=2)] = 120


class Bayesian:
    """See the module.

    Args:
        space: what to choose from, and whose distance is used.
        objectives: whose reward is climbed, and whose constraints are kept.
        seed: of all choices.
        options: as `BayesianOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space, self._objectives, self._seed = space, objectives, seed
        self._options = build(BayesianOptions, options)
        self._memory = Memory(objectives)
        self._candidates = Candidates(space, seed, self._options.candidates)
        self._distances = Distances(space)
        self._fitter = Fitter(TERMS, NOISE)

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._memory.proposal(k, self._propose)) for k in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._memory.add(trials)

    def _propose(self, number: int, pending: Sequence[Architecture]) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        trials = self._memory.informative(self._options.data)
        objectives = self._objectives.redrawn(rng)
        records = read(trials, objectives, constraints_only=True)
        goal = rewards(trials, objectives)
        if goal is not None:
            records[REWARD] = goal
        known = max((len(record.trials) for record in records.values()), default=0)
        if number < self._options.initial or known < 2:
            return self._memory.unseen(self._space, pending, rng)
        pool = self._pool(trials, pending, rng)
        if not pool:
            return self._memory.unseen(self._space, pending, rng)
        return pool[self._drawn_best(trials, records, pool, rng)]

    def _pool(
        self, trials: Sequence[Trial], pending: Sequence[Architecture], rng: np.random.Generator
    ) -> list[Architecture]:
        history = self._memory.history
        ordered = sorted([trial.number for trial in trials], key=lambda n: (history.rank(n), n), reverse=True)
        parents = [history.architecture(number) for number in ordered[:_PARENTS]]
        offspring = self._candidates.offspring(parents, self._options.offspring, rng)
        return [
            candidate
            for candidate in [*self._candidates.standing, *offspring]
            if self._memory.is_new(candidate, pending)
        ]

    def _drawn_best(
        self,
        trials: Sequence[Trial],
        records: Mapping[str, Record],
        pool: Sequence[Architecture],
        rng: np.random.Generator,
    ) -> int:
        """Index of the best candidate of functions drawn for the reward and the constraints."""
        told = [trial.architecture for trial in trials]
        among, between = self._distances(told, told), self._distances(pool, told)
        inside = self._distances(pool, pool)
        drawn: dict[str, Array] = {}
        for metric, record in records.items():
            at, values = list(record.trials), record.scaled
            keys = [(told[i].text, value) for i, value in zip(at, values.tolist(), strict=True)]
            inner = [among[np.ix_(at, at)]]
            posterior = Posterior(TERMS, self._fitter(metric, keys, inner, values), inner, values)
            drawn[metric] = posterior.sample([between[:, at]], [inside], rng)
        excess = np.zeros(len(pool))
        for metric, limit in limits(self._objectives, records).items():
            values = records[metric].scaled
            excess += np.maximum(drawn[metric] - limit, 0.0) / (float(np.std(values)) or 1.0)
        keeps = excess <= 0
        if REWARD in drawn and keeps.any():
            return int(np.argmin(np.where(keeps, drawn[REWARD], np.inf)))
        return int(np.argmin(excess))
