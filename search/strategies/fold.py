"""A state that is folded over the told trials in the order of their numbers, whatever the order of telling.

A population that survives, the place where a climb stands: each follows from the one before and from the next
trials.  Folding all trials anew at each question would cost more the longer a study runs, and remembering
only the last state would make it depend on the order of telling.  So the state after each step is kept, and
an answer that comes late takes back only the steps that it lies in or before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from search.strategies.history import History
from search.trial import State, Trial

Folded = TypeVar("Folded")


class Fold(Generic[Folded]):
    """See the module.

    Args:
        history: of the trials; this object adds to it.
        begin: the state before any trial.
        step: the state after some more trials; a pure function of the state and of their numbers.
        every: how many trials a step takes.
    """

    def __init__(
        self, history: History, begin: Folded, step: Callable[[Folded, Sequence[int]], Folded], every: int = 1
    ) -> None:
        self._history = history
        self._begin = begin
        self._step = step
        self._every = every
        self._kept: list[tuple[int, Folded]] = []  # after each step: its last trial, the state

    def add(self, trials: Iterable[Trial]) -> None:
        """Take outcomes and what is under way, as `History.add`."""
        trials = list(trials)
        self._history.add(trials)
        finished = [trial.number for trial in trials if trial.state is not State.RUNNING]
        while finished and self._kept and self._kept[-1][0] >= min(finished):
            self._kept.pop()

    def now(self) -> tuple[Folded, Sequence[int]]:
        """The state after all whole steps, and the numbers of the trials behind them, fewer than a step."""
        left = self._history.latest(len(self._history) - len(self._kept) * self._every)
        state = self._kept[-1][1] if self._kept else self._begin
        whole = len(left) // self._every * self._every
        for start in range(0, whole, self._every):
            taken = left[start : start + self._every]
            state = self._step(state, taken)
            self._kept.append((taken[-1], state))
        return state, left[whole:]
