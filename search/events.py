"""What a running study tells: facts, in order, to whoever shows or logs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from search.finding import Finding
from search.objective import Objectives
from search.space.base import Architecture
from search.trial import Stage, Trial


@dataclass(frozen=True)
class StudyOpened:
    """The run begins.  `done` trials were finished before; the budget is as in the study file, `device` all
    devices."""

    name: str
    folder: Path
    device: str
    objectives: Objectives
    done: int
    budget_trials: int | None
    budget_minutes: float | None
    elapsed_s: float


@dataclass(frozen=True)
class TrialStarted:
    """`finished` names the stages that an earlier run of the study has finished already."""

    number: int
    architecture: Architecture
    finished: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class StageStarted:
    number: int
    stage: Stage


@dataclass(frozen=True)
class EpochFinished:
    """Within the training of a trial; epochs count from 1."""

    number: int
    epoch: int
    epochs: int
    loss: float


@dataclass(frozen=True)
class StageRetried:
    """A transient fault; the stage is tried again."""

    number: int
    stage: Stage
    attempt: int
    message: str


@dataclass(frozen=True)
class BenchLost:
    """A device that is broken for good; the search goes on with `others`."""

    device: str
    message: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class StageFinished:
    number: int
    finding: Finding


@dataclass(frozen=True)
class TrialFinished:
    """`front` holds the complete trials that none dominates, this one perhaps among them.

    `hypervolume` is what the front covers of the box between perfection and the limits, 0 to 1; None where
    the limits make no box (`search.objective.Objectives.box`).
    """

    trial: Trial
    front: tuple[Trial, ...]
    best: int | None
    done: int
    elapsed_s: float
    hypervolume: float | None = None


@dataclass(frozen=True)
class DeployStarted:
    """The search is over; the networks of the front are measured with their trained weights."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class StudyEnded:
    """`ending` is a value of `search.study.Ending`; `deployed` holds the DEPLOY findings of the front."""

    ending: str
    message: str
    elapsed_s: float
    front: tuple[Trial, ...]
    deployed: Mapping[int, Finding]


Event: TypeAlias = (
    StudyOpened
    | TrialStarted
    | StageStarted
    | EpochFinished
    | StageRetried
    | BenchLost
    | StageFinished
    | TrialFinished
    | DeployStarted
    | StudyEnded
)


class Progress(Protocol):
    """Takes events while the study runs; entered before the first, left after the last, also after an
    error."""

    def __enter__(self) -> Progress:
        """Begin to show."""

    def __exit__(self, *error: object) -> None:
        """End the show."""

    def emit(self, event: Event) -> None:
        """Take one event.  Quick, and raises nothing."""


class Silence:
    """Shows nothing."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def emit(self, event: Event) -> None:
        return None
