"""A study runs its budget, refuses what changed, and goes on exactly where it stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import search
from search.cascade import Fatal, Transient, Unfit, Work
from search.config import Budget
from search.errors import BadConfig, StudyChanged, StudyError, StudyLocked
from search.events import Event, Silence, TrialFinished, TrialStarted
from search.pareto import front
from search.study import Ending, Study, Summary
from search.trial import Stage, State
from tests.search.study_fixtures import config, contents, evaluator


class Recorder(Silence):
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


def run(folder: Path, progress: Silence | None = None, faults=None, **changes) -> Summary:
    study = config(**changes)
    made = evaluator(study) if faults is None else evaluator(study, faults=faults)
    with Study.open(study, folder, evaluator=made) as opened:
        summary = opened.run(progress)
    assert made.closed
    return summary


def test_a_study_asks_as_often_as_its_budget_says_and_deploys_its_front(tmp_path: Path) -> None:
    summary = run(tmp_path, trials=8)
    assert summary.ending is Ending.TRIALS
    with search.Store.read(tmp_path) as store:
        trials = store.trials()
        assert [trial.number for trial in trials] == list(range(8))
        assert len({trial.architecture for trial in trials}) == 8
        assert {trial.state for trial in trials} == {State.COMPLETE, State.INFEASIBLE}
        on_front = front(trials, config().make_objectives())
        assert on_front
        assert set(summary.deployed) == {trial.number for trial in on_front}
        deployed = {trial.number for trial in trials if Stage.DEPLOY in store.findings(trial.number)}
        assert deployed == set(summary.deployed)
        assert store.sessions()[0]["ending"] == "trials"


def test_what_does_not_fit_is_recorded_with_its_figure_and_never_trained(tmp_path: Path) -> None:
    run(tmp_path, trials=8)
    with search.Store.read(tmp_path) as store:
        unfit = [trial for trial in store.trials() if trial.state is State.INFEASIBLE]
        assert unfit
        for trial in unfit:
            reason = trial.infeasibility
            assert reason is not None
            assert reason.metric == "ram_bytes"
            assert reason.value > reason.limit == 4096
            assert reason.stage in store.findings(trial.number)
            assert Stage.TRAIN not in store.findings(trial.number)
            assert Stage.MEASURE not in store.findings(trial.number) or reason.stage is Stage.MEASURE


def test_a_lower_bound_stops_a_candidate_before_anything_is_built(tmp_path: Path) -> None:
    run(tmp_path, trials=4, constraints=["ram_bytes <= 130 B"])
    with search.Store.read(tmp_path) as store:
        assert {trial.state for trial in store.trials()} == {State.INFEASIBLE}
        assert {stage for _, stage in store.starts()} == {Stage.ANALYTIC}


def test_limits_that_no_network_keeps_are_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        run(tmp_path, trials=4, constraints=["ram_bytes <= 100 B"])
    assert "breaks ram_bytes by its layers alone: at least 128, limit 100" in caught.value.message
    assert "ds3-8/2: 352 MACs, 116 parameters" in caught.value.message  # the smallest that there is
    assert "raise the limit on ram_bytes" in str(caught.value.remedy)
    with search.Store.read(tmp_path) as store:
        assert store.trials() == []


def test_resuming_in_pieces_gives_the_study_that_one_run_gives(tmp_path: Path) -> None:
    run(tmp_path / "whole", trials=9)
    for trials in (1, 4, 5, 9):
        run(tmp_path / "pieces", trials=trials)
    whole, pieces = contents(tmp_path / "whole"), contents(tmp_path / "pieces")
    assert whole["trials"] == pieces["trials"]
    # A front of fewer trials was deployed on the way; all that the whole study deployed is there too.
    for number, findings in whole["findings"].items():
        assert [f for f in findings if f not in pieces["findings"][number]] == []


def test_a_finished_study_does_nothing_again(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)

    def refuse(stage: Stage, work: Work) -> None:
        pytest.fail(f"{stage} of trial {work.number} is done again")

    assert run(tmp_path, faults=refuse).ending is Ending.TRIALS
    assert contents(tmp_path) == before


def test_a_fatal_fault_stops_the_study_and_leaves_the_trial_to_be_continued(tmp_path: Path) -> None:
    class NoToolchain(Exception):
        pass

    def broken(stage: Stage, work: Work) -> None:
        if stage is Stage.BUILD:
            raise Fatal from NoToolchain("install it")

    with pytest.raises(NoToolchain, match="install it"):
        run(tmp_path, faults=broken)
    with search.Store.read(tmp_path) as store:
        last = store.trials()[-1]
        assert last.state is State.RUNNING
        assert list(store.findings(last.number)) == [Stage.ANALYTIC, Stage.QUANTIZE, Stage.PLAN]
        assert store.sessions()[0]["ending"] == "error: NoToolchain"
    recorder = Recorder()
    run(tmp_path, recorder)
    resumed = next(event for event in recorder.events if isinstance(event, TrialStarted))
    assert resumed.number == last.number
    assert resumed.finished == (Stage.ANALYTIC, Stage.QUANTIZE, Stage.PLAN)
    run(tmp_path.parent / "undisturbed")
    assert contents(tmp_path) == contents(tmp_path.parent / "undisturbed")


def test_a_transient_fault_is_retried_and_then_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.cascade.PAUSE_S", 0.0)
    upset: set[tuple[int, Stage]] = set()

    def once(stage: Stage, work: Work) -> None:
        if stage is Stage.MEASURE and (work.number, stage) not in upset:
            upset.add((work.number, stage))
            raise Transient from TimeoutError("no answer")

    run(tmp_path / "upset", faults=once)
    run(tmp_path / "calm")
    assert upset
    assert contents(tmp_path / "upset") == contents(tmp_path / "calm")
    with search.Store.read(tmp_path / "upset") as store:
        assert {store.starts()[key] for key in upset} == {2}


def test_a_fault_that_stays_fails_the_trial_and_after_three_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.cascade.PAUSE_S", 0.0)

    def dead(stage: Stage, work: Work) -> None:
        if stage is Stage.MEASURE:
            raise Transient from TimeoutError("no answer within 2 s")

    with pytest.raises(StudyError, match=r"3 trials in a row failed.*measure with TimeoutError: no answer"):
        run(tmp_path, trials=20, constraints=[], faults=dead)
    with search.Store.read(tmp_path) as store:
        failures = [trial.failure for trial in store.trials()]
        assert len(failures) == 3
        assert {failure.attempts for failure in failures if failure} == {2}


def test_one_bad_candidate_does_not_end_the_search(tmp_path: Path) -> None:
    def upset(stage: Stage, work: Work) -> None:
        if stage is Stage.QUANTIZE and work.number == 1:
            raise ValueError("Keras does not like it")
        if stage is Stage.BUILD and work.number == 2:
            raise Unfit("flash_bytes", 2_000_000, 1_000_000, "too large for the board")

    assert run(tmp_path, trials=5, constraints=[], faults=upset).ending is Ending.TRIALS
    with search.Store.read(tmp_path) as store:
        trials = store.trials()
        assert trials[1].failure is not None
        assert trials[1].failure.error == "ValueError"
        assert trials[2].infeasibility is not None
        assert trials[2].infeasibility.limit == 1_000_000
        assert [trial.state for trial in trials[3:]] == [State.COMPLETE] * 2


def test_a_deployment_that_fails_is_told_and_tried_again_next_time(tmp_path: Path) -> None:
    def upset(stage: Stage, work: Work) -> None:
        if stage is Stage.DEPLOY:
            raise ValueError("out of paper")

    summary = run(tmp_path, faults=upset)
    assert set(summary.undeployed.values()) == {"out of paper"}
    assert summary.deployed == {}
    assert set(run(tmp_path).deployed) == set(summary.undeployed)


def test_ctrl_c_ends_in_good_order_and_the_same_command_continues(tmp_path: Path) -> None:
    def interrupt(stage: Stage, work: Work) -> None:
        if work.number == 2 and stage is Stage.TRAIN:
            raise KeyboardInterrupt

    summary = run(tmp_path / "a", faults=interrupt, constraints=[])
    assert summary.ending is Ending.INTERRUPTED
    with search.Store.read(tmp_path / "a") as store:
        assert store.sessions()[-1]["ending"] == "interrupted"
        assert store.trials()[2].state is State.RUNNING
    run(tmp_path / "a", constraints=[])
    run(tmp_path / "b", constraints=[])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_time_of_all_runs_counts_against_the_minutes(tmp_path: Path) -> None:
    assert run(tmp_path, trials=2, minutes=60).ending is Ending.TRIALS
    with search.Store.read(tmp_path) as store:
        spent_s = sum(session["seconds"] for session in store.sessions())
    assert spent_s > 0
    assert run(tmp_path, trials=50, minutes=spent_s / 60).ending is Ending.MINUTES
    with search.Store.read(tmp_path) as store:
        assert len(store.trials()) == 2


def test_a_space_without_anything_new_ends_the_study(tmp_path: Path) -> None:
    space = {
        "name": "chain", "min_depth": 1, "max_depth": 1, "blocks": ["conv"], "kernels": [3], "strides": [1],
        "filters": [8, 16], "expansions": [2], "skips": False, "pools": [],
    }  # fmt: skip
    summary = run(tmp_path, trials=50, space=space, constraints=[])
    assert summary.ending is Ending.EXHAUSTED
    with search.Store.read(tmp_path) as store:
        texts = [trial.architecture.text for trial in store.trials()]
    assert len(texts) == len(set(texts)) == 2
    # Nothing is tried again by coming back.
    assert run(tmp_path, trials=50, space=space, constraints=[]).ending is Ending.EXHAUSTED


def test_a_changed_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(StudyChanged, match=r"train\.epochs: 20 -> 30"):
        run(tmp_path, train={"epochs": 30})
    with pytest.raises(StudyChanged, match=r"constraints: .*4 kB.* -> .*8 kB"):
        run(tmp_path, constraints=["ram_bytes <= 8 kB"])
    assert contents(tmp_path) == before


def test_changed_data_are_refused(tmp_path: Path) -> None:
    study = config()
    Study.open(study, tmp_path, evaluator=evaluator(study, data="a" * 64)).close()
    with pytest.raises(StudyChanged, match="data: digest aaaaaaaaaaaa -> bbbbbbbbbbbb"):
        Study.open(study, tmp_path, evaluator=evaluator(study, data="b" * 64))


def test_resume_can_be_refused(tmp_path: Path) -> None:
    run(tmp_path)
    study = config()
    with pytest.raises(StudyError, match="holds a study already"):
        Study.open(study, tmp_path, evaluator=evaluator(study), resume=False)


def test_a_study_has_one_owner_and_is_free_after_it(tmp_path: Path) -> None:
    study = config()
    with Study.open(study, tmp_path, evaluator=evaluator(study)):
        second = evaluator(study)
        with pytest.raises(StudyLocked):
            Study.open(study, tmp_path, evaluator=second)
        assert second.closed
    Study.open(study, tmp_path, evaluator=evaluator(study)).close()


def test_events_tell_the_front_as_it_grows(tmp_path: Path) -> None:
    recorder = Recorder()
    run(tmp_path, recorder)
    finished = [event for event in recorder.events if isinstance(event, TrialFinished)]
    assert [event.done for event in finished] == list(range(1, 7))
    objectives = config().make_objectives()
    so_far = []
    for event in finished:
        so_far.append(event.trial)
        assert list(event.front) == front(so_far, objectives)


def test_best_is_the_highest_reward_that_keeps_all_constraints(tmp_path: Path) -> None:
    study = config(trials=8)
    with search.run(study, folder=tmp_path, evaluator=evaluator(study), progress=Silence()) as opened:
        best = opened.best()
        assert best is not None
        reward = study.make_objectives().reward
        complete = [trial for trial in opened.trials() if trial.state is State.COMPLETE]
        assert reward(best.values) == max(reward(trial.values) for trial in complete)


def test_budget_may_grow(tmp_path: Path) -> None:
    run(tmp_path, trials=3)
    assert Budget(trials=5) != Budget(trials=3)
    run(tmp_path, trials=5)
    with search.Store.read(tmp_path) as store:
        assert len(store.trials()) == 5
        assert store.config() == config(trials=5).to_dict()


def test_a_candidate_that_kills_the_process_is_given_up_and_the_search_goes_on(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from search.study import Study; from search.trial import Stage\n"
        "from tests.search.study_fixtures import config, evaluator\n"
        "def abort(stage, work):\n"
        "    if (work.number, stage) in [(1, Stage.QUANTIZE), (2, Stage.TRAIN)]: os.abort()\n"
        "study = config(constraints=[])\n"
        "with Study.open(study, Path(sys.argv[1]), evaluator=evaluator(study, faults=abort)) as opened:\n"
        "    opened.run()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    endings = [subprocess.run(command, capture_output=True, check=False).returncode for _ in range(3)]
    assert endings == [-signal.SIGABRT, -signal.SIGABRT, 0]
    with search.Store.read(tmp_path) as store:
        trials = store.trials()
        assert [trial.number for trial in trials if trial.state is State.FAILED] == [1, 2]
        failure = trials[2].failure
        assert failure is not None
        assert failure.stage is Stage.TRAIN
        assert failure.error == "ProcessDied"
        assert "Aborted" in failure.message
        assert "line 5 in abort" in failure.message
        assert len(trials) == 6


def test_a_lower_bound_does_not_break_a_lower_limit(tmp_path: Path) -> None:
    run(tmp_path, trials=2, constraints=["ram_bytes >= 1 kB"])
    with search.Store.read(tmp_path) as store:
        assert {trial.state for trial in store.trials()} == {State.COMPLETE}
