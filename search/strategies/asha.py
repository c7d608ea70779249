"""ASHA: successive halving that never waits; whoever is among the best 1/eta of a rung so far is promoted.

Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar 2020, "A System for Massively
    Parallel Hyperparameter Tuning", Algorithm 2.
What differs from the paper:

* the lowest rung is given by `min_fidelity`, not by a rate of early stopping s;
* where the reward is drawn at random, "the best" are those of one draw as long as a rung has room for no
  further promotion, and not more than 1/eta are promoted of it;
* and see `search/strategies/rungs.py`.

It learns from what is under way that it has been promoted: tell running trials after each question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import build
from search.strategies.history import History
from search.strategies.rungs import RungOptions
from search.trial import Proposal, State, Trial


@dataclass(frozen=True)
class AshaOptions(RungOptions):
    """As `RungOptions`; the paper has eta = 4."""


class _Rung:
    """All trials of one fidelity.

    Attributes:
        told: texts of the architectures on it, finished or under way.
        numbers: text -> number of its finished trial; of several the lowest.
        members: numbers of the feasible ones, as they were ranked last; None: unknown.
        ranked: whether they are in the order of a fixed reward, the best first.
    """

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.members: list[int] | None = []
        self.ranked = False

    def add(self, trial: Trial, *, feasible: bool) -> None:
        text = trial.architecture.text
        self.told.add(text)
        if trial.state is State.RUNNING:
            return
        if text in self.numbers:
            self.members = None
        elif feasible and self.members is not None:
            self.members.append(trial.number)
            self.ranked = False
        self.numbers[text] = min(trial.number, self.numbers.get(text, trial.number))


class Asha:
    """See the module.

    Args:
        space: what to sample.
        objectives: rank the trials.
        seed: of all choices.
        options: as `AshaOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._options = build(AshaOptions, options)
        self._history = History(objectives)
        self._fidelities = self._options.fidelities
        self._rungs = {fidelity: _Rung() for fidelity in self._fidelities}

    def ask(self, n: int) -> list[Proposal]:
        asked = [self._propose(number) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._history.add(trials)
        for trial in trials:
            if trial.fidelity in self._rungs:
                finished = trial.state is not State.RUNNING
                feasible = finished and self._history.feasible(trial.number)
                self._rungs[trial.fidelity].add(trial, feasible=feasible)

    def _propose(self, number: int) -> Proposal:
        for place in reversed(range(len(self._fidelities) - 1)):
            promoted = self._promotable(place)
            if promoted is not None:
                return Proposal(promoted, self._fidelities[place + 1])
        rng = np.random.default_rng((self._seed, number))
        for _ in range(self._options.attempts):
            sample = self._space.sample(rng)
            if not self._history.has_seen(sample):
                break
        return Proposal(sample, self._fidelities[0])

    def _promotable(self, place: int) -> Architecture | None:
        """The best of the first 1/eta of a rung that is not on the rung above it yet."""
        rung, above = self._rungs[self._fidelities[place]], self._rungs[self._fidelities[place + 1]]
        if rung.members is None:
            rung.members = [number for number in rung.numbers.values() if self._history.feasible(number)]
            rung.ranked = False
        room = len(rung.members) // self._options.eta
        judge = self._history.judge(np.random.default_rng((self._seed, place, room, 1)))
        by_lot = judge != self._history.rank
        if by_lot and len(above.told) >= room:
            return None
        if by_lot or not rung.ranked:
            rung.members.sort(key=lambda number: (judge(number), -number), reverse=True)
            rung.ranked = True
        for number in rung.members[:room]:
            architecture = self._history.architecture(number)
            if architecture.text not in above.told:
                return architecture
        return None
