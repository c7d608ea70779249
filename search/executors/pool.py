"""WorkerPool: many trials at once.  While a board measures one network, others are trained and built.

There are `workers` processes with a processor, each with a TensorFlow of its own that is loaded once, and one
process for each device.  Jobs that need a board wait for the devices that can take them, all others for a
processor; of those that wait, the one of the oldest trial comes first.

A worker that dies (killed, out of memory, a crash in native code) is replaced, and its job done once more;
where that one dies too, the trial is marked as failed.  A device that is broken for good is left out while
another can do its work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from search.cascade import STAGES_OF
from search.errors import SearchError
from search.events import BenchLost, Event, StageRetried
from search.executors.base import Done, Job
from search.executors.messages import Begin, Failed, MakeEvaluator, Ready, Told
from search.executors.process import Worker
from search.objective import Objectives
from search.store import Store
from search.trial import Failure, Stage, State, Trial

ATTEMPTS = 2  # at a job whose worker died
_MOST_BAD_STARTS = 2  # of workers in a row
_AHEAD = 1  # trials beyond those that are being worked on, so that nobody waits for the study's process


@dataclass(frozen=True)
class Bench:
    """A device of the pool.

    Attributes:
        device: as in the study file.
        takes: whether it can measure this trial.
    """

    device: str
    takes: Callable[[Trial], bool] = field(default=lambda trial: True)


class WorkerPool:
    """See the module.

    Args:
        make_evaluator: see `search.executors.messages`.
        benches: at least one.
        workers: processes with a processor.
        threads: of TensorFlow, in each of them.
        emit: takes the events of all workers.
    """

    def __init__(
        self,
        make_evaluator: MakeEvaluator,
        store: Store,
        objectives: Objectives,
        emit: Callable[[Event], None],
        *,
        benches: Sequence[Bench],
        workers: int,
        threads: int = 1,
    ) -> None:
        self._make = make_evaluator
        self._store = store
        self._objectives = objectives
        self._emit = emit
        self._threads = threads
        self._takes = {bench.device: bench.takes for bench in benches}
        self._waiting: list[Job] = []
        self._deaths: dict[tuple[int, str], int] = {}
        self._bad_starts = 0
        self._workers: list[Worker] = []
        try:
            for device in [*self._takes, *([None] * workers)]:
                self._workers.append(self._started(device))
        except BaseException:
            self.close()
            raise

    @property
    def room(self) -> int:
        """One trial for each process, and one that waits."""
        return len(self._workers) + _AHEAD

    def submit(self, job: Job) -> None:
        """See `Executor`."""
        self._waiting.append(job)
        self._hand_out()

    def next(self) -> Done:
        """See `Executor`."""
        while True:
            listening: dict[Any, Worker] = {worker.connection: worker for worker in self._workers}
            for connection in wait(list(listening)):
                done = self._heard(listening[connection])
                self._hand_out()
                if done is not None:
                    return done

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
        self._waiting.clear()

    # ---- handing out

    def _started(self, device: str | None) -> Worker:
        begin = Begin(self._store.folder, self._objectives, self._make, device)
        return Worker(begin, threads=self._threads)

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.ready and worker.job is None:
                able = [job for job in self._waiting if self._can_do(worker.device, job)]
                if able:
                    job = min(able, key=lambda job: job.trial.number)
                    self._waiting.remove(job)
                    worker.hand(job)

    def _can_do(self, device: str | None, job: Job) -> bool:
        if device is None or not job.part.needs_board:
            return device is None and not job.part.needs_board
        return self._takes[device](job.trial)

    # ---- hearing

    def _heard(self, worker: Worker) -> Done | None:
        said = worker.hear()
        match said:
            case None:
                return self._died(worker)
            case Ready():
                worker.ready = True
                self._bad_starts = 0
            case Told():
                self._emit(said.event)
            case Done():
                worker.job = None
                self._deaths.pop((said.job.trial.number, said.job.part.value), None)
                return said
            case Failed():
                self._gave_up(worker, said.error)
        return None

    def _gave_up(self, worker: Worker, error: Exception) -> None:
        """Go on without a broken device while another can do its work; else that is the end."""
        job, device = worker.job, worker.device
        others = [other.device for other in self._workers if other is not worker and other.device is not None]
        stranded = [one for one in [job, *self._waiting] if one is not None and one.part.needs_board]
        able = device is not None and others and all(
            any(self._takes[other](one.trial) for other in others) for one in stranded
        )  # fmt: skip
        if not able or device is None:
            raise error
        self._workers.remove(worker)
        worker.kill()
        del self._takes[device]
        self._emit(BenchLost(device, str(error), tuple(others)))
        if job is not None:
            self._waiting.append(job)

    def _died(self, worker: Worker) -> Done | None:
        """Replace a worker that is gone; its job is done once more, or its trial marked."""
        self._workers.remove(worker)
        how = worker.kill()
        if not worker.ready:
            self._bad_starts += 1
            if self._bad_starts >= _MOST_BAD_STARTS:
                raise SearchError(
                    f"a worker process cannot be started: {how}",
                    remedy="set workers = 1 under [run] to search in one process, and see what it says",
                )
        self._workers.append(self._started(worker.device))
        job = worker.job
        if job is None:
            return None
        key = (job.trial.number, job.part.value)
        self._deaths[key] = self._deaths.get(key, 0) + 1
        stage = self._stage_of(job)
        if self._deaths[key] < ATTEMPTS:
            self._emit(StageRetried(job.trial.number, stage, self._deaths[key], f"the worker {how}"))
            self._waiting.append(job)
            return None
        message = f"the worker {how}, {ATTEMPTS} times"
        if job.part not in STAGES_OF:
            return Done(job, job.trial, undeployed=message)
        trial = self._store.trial(job.trial.number)
        if trial.state is State.RUNNING:
            failure = Failure(stage, "WorkerDied", message, ATTEMPTS)
            trial = self._store.finish_trial(trial.number, State.FAILED, failure=failure)
        return Done(job, trial)

    def _stage_of(self, job: Job) -> Stage:
        """The stage that was under way."""
        finished = self._store.findings(job.trial.number)
        stages = STAGES_OF.get(job.part, (Stage.DEPLOY,))
        return next((stage for stage in stages if stage not in finished), stages[-1])
