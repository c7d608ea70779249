"""A Study: ask, keep, evaluate, tell, until the budget is used up; then measure the front as it will be
deployed.

A study is its folder.  Opened again with the same configuration it goes on where it stopped, however it
stopped: the finished trials are told to the strategy again, a trial that was under way continues with its
    first unfinished stage, and
everything a finished stage found is taken from the store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from search import cascade, pareto
from search.cascade import Evaluator, Work
from search.config import StudyConfig, diff
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
from search.finding import Finding
from search.space.options import BadOption
from search.store import Store
from search.store.crash import last_crash, watched
from search.trial import Failure, Stage, State, Trial

MAX_FAILURES_IN_A_ROW = 3  # of trials that failed (not of those that do not fit): then the set-up is to blame
MAX_REPEATS = 20  # proposals in a row that were tried before; the strategy has looked for a new one each time


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

    def __init__(self, config: StudyConfig, store: Store, evaluator: Evaluator) -> None:
        self.config = config
        self.store = store
        self.objectives = config.make_objectives()
        self._evaluator = evaluator
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
    ) -> Study:
        """Begin a study in `folder`, or take up the one that is there.

        The budget may differ from the one it was begun with (more trials, more minutes); nothing else may.

        Args:
            resume: False refuses a folder that holds a study already.
            evaluator: does the work of the stages; default is `search.evaluate.HilEvaluator(config)`.

        Raises:
            BadData, HilError: what the configuration names cannot be had; nothing is written then.
            StudyLocked: another process runs it.
            StudyChanged: it was begun with another configuration, other data or another board profile.
            StudyError: the folder cannot be used.
        """
        if evaluator is None:
            from search.evaluate import HilEvaluator

            evaluator = HilEvaluator(config)
        try:
            store = Store.open(Path(folder))
            try:
                _check_same(store, config, evaluator.identity, resume=resume)
                store.set_config(config.to_dict(), evaluator.identity)
            except BaseException:
                store.close()
                raise
        except BaseException:
            evaluator.close()
            raise
        return cls(config, store, evaluator)

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
        findings = ((trial.number, self.store.findings(trial.number)) for trial in self.store.trials())
        return {number: found[Stage.DEPLOY] for number, found in findings if Stage.DEPLOY in found}

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
                    self._emit_opened()
                    ending = self._search()
                    undeployed = self._deploy(crashed)
            except KeyboardInterrupt:
                ending, undeployed = Ending.INTERRUPTED, {}
            summary = Summary(
                ending, tuple(self.front()), self._deployed_front(), undeployed, self._elapsed_s()
            )
            self.store.note_session(time.monotonic() - self._began_s, ending.value)
            self._progress.emit(
                StudyEnded(ending.value, summary.message, summary.elapsed_s, summary.front, summary.deployed)
            )
        return summary

    def _search(self) -> Ending:
        strategy = self.config.make_strategy(self._evaluator.space)
        trials = {trial.number: trial for trial in self.store.trials()}
        strategy.tell([trial for trial in trials.values() if trial.state is not State.RUNNING])
        strategy.asked = self.store.asked()
        seen = {trial.proposal for trial in trials.values()}
        failed_in_a_row = 0
        pending = [trial for trial in trials.values() if trial.state is State.RUNNING]
        while True:
            if pending:
                trial = pending.pop(0)
            elif (ending := self._budget_used_up(trials)) is not None:
                return ending
            else:
                for _ in range(MAX_REPEATS):
                    proposals = strategy.ask(1)
                    if not proposals or proposals[0] not in seen:
                        break
                else:
                    return Ending.EXHAUSTED
                if not proposals:
                    return Ending.EXHAUSTED
                seen.add(proposals[0])
                trial = self.store.add_trial(proposals[0], asked=strategy.asked)
            trial = self._evaluate(trial)
            trials[trial.number] = trial
            strategy.tell([trial])
            self._emit_finished(trial, trials)
            failed_in_a_row = failed_in_a_row + 1 if trial.state is State.FAILED else 0
            if failed_in_a_row == MAX_FAILURES_IN_A_ROW:
                raise _too_many_failures(trial)

    def _evaluate(self, trial: Trial) -> Trial:
        finished = tuple(self.store.findings(trial.number))
        self._emit(TrialStarted(trial.number, trial.architecture, finished))
        return cascade.evaluate(trial, self._evaluator, self.store, self.objectives, self._emit)

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

    def _deploy(self, crashed: Mapping[int, str]) -> dict[int, str]:
        """Measure the front with trained weights; return the trials for which that failed, and why."""
        waiting = [t for t in self.front() if Stage.DEPLOY not in self.store.findings(t.number)]
        waiting = [trial for trial in waiting if trial.number not in crashed]
        undeployed = dict(crashed)
        if waiting:
            self._emit(DeployStarted(tuple(trial.number for trial in waiting)))
        for trial in waiting:
            work = Work(
                trial.number, trial.architecture, self.store.findings(trial.number), self.store, self._emit
            )
            outcome = cascade.run_stage(Stage.DEPLOY, work, self._evaluator)
            if not isinstance(outcome, Finding):
                undeployed[trial.number] = outcome.message if isinstance(outcome, Failure) else outcome.reason
        return undeployed

    def _budget_used_up(self, trials: Mapping[int, Trial]) -> Ending | None:
        budget = self.config.budget
        if budget.trials is not None and len(trials) >= budget.trials:
            return Ending.TRIALS
        if budget.minutes is not None:
            reserved_s = self._deploy_estimate_s(trials)
            if self._elapsed_s() + reserved_s >= budget.minutes * 60:
                return Ending.MINUTES
        return None

    def _deploy_estimate_s(self, trials: Mapping[int, Trial]) -> float:
        """How long deploying the front will take, by what planning, building and measuring it took."""
        front = pareto.front(list(trials.values()), self.objectives)
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

    def _emit_opened(self) -> None:
        done = sum(trial.state is not State.RUNNING for trial in self.store.trials())
        self._emit(
            StudyOpened(
                self.config.name,
                self.store.folder,
                self.config.device,
                self.objectives,
                done,
                self.config.budget.trials,
                self.config.budget.minutes,
                self._elapsed_before_s,
            )
        )

    def _emit_finished(self, trial: Trial, trials: Mapping[int, Trial]) -> None:
        known = list(trials.values())
        best = pareto.best(known, self.objectives)
        done = sum(one.state is not State.RUNNING for one in known)
        front = tuple(pareto.front(known, self.objectives))
        self._emit(
            TrialFinished(trial, front, None if best is None else best.number, done, self._elapsed_s())
        )

    @contextmanager
    def _noted_ending(self) -> Iterator[None]:
        """Note in the store that an error ended this run; the error goes on."""
        try:
            yield
        except Exception as error:
            self.store.note_session(time.monotonic() - self._began_s, f"error: {type(error).__name__}")
            raise

    def _deployed_front(self) -> dict[int, Finding]:
        numbers = {trial.number for trial in self.front()}
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
