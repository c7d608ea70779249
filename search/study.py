"""A Study: ask, keep, evaluate, tell, until the budget is used up; then measure the front as it will be
deployed.

A study is its folder.  Opened again with the same configuration it goes on where it stopped, however it
stopped: its trials are told to the strategy again, a trial that was under way continues with its first
unfinished stage, and everything a finished stage found is taken from the store.

Asking and telling is `search/dialogue.py`, the work is an executor's (`search/executors`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from search import pareto
from search.cascade import AFTER, Evaluator, Part
from search.config import StudyConfig, diff
from search.dialogue import Dialogue
from search.errors import StudyChanged, StudyError
from search.events import (
    DeployStarted,
    Event,
    Progress,
    Silence,
    StageFinished,
    StudyEnded,
    StudyOpened,
    TrialFinished,
    TrialStarted,
)
from search.executors import Executor, Job
from search.executors.choose import MakeExecutor, executor_for
from search.executors.messages import MakeEvaluator
from search.feasibility import must_have_a_chance
from search.finding import Finding
from search.space.options import BadOption
from search.standings import Standings
from search.store import Store
from search.store.crash import last_crash, watched
from search.trial import Failure, Stage, State, Trial

MAX_FAILURES_IN_A_ROW = 3  # of trials that failed (not of those that do not fit): then the set-up is to blame


class Ending(Enum):
    """Why a run ended."""

    TRIALS = "trials"
    MINUTES = "minutes"
    EXHAUSTED = "exhausted"
    INTERRUPTED = "interrupted"


_MESSAGES = {
    Ending.TRIALS: "all trials of the budget are done",
    Ending.MINUTES: "the time of the budget is used up",
    Ending.EXHAUSTED: "the strategy finds no architecture that was not tried",
    Ending.INTERRUPTED: "interrupted; the same command continues",
}


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        front: trials that none dominates, by number.
        deployed: number -> what DEPLOY found, for the trials of the front.
        undeployed: number -> why DEPLOY failed; the next run tries again.
        elapsed_s: wall clock of all runs of this study together.
    """

    ending: Ending
    front: tuple[Trial, ...]
    deployed: Mapping[int, Finding]
    undeployed: Mapping[int, str]
    elapsed_s: float

    @property
    def message(self) -> str:
        return _MESSAGES[self.ending]


