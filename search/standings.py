"""Standings: front, best and hypervolume of a study, kept up to date trial by trial.

The whole front costs O(n log n) to find; that a new trial is dominated, or whom it dominates, costs one look
at the front.  So a study of 100,000 trials tells after each one where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from search import pareto
from search.objective import Objectives
from search.trial import Trial


class Standings:
    """Takes finished trials in any order, each once.

    Args:
        objectives: what the front is taken over.
        trials: finished before.

    Attributes:
        done: how many trials were taken.
    """

    def __init__(self, objectives: Objectives, trials: Iterable[Trial] = ()) -> None:
        self._objectives = objectives
        known = list(trials)
        able = [trial for trial in known if pareto.counts(trial, objectives)]
        self._front = pareto.front(able, objectives)
        self._losses = [objectives.losses(trial.values) for trial in self._front]
        self._best = pareto.best(able, objectives)
        self.done = len(known)

    @property
    def front(self) -> tuple[Trial, ...]:
        """The complete trials that keep all constraints and that no other dominates, by number."""
        return tuple(sorted(self._front, key=lambda trial: trial.number))

    @property
    def best(self) -> Trial | None:
        """As `search.pareto.best`."""
        return self._best

    def add(self, trial: Trial) -> None:
        """Take one more outcome.

        Raises:
            SearchError: as `search.pareto.front`.
        """
        self.done += 1
        if not pareto.counts(trial, self._objectives):
            return
        self._best = pareto.best([*([] if self._best is None else [self._best]), trial], self._objectives)
        # With the others of the front: provenances are compared, too.
        if trial not in pareto.front([*self._front, trial], self._objectives):
            return
        losses = self._objectives.losses(trial.values)
        kept = [
            (old, known)
            for old, known in zip(self._front, self._losses, strict=True)
            if not (np.all(losses <= known) and np.any(losses < known))
        ]
        self._front = [old for old, _ in kept] + [trial]
        self._losses = [known for _, known in kept] + [losses]

    def hypervolume(self) -> float | None:
        """What the front covers of the box that the objectives and their limits span, 0 to 1; None where they
        span none (`Objectives.box`)."""
        box = self._objectives.box()
        if box is None:
            return None
        perfect, worst = box
        if not self._losses:
            return 0.0
        scaled = (np.array(self._losses) - perfect) / (worst - perfect)
        return pareto.hypervolume(scaled, np.ones(len(perfect)))
