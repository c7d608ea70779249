"""What an executor is: jobs go in, and come back done, in whatever order they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from search import cascade
from search.cascade import Evaluator, Part
from search.events import Event
from search.objective import Objectives
from search.store import Store
from search.trial import Trial


@dataclass(frozen=True)
class Job:
    """One part of one trial."""

    part: Part
    trial: Trial


@dataclass(frozen=True)
class Done:
    """A job that has ended.

    Attributes:
        trial: with its outcome; still running where the next part has to follow.
        undeployed: why DEPLOY failed; None where it did not, and for other parts.
    """

    job: Job
    trial: Trial
    undeployed: str | None = None


class Executor(Protocol):
    """Does jobs.  Results are in the store before they come back."""

    @property
    def room(self) -> int:
        """How many trials it is worth to have under way at once."""

    def submit(self, job: Job) -> None:
        """Take a job; returns at once."""

    def next(self) -> Done:
        """Wait until a job has ended.

        Raises:
            HilError, SearchError: nothing will work until a person acts; what is finished is in the store.
        """

    def close(self) -> None:
        """End the processes that it began; what is under way is dropped.  Closing twice is harmless."""


def do(
    job: Job,
    evaluator: Evaluator,
    store: Store,
    objectives: Objectives,
    emit: Callable[[Event], None],
) -> Done:
    """Do one job here and now.

    Raises:
        HilError, SearchError: as `Executor.next`.
    """
    if job.part is Part.DEPLOY:
        return Done(job, job.trial, cascade.deploy(job.trial, evaluator, store, emit))
    return Done(job, cascade.advance(job.part, job.trial, evaluator, store, objectives, emit))
