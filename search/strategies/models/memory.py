"""Memory: what was told, what is under way, and what is as good as under way.

A batch is asked for before anything of it is told.  So that its members differ, proposal k takes into account
those asked for shortly before it: it makes them again, which gives what was given, because a proposal follows
from (seed, number, what was told).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from search.objective import Objectives
from search.pareto import non_dominated
from search.space.base import Architecture, Space
from search.strategies.history import History
from search.strategies.models.records import feasible
from search.strategies.models.threads import one_thread
from search.trial import State, Trial

Propose: TypeAlias = Callable[[int, Sequence[Architecture]], Architecture]
"""(number, what is under way) -> what to try."""

_ATTEMPTS = 50
BATCH = 8  # proposals of one block of numbers know of each other


class Memory:
    """See the module.

    Args:
        objectives: rank the trials.
    """

    def __init__(self, objectives: Objectives) -> None:
        self.history = History(objectives)
        self._objectives = objectives
        self._running: dict[int, Architecture] = {}
        self._made: dict[int, Architecture] = {}

    def add(self, trials: Sequence[Trial]) -> None:
        """Take outcomes, and what is under way."""
        self.history.add(trials)
        for trial in trials:
            if trial.state is State.RUNNING:
                self._running[trial.number] = trial.architecture
        self._made.clear()

    def proposal(self, number: int, propose: Propose) -> Architecture:
        """What `propose` makes of `number` and of all that is under way then."""
        finished = set(self.history.latest(len(self.history)))
        running = {n: a for n, a in self._running.items() if n not in finished}
        for n in range(number - number % BATCH, number + 1):
            if n not in self._made and (n == number or not (n in finished or n in running)):
                before = [a for other, a in sorted(self._made.items()) if n - n % BATCH <= other < n]
                under_way = [running[other] for other in sorted(running)]
                with one_thread():
                    self._made[n] = propose(n, [*under_way, *before])
        return self._made[number]

    def informative(self, limit: int) -> list[Trial]:
        """At most `limit` finished trials, by number: a third the youngest, up to a third the youngest of the
        front, and of the others every so many-th."""
        trials = self.history.trials
        if len(trials) <= limit:
            return trials
        third = limit // 3
        chosen = {trial.number for trial in trials[-third:]} if third else set()
        able = feasible(trials, self._objectives)
        if able:
            front = non_dominated([self._objectives.losses(trial.values) for trial in able])
            chosen |= {trial.number for trial, keep in zip(able, front, strict=True) if keep}
            chosen = set(sorted(chosen)[-2 * third :]) if third else set()
        rest = [trial.number for trial in trials if trial.number not in chosen]
        picked = np.linspace(0, len(rest) - 1, limit - len(chosen)).astype(int)
        return [self.history.trial(n) for n in sorted(chosen | {rest[at] for at in picked})]

    def is_new(self, candidate: Architecture, pending: Sequence[Architecture]) -> bool:
        """Whether it was neither told nor is under way."""
        return not self.history.has_seen(candidate) and candidate not in pending

    def unseen(self, space: Space, pending: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
        """A sample that is new, if one is found; else any."""
        drawn = space.sample(rng)
        for _ in range(_ATTEMPTS - 1):
            if self.is_new(drawn, pending):
                break
            drawn = space.sample(rng)
        return drawn
