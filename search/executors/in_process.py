"""InProcess: one job after the other, in this process.  The default, and what tests and notebooks want."""

from __future__ import annotations

from collections.abc import Callable

from search.cascade import Evaluator
from search.events import Event
from search.executors.base import Done, Job, do
from search.objective import Objectives
from search.store import Store


class InProcess:
    """See the module.

    Args:
        evaluator: does the work, and stays the caller's.
        emit: takes the events.
    """

    room = 1

    def __init__(
        self, evaluator: Evaluator, store: Store, objectives: Objectives, emit: Callable[[Event], None]
    ) -> None:
        self._evaluator = evaluator
        self._store = store
        self._objectives = objectives
        self._emit = emit
        self._jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        """See `Executor`."""
        self._jobs.append(job)

    def next(self) -> Done:
        """Do the job that was handed in first."""
        return do(self._jobs.pop(0), self._evaluator, self._store, self._objectives, self._emit)

    def close(self) -> None:
        """Drop what waits."""
        self._jobs.clear()
