"""What the study's process and a worker say to each other, pickled, over one pair of sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from search.cascade import Evaluator
from search.events import Event
from search.executors.base import Done
from search.objective import Objectives

MakeEvaluator: TypeAlias = Callable[[str | None], Evaluator]
"""Makes the evaluator of one process; is told which device it may use, None: none at all.  It travels by
name, so it is a function or class of a module, or a `functools.partial` of one."""


@dataclass(frozen=True)
class Begin:
    """The first message to a worker."""

    folder: Path
    objectives: Objectives
    make_evaluator: MakeEvaluator
    device: str | None


@dataclass(frozen=True)
class Ready:
    """The first message of a worker: its evaluator is made, its store open."""


@dataclass(frozen=True)
class Told:
    """Something happened on the way."""

    event: Event


@dataclass(frozen=True)
class Failed:
    """The job ended with a fatal fault, or the worker could not begin."""

    error: Exception


FromWorker: TypeAlias = Ready | Told | Done | Failed
