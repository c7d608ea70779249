"""The cascade: one trial through the stages, cheapest first, each finished stage kept before the next begins.

    analytic -> quantize -> plan -> build -> measure -> train          (deploy: for the front, at the end)

After each stage everything known so far, lower bounds included, is held against the constraints; a candidate
that breaks one is given up there, with the figure, and never trained.  The stages themselves are the
evaluator's.  Some need a processor and some a board: they are done in parts, which may run in different
processes and at the same time for different trials (search/executors).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from search.errors import StudyError
from search.events import Event, StageFinished, StageRetried, StageStarted
from search.finding import Finding, bounds, merged
from search.objective import Objectives
from search.space.base import Architecture, Space
from search.store import Store
from search.trial import Failure, Infeasibility, Stage, State, Trial

STAGES = (Stage.ANALYTIC, Stage.QUANTIZE, Stage.PLAN, Stage.BUILD, Stage.MEASURE, Stage.TRAIN)


class Part(Enum):
    """Stages that are done in one go, in one place: on a processor, or at a board."""

    PREPARE = "prepare"
    MEASURE = "measure"
    TRAIN = "train"
    DEPLOY = "deploy"

    @property
    def needs_board(self) -> bool:
        return self in (Part.MEASURE, Part.DEPLOY)


STAGES_OF = {Part.PREPARE: STAGES[:4], Part.MEASURE: STAGES[4:5], Part.TRAIN: STAGES[5:]}
AFTER = {Part.PREPARE: Part.MEASURE, Part.MEASURE: Part.TRAIN}
ATTEMPTS = 2  # the bench retries by itself; once more from the start of the stage is enough
PAUSE_S = 1.0


class Unfit(Exception):
    """Raised by an evaluator: the candidate breaks a limit that is not among the study's constraints."""

    def __init__(self, metric: str, value: float, limit: float, reason: str) -> None:
        super().__init__(reason)
        self.metric = metric
        self.value = value
        self.limit = limit
        self.reason = reason


class Transient(Exception):
    """Raised by an evaluator, `from` its cause: worth another attempt.

    Args:
        fatal_if_it_lasts: no candidate can be to blame, so that one is not given up for it.
    """

    def __init__(self, message: str = "", *, fatal_if_it_lasts: bool = False) -> None:
        super().__init__(message)
        self.fatal_if_it_lasts = fatal_if_it_lasts


class Fatal(Exception):
    """Raised by an evaluator, `from` its cause: nothing will work until a person acts."""


@dataclass(frozen=True)
class Work:
    """What a stage is given.

    Attributes:
        number: of the trial.
        findings: of the stages finished before.
        store: for artifacts, and for figures that need not be made again.
        emit: takes events, such as the epochs of a training.
        fidelity: share of the study's epochs to train for.
    """

    number: int
    architecture: Architecture
    findings: Mapping[Stage, Finding]
    store: Store
    emit: Callable[[Event], None] = field(default=lambda event: None)
    fidelity: float = 1.0


class Evaluator(Protocol):
    """Does the work of the stages.  The real one is `search.evaluate.HilEvaluator`; tests bring their own."""

    @property
    def space(self) -> Space:
        """What architectures are read with."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Name -> digest of what figures depend on beside the study file (data, board profile).

        A study is not continued with another.
        """

    def run(self, stage: Stage, work: Work) -> Finding:
        """Do one stage.  The same work gives the same finding, wherever it was interrupted before.

        Raises:
            Unfit, Transient, Fatal: see there.  Any other exception counts as a failure of this trial alone.
        """

    def close(self) -> None:
        """Let go of device and memory.  Closing twice is harmless."""


