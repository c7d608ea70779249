"""History: what a strategy was told, the same whatever the order of telling."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from search.errors import SearchError
from search.objective import Objectives
from search.space.base import Architecture
from search.trial import State, Trial

_FEASIBLE = 2  # first part of `Objectives.rank`


class History:
    """Finished trials by number, with their ranks, and the architectures seen, those under way included.

    Telling a trial again is harmless, so that a study can be resumed by telling all that it knows.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._trials: dict[int, Trial] = {}
        self._ranks: dict[int, tuple[int, float]] = {}
        self._numbers: list[int] = []
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, trials: Iterable[Trial]) -> None:
        """Take outcomes; of a trial that is under way only its architecture.

        Raises:
            SearchError: a number that was told with another architecture.
        """
        for trial in trials:
            self._seen.add(trial.architecture.text)
            if trial.state is State.RUNNING:
                continue
            rank = self._objectives.rank(trial)
            known = self._trials.get(trial.number)
            if known is None:
                insort(self._numbers, trial.number)
            elif known.architecture != trial.architecture:
                raise SearchError(
                    f'trial {trial.number} was told as "{known.architecture}", now as "{trial.architecture}"'
                )
            self._trials[trial.number] = trial
            self._ranks[trial.number] = rank

    def has_seen(self, architecture: Architecture) -> bool:
        """Whether a trial of this architecture was told, finished or under way."""
        return architecture.text in self._seen

    def latest(self, count: int) -> Sequence[int]:
        """Numbers of the `count` youngest trials, oldest first."""
        return self._numbers[max(0, len(self._numbers) - count) :]

    @property
    def trials(self) -> list[Trial]:
        """The finished ones, by number."""
        return [self._trials[number] for number in self._numbers]

    def trial(self, number: int) -> Trial:
        return self._trials[number]

    def architecture(self, number: int) -> Architecture:
        return self._trials[number].architecture

    def rank(self, number: int) -> tuple[int, float]:
        """As `Objectives.rank`; larger is better."""
        return self._ranks[number]

    def feasible(self, number: int) -> bool:
        """Whether it is complete and keeps all constraints."""
        return self._ranks[number][0] == _FEASIBLE

    def judge(self, rng: np.random.Generator) -> Callable[[int], tuple[int, float]]:
        """The rank of a trial by its number; where the reward is drawn at random, by one new draw for all."""
        judges = self._objectives.redrawn(rng)
        if judges is self._objectives:
            return self.rank
        return lambda number: judges.rank(self._trials[number])

    def best(self, numbers: Iterable[int], rng: np.random.Generator) -> int:
        """The best of these trials, of equals the youngest, as `judge` has it."""
        judge = self.judge(rng)
        return max(numbers, key=lambda number: (judge(number), number))