class Study:
    """Open it with `Study.open`; use it in a `with`, or close it."""

    def __init__(
        self, config: StudyConfig, store: Store, evaluator: Evaluator, make_executor: MakeExecutor
    ) -> None:
        self.config = config
        self.store = store
        self.objectives = config.make_objectives()
        self._evaluator = evaluator
        self._make_executor = make_executor
        self._progress: Progress = Silence()
        self._elapsed_before_s = 0.0
        self._began_s = time.monotonic()

    @classmethod
    def open(
        cls,
        config: StudyConfig,
        folder: Path | str,
        *,
        resume: bool = True,
        evaluator: Evaluator | None = None,
        make_evaluator: MakeEvaluator | None = None,
    ) -> Study:
        """Begin a study in `folder`, or take up the one that is there.

        The budget may differ from the one it was begun with (more trials, more minutes), and so may [run];
        nothing else may.

        Args:
            resume: False refuses a folder that holds a study already.
            evaluator: does the work of the stages in this process; default is
                `search.evaluate.HilEvaluator(config)`.
            make_evaluator: makes those of worker processes (see `search.executors.messages`), where [run]
                wants more than one; default is `functools.partial(search.evaluate.for_worker, config)`.

        Raises:
            BadData, HilError: what the configuration names cannot be had; nothing is written then.
            BadConfig: no network of the space can keep the limits.
            StudyLocked: another process runs it.
            StudyChanged: it was begun with another configuration, other data or another board profile.
            StudyError: the folder cannot be used, or an evaluator of one process is to serve several.
        """
        own = evaluator is None
        if evaluator is None:
            from search.evaluate import HilEvaluator

            evaluator = HilEvaluator(config)
        try:
            make_executor = executor_for(config, evaluator, make_evaluator, own=own)
            store = Store.open(Path(folder))
            try:
                _check_same(store, config, evaluator.identity, resume=resume)
                if store.config() is None:
                    must_have_a_chance(evaluator, store, config.make_objectives(), seed=config.strategy.seed)
                store.set_config(config.to_dict(), evaluator.identity)
            except BaseException:
                store.close()
                raise
        except BaseException:
            evaluator.close()
            raise
        return cls(config, store, evaluator, make_executor)

    def close(self) -> None:
        """Let go of device and folder.  Closing twice is harmless."""
        self._evaluator.close()
        self.store.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- results

    def trials(self) -> list[Trial]:
        """All trials, by number."""
        return self.store.trials()

    def front(self) -> list[Trial]:
        """The complete trials that keep all constraints and that no other dominates, by number."""
        return pareto.front(self.store.trials(), self.objectives)

    def best(self) -> Trial | None:
        """The complete trial of the highest reward that keeps all constraints; None where there is none."""
        return pareto.best(self.store.trials(), self.objectives)

    def deployed(self) -> dict[int, Finding]:
        """Number -> what was found with trained weights, for the trials that were deployed."""
        return self.store.finished_stage(Stage.DEPLOY)

    # ---- running

    def run(self, progress: Progress | None = None) -> Summary:
        """Search until the budget is used up, then deploy the front.  Ctrl-C ends it in good order.

        Raises:
            HilError, SearchError: nothing will work until a person acts; what was done is kept, and the same
                command continues.
        """
        self._progress = progress or Silence()
        self._elapsed_before_s = sum(session["seconds"] for session in self.store.sessions())
        self._began_s = time.monotonic()
        self.store.begin_session()
        with self._progress:
            try:
                crashed = self._settle_crash()
                with self._noted_ending(), watched(self.store.folder):
                    trials = self.store.trials()
                    finished = [trial for trial in trials if trial.state is not State.RUNNING]
                    standings = Standings(self.objectives, finished)
                    self._emit_opened(standings.done)
                    with closing(self._make_executor(self.store, self.objectives, self._emit)) as executor:
                        ending = self._search(standings, self._dialogue(trials, executor), executor)
                        undeployed = self._deploy(standings.front, crashed, executor)
            except KeyboardInterrupt:
                ending, undeployed = Ending.INTERRUPTED, {}
            front = self.front()
            summary = Summary(
                ending, tuple(front), self._deployed_front(front), undeployed, self._elapsed_s()
            )
            self.store.note_session(time.monotonic() - self._began_s, ending.value)
            self._progress.emit(
                StudyEnded(ending.value, summary.message, summary.elapsed_s, summary.front, summary.deployed)
            )
        return summary

    def _dialogue(self, trials: Sequence[Trial], executor: Executor) -> Dialogue:
        strategy = self.config.make_strategy(self._evaluator.space)
        ahead = executor.room if self.config.run.order == "fixed" else None
        return Dialogue(strategy, trials, asked=self.store.asked(), ahead=ahead)

    def _search(self, standings: Standings, dialogue: Dialogue, executor: Executor) -> Ending:
        """Keep the executor busy until the budget is used up, and then until all that was begun has ended."""
        under_way = 0
        ending: Ending | None = None
        failed_in_a_row = 0
        for trial in dialogue.unfinished:
            self._begin(trial, executor)
            under_way += 1
        while True:
            while ending is None and under_way < executor.room:
                ending = self._budget_used_up(standings, under_way)
                if ending is not None:
                    break
                proposal = dialogue.ask()
                if proposal is None:
                    if under_way == 0:
                        ending = Ending.EXHAUSTED
                    break
                trial = self.store.add_trial(proposal, asked=dialogue.asked)
                dialogue.began(trial)
                self._begin(trial, executor)
                under_way += 1
            if under_way == 0:
                return ending or Ending.EXHAUSTED
            done = executor.next()
            if done.trial.state is State.RUNNING:
                executor.submit(Job(AFTER[done.job.part], done.trial))
                continue
            under_way -= 1
            dialogue.ended(done.trial)
            standings.add(done.trial)
            self._emit_finished(done.trial, standings)
            failed_in_a_row = failed_in_a_row + 1 if done.trial.state is State.FAILED else 0
            if failed_in_a_row == MAX_FAILURES_IN_A_ROW:
                raise _too_many_failures(done.trial)

    def _begin(self, trial: Trial, executor: Executor) -> None:
        finished = tuple(self.store.findings(trial.number))
        self._emit(TrialStarted(trial.number, trial.architecture, finished))
        executor.submit(Job(Part.PREPARE, trial))

    def _settle_crash(self) -> dict[int, str]:
        """Give up the stage in which the previous run died in native code; it would die there again.

        Returns:
            Trial -> how, where that stage was DEPLOY; the trial itself is complete and stays so.
        """
        crash, last = last_crash(self.store.folder), self.store.last_start()
        if crash is None or last is None:
            return {}
        number, stage = last
        if stage in self.store.findings(number):
            return {}
        if stage is Stage.DEPLOY:
            return {number: f"the process died: {crash}"}
        if self.store.trial(number).state is State.RUNNING:
            attempts = self.store.starts()[last]
            failure = Failure(stage, "ProcessDied", crash, attempts)
            self.store.finish_trial(number, State.FAILED, failure=failure)
        return {}

    def _deploy(
        self, front: Sequence[Trial], crashed: Mapping[int, str], executor: Executor
    ) -> dict[int, str]:
        """Measure the front with trained weights; return the trials for which that failed, and why."""
        deployed = self.store.finished_stage(Stage.DEPLOY)
        waiting = [trial for trial in front if trial.number not in deployed and trial.number not in crashed]
        undeployed = dict(crashed)
        if waiting:
            self._emit(DeployStarted(tuple(trial.number for trial in waiting)))
        for trial in waiting:
            executor.submit(Job(Part.DEPLOY, trial))
        for _ in waiting:
            done = executor.next()
            if done.undeployed is not None:
                undeployed[done.trial.number] = done.undeployed
        return undeployed

    def _budget_used_up(self, standings: Standings, under_way: int) -> Ending | None:
        budget = self.config.budget
        if budget.trials is not None and standings.done + under_way >= budget.trials:
            return Ending.TRIALS
        if budget.minutes is not None:
            reserved_s = self._deploy_estimate_s(standings.front)
            if self._elapsed_s() + reserved_s >= budget.minutes * 60:
                return Ending.MINUTES
        return None

    def _deploy_estimate_s(self, front: Sequence[Trial]) -> float:
        """How long deploying the front will take, by what planning, building and measuring it took."""
        spent = [
            finding.seconds
            for trial in front
            for stage, finding in self.store.findings(trial.number).items()
            if stage in (Stage.PLAN, Stage.BUILD, Stage.MEASURE)
        ]
        return sum(spent)

    # ---- telling

    def _emit(self, event: Event) -> None:
        # Every finished stage passes here: a killed run loses at most one stage's time from its account.
        if isinstance(event, StageFinished):
            self.store.note_session(time.monotonic() - self._began_s)
        self._progress.emit(event)

    def _emit_opened(self, done: int) -> None:
        self._emit(
            StudyOpened(
                self.config.name,
                self.store.folder,
                ", ".join(self.config.all_devices),
                self.objectives,
                done,
                self.config.budget.trials,
                self.config.budget.minutes,
                self._elapsed_before_s,
            )
        )

    def _emit_finished(self, trial: Trial, standings: Standings) -> None:
        best = standings.best
        self._emit(
            TrialFinished(
                trial,
                standings.front,
                None if best is None else best.number,
                standings.done,
                self._elapsed_s(),
                standings.hypervolume(),
            )
        )

    @contextmanager
    def _noted_ending(self) -> Iterator[None]:
        """Note in the store that an error ended this run; the error goes on."""
        try:
            yield
        except Exception as error:
            self.store.note_session(time.monotonic() - self._began_s, f"error: {type(error).__name__}")
            raise

    def _deployed_front(self, front: Sequence[Trial]) -> dict[int, Finding]:
        numbers = {trial.number for trial in front}
        return {number: finding for number, finding in self.deployed().items() if number in numbers}

    def _elapsed_s(self) -> float:
        return self._elapsed_before_s + time.monotonic() - self._began_s