def advance(
    part: Part,
    trial: Trial,
    evaluator: Evaluator,
    store: Store,
    objectives: Objectives,
    emit: Callable[[Event], None],
) -> Trial:
    """Take a trial through the stages of one part, from the first that is unfinished.

    What another trial of the same architecture has found out is not done again, but for its training: that
    differs where the fidelity does.

    Returns:
        The trial with its outcome, kept in the store; still running where the next part has to follow.

    Raises:
        HilError, SearchError: the cause of a fatal fault; the trial stays unfinished and is continued next
            time.
    """
    known = store.trial(trial.number)
    if known.state is not State.RUNNING:  # a worker died between the outcome and its answer
        return known
    findings = store.findings(trial.number)
    for stage in STAGES_OF[part]:
        if stage not in findings:
            found = None if stage is Stage.TRAIN else store.finding_of_twin(trial.number, stage)
            outcome: Finding | Infeasibility | Failure
            if found is not None:
                outcome = found = replace(found, seconds=0.0, reused=True)
                store.add_finding(trial.number, found)
            else:
                work = Work(
                    trial.number, trial.architecture, dict(findings), store, emit, fidelity=trial.fidelity
                )
                outcome = run_stage(stage, work, evaluator)
            if isinstance(outcome, Infeasibility):
                return store.finish_trial(trial.number, State.INFEASIBLE, infeasibility=outcome)
            if isinstance(outcome, Failure):
                return store.finish_trial(trial.number, State.FAILED, failure=outcome)
            findings[stage] = outcome
        # Judged again on resuming, too: the process may have ended between a finding and its judgement.
        broken = judge(stage, findings, objectives)
        if broken is not None:
            return store.finish_trial(trial.number, State.INFEASIBLE, infeasibility=broken)
    return store.finish_trial(trial.number, State.COMPLETE) if part is Part.TRAIN else trial


def deploy(trial: Trial, evaluator: Evaluator, store: Store, emit: Callable[[Event], None]) -> str | None:
    """Measure a complete trial as it will be deployed, and keep that.

    Returns:
        Why that failed; None where it did not.

    Raises:
        HilError, SearchError: as `advance`.
    """
    found = store.findings(trial.number)
    if Stage.DEPLOY in found:
        return None
    work = Work(trial.number, trial.architecture, found, store, emit, fidelity=trial.fidelity)
    outcome = run_stage(Stage.DEPLOY, work, evaluator)
    if isinstance(outcome, Finding):
        return None
    return outcome.message if isinstance(outcome, Failure) else outcome.reason


def judge(stage: Stage, findings: Mapping[Stage, Finding], objectives: Objectives) -> Infeasibility | None:
    """The constraint that is broken most, by what is known after `stage`; None where all hold."""
    so_far = {done: findings[done] for done in STAGES[: STAGES.index(stage) + 1]}
    exact, _ = merged(so_far)
    violations = [
        violation
        for violation in objectives.violations(bounds(so_far))
        # A lower bound can break an upper limit, but says nothing of a lower one.
        if violation.constraint.relation == "<=" or violation.constraint.metric in exact
    ]
    if not violations:
        return None
    worst = max(violations, key=lambda violation: violation.excess)
    return Infeasibility(stage, worst.constraint.metric, worst.value, worst.constraint.limit, str(worst))


def run_stage(stage: Stage, work: Work, evaluator: Evaluator) -> Finding | Infeasibility | Failure:
    """Do one stage with bounded retries, and keep its finding before returning it.

    Raises:
        HilError, SearchError: the cause of a fatal fault, or a store that cannot be written.
    """
    work.emit(StageStarted(work.number, stage))
    for attempt in range(1, ATTEMPTS + 1):
        work.store.start_stage(work.number, stage)
        start = time.perf_counter()
        try:
            finding = evaluator.run(stage, work)
        except Unfit as unfit:
            return Infeasibility(stage, unfit.metric, unfit.value, unfit.limit, unfit.reason)
        except Transient as fault:
            cause = fault.__cause__ or fault
            if attempt == ATTEMPTS and fault.fatal_if_it_lasts:
                raise cause from None
            if attempt == ATTEMPTS:
                return Failure(stage, type(cause).__name__, str(cause), attempt)
            work.emit(StageRetried(work.number, stage, attempt, str(cause)))
            time.sleep(PAUSE_S)
        except Fatal as fault:
            raise (fault.__cause__ or fault) from None
        except StudyError:
            raise
        except Exception as error:  # a candidate that upsets Keras must not end a night's search
            return Failure(stage, type(error).__name__, str(error)[:2000], attempt)
        else:
            finding = replace(finding, seconds=time.perf_counter() - start)
            work.store.add_finding(work.number, finding)
            work.emit(StageFinished(work.number, finding))
            return finding
    raise AssertionError("unreachable")
