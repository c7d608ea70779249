"""Lessons: told trials in the order of their numbers, and rewards that depend on their order alone.

For strategies that learn step by step and whose state therefore depends on the order of learning.  The order
of telling is chance, so it must not matter: trials are learnt in batches of consecutive numbers, and what is
learnt is a function of the set of trials that were told.

* A batch is due once each of its numbers was told, or is missing while a trial was told whose number is more
  than `patience` larger.  So an answer that stays out holds learning back for a bounded while.
* An outcome that comes in after its batch was due (or with another outcome than before) belongs into that
  batch: everything is learnt again from the start.  That costs as much as resuming the study and leads to
  the same state.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from search.trial import State, Trial


class Lessons:
    """Which trials to learn next.

    Args:
        size: how many consecutive numbers make a batch.
        patience: see the module.
    """

    def __init__(self, size: int, patience: int) -> None:
        self._size = size
        self._patience = patience
        self._told: dict[int, Trial] = {}
        self._newest = -1
        self._learnt = 0

    def add(self, trials: Iterable[Trial]) -> bool:
        """Take outcomes; trials that are under way are none.

        Returns:
            Whether one of them changes a batch that was given out: then call `restart`.
        """
        changed = False
        for trial in trials:
            if trial.state is State.RUNNING:
                continue
            past = trial.number < self._learnt * self._size
            changed |= past and self._told.get(trial.number) != trial
            self._told[trial.number] = trial
            self._newest = max(self._newest, trial.number)
        return changed

    def restart(self) -> None:
        """Give out all batches again."""
        self._learnt = 0

    def due(self) -> Iterator[tuple[int, list[Trial]]]:
        """The batches that were not given out yet: number of the batch from 0, and its trials by number."""
        while (start := self._learnt * self._size) <= self._newest:
            numbers = range(start, start + self._size)
            if not all(n in self._told or self._newest - n > self._patience for n in numbers):
                return
            batch = self._learnt
            self._learnt += 1
            yield batch, [self._told[n] for n in numbers if n in self._told]


class RelativeRewards:
    """Ranks as numbers from -1 to 1, whatever scale the study's reward has.

    | trial      | reward                                                                                  |
    |------------|-----------------------------------------------------------------------------------------|
    | feasible   | 0 to 1: the share of the feasible ones that it beats (itself and its equals count half) |
    | infeasible | -1 to 0: the same among the infeasible, by their violation, less 1                      |
    | failed     | -1                                                                                      |

    So 0.5 is the median of what is feasible.  The scale moves as trials come in: rewards are to be asked anew
    for each update.
    """

    def __init__(self) -> None:
        self._sorted: dict[int, list[float]] = {1: [], 2: []}

    def add(self, rank: tuple[int, float]) -> None:
        """Take the rank of one more trial, as `Objectives.rank` gives it."""
        if rank[0]:
            insort(self._sorted[rank[0]], rank[1])

    def __call__(self, rank: tuple[int, float]) -> float:
        """The reward of a trial whose rank was added."""
        if not rank[0]:
            return -1.0
        values = self._sorted[rank[0]]
        beaten = (bisect_left(values, rank[1]) + bisect_right(values, rank[1])) / (2 * len(values))
        return beaten if rank[0] == 2 else beaten - 1