def _check_same(store: Store, config: StudyConfig, identity: Mapping[str, str], *, resume: bool) -> None:
    """A study goes on with what it was begun with; only the budget may change."""
    begun = store.config()
    if begun is None:
        return
    if not resume:
        raise StudyError(
            f"{store.folder} holds a study already",
            remedy="leave resume on to continue it, or name another folder",
        )
    try:
        differences = diff(StudyConfig.from_dict(begun), config)
    except BadOption as error:
        raise StudyError(
            f"the configuration of the study in {store.folder} cannot be read any more: {error}",
            remedy="use the hilnas that wrote it, or name another folder",
        ) from error
    before = store.identity()
    differences += [
        f"{name}: digest {before.get(name, '(absent)')[:12]} -> {identity.get(name, '(absent)')[:12]}"
        for name in sorted({*before, *identity})
        if before.get(name) != identity.get(name)
    ]
    if differences:
        raise StudyChanged(
            f"the study in {store.folder} was begun otherwise:\n  " + "\n  ".join(differences),
            remedy="undo the change, or name another folder for the new study; only the budget may change",
        )


def _too_many_failures(trial: Trial) -> StudyError:
    failure = trial.failure
    assert failure is not None
    return StudyError(
        f"{MAX_FAILURES_IN_A_ROW} trials in a row failed, the last (trial {trial.number}) in stage "
        f"{failure.stage.value} with {failure.error}: {failure.message}",
        remedy="mend the cause; all trials are kept, and the same command continues",
    )
