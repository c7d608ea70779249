"""History: what a strategy was told, the same whatever the order of telling."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence

from search.errors import SearchError
from search.objective import Objectives
from search.space.base import Architecture
from search.trial import Trial


class History:
    """Trials by number, with their ranks, and the set of architectures seen.

    Telling a trial again is harmless, so that a study can be resumed by telling all that it knows.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._trials: dict[int, tuple[tuple[int, float], Architecture]] = {}
        self._numbers: list[int] = []
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, trials: Iterable[Trial]) -> None:
        """Take outcomes.

        Raises:
            SearchError: a trial that is still running, or a number that was told with another architecture.
        """
        for trial in trials:
            rank = self._objectives.rank(trial)
            known = self._trials.get(trial.number)
            if known is None:
                insort(self._numbers, trial.number)
            elif known[1] != trial.architecture:
                raise SearchError(
                    f'trial {trial.number} was told as "{known[1]}", now as "{trial.architecture}"'
                )
            self._trials[trial.number] = (rank, trial.architecture)
            self._seen.add(trial.architecture.text)

    def has_seen(self, architecture: Architecture) -> bool:
        """Whether a trial of this architecture was told."""
        return architecture.text in self._seen

    def latest(self, count: int) -> Sequence[int]:
        """Numbers of the `count` youngest trials, oldest first."""
        return self._numbers[-count:]

    def architecture(self, number: int) -> Architecture:
        return self._trials[number][1]

    def rank(self, number: int) -> tuple[int, float]:
        """As `Objectives.rank`; larger is better."""
        return self._trials[number][0]
