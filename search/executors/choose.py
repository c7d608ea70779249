"""Which executor a study wants."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from search.cascade import Evaluator
from search.config import StudyConfig
from search.errors import StudyError
from search.events import Event
from search.executors.base import Executor
from search.executors.in_process import InProcess
from search.executors.messages import MakeEvaluator
from search.executors.pool import Bench, WorkerPool
from search.objective import Objectives
from search.space.base import Space
from search.store import Store
from search.trial import Trial

MakeExecutor: TypeAlias = Callable[[Store, Objectives, Callable[[Event], None]], Executor]


def executor_for(
    config: StudyConfig, evaluator: Evaluator, make_evaluator: MakeEvaluator | None, *, own: bool
) -> MakeExecutor:
    """One process does everything, or many do, as [run] and the devices say.

    Args:
        evaluator: of this process.
        make_evaluator: makes those of worker processes; None: `search.evaluate.for_worker`.
        own: the evaluator was made here, of the configuration, and can be made again elsewhere.

    Raises:
        StudyError: an evaluator of one process is to serve several.
    """
    if config.run.workers == 1 and len(config.all_devices) == 1:
        return lambda store, objectives, emit: InProcess(evaluator, store, objectives, emit)
    if make_evaluator is None:
        if not own:
            raise StudyError(
                f"an evaluator of this process was handed in, but [run] wants {config.run.workers} workers",
                remedy="hand in make_evaluator= as well, or set workers = 1",
            )
        from search.evaluate import for_worker

        make_evaluator = partial(for_worker, config)
    make = make_evaluator
    threads = max(1, (os.cpu_count() or 1) // config.run.workers)
    benches = [
        Bench(device, partial(_takes, evaluator.space, board)) for device, board in config.boards_of_devices()
    ]
    return lambda store, objectives, emit: WorkerPool(
        make, store, objectives, emit, benches=benches, workers=config.run.workers, threads=threads
    )


def _takes(space: Space, board: str, trial: Trial) -> bool:
    wanted = space.deployment(trial.architecture).board
    return wanted is None or wanted == board
