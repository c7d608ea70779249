"""Studies with worker processes: the same results, several devices, and workers that die."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hil.errors import PortMissing
from search.errors import SearchError, StudyError
from search.events import BenchLost, Event, Silence, StageRetried
from search.executors.messages import MakeEvaluator
from search.study import Ending, Study, Summary
from search.trial import Stage, State
from tests.search import pool_evaluators
from tests.search.study_fixtures import config, contents, evaluator

TWO = {"workers": 2}
PLAIN = pool_evaluators.plain


class Listening(Silence):
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


def run(
    folder: Path, make: Callable[..., MakeEvaluator] | None = None, **options: Any
) -> tuple[Summary, list[Event]]:
    study = config(**{"run": TWO, **options})
    heard = Listening()
    made = make(study) if make is not None else partial(PLAIN, study)
    with Study.open(study, folder, evaluator=evaluator(study), make_evaluator=made) as opened:
        return opened.run(heard), heard.events


def test_a_seed_gives_the_same_search_again_with_workers_that_race(tmp_path: Path) -> None:
    first, _ = run(tmp_path / "first", trials=10)
    again, _ = run(tmp_path / "again", trials=10)
    assert first.ending is again.ending is Ending.TRIALS
    assert contents(tmp_path / "first") == contents(tmp_path / "again")


def test_what_is_found_of_a_network_does_not_depend_on_who_finds_it(tmp_path: Path) -> None:
    options = {"strategy": {"name": "random", "seed": 3}, "trials": 8}
    alone, _ = run(tmp_path / "alone", run={"workers": 1}, **options)
    many, _ = run(tmp_path / "many", **options)
    assert contents(tmp_path / "alone") == contents(tmp_path / "many")
    assert alone.front == many.front
    assert set(alone.deployed) == set(many.deployed) == {trial.number for trial in alone.front}


def test_a_study_in_pieces_goes_on_with_workers(tmp_path: Path) -> None:
    run(tmp_path, trials=3)
    summary, _ = run(tmp_path, trials=9, run={"workers": 3, "order": "free"})
    assert summary.ending is Ending.TRIALS
    assert len(contents(tmp_path)["trials"]) == 9


def test_a_worker_that_is_killed_is_replaced_and_its_training_done_again(tmp_path: Path) -> None:
    run(tmp_path / "calm", trials=6, constraints=[])
    make = lambda study: partial(pool_evaluators.killed, study, tmp_path, 2, 1)  # noqa: E731
    _, events = run(tmp_path / "killed", make, trials=6, constraints=[])
    retried = [event for event in events if isinstance(event, StageRetried)]
    assert [(event.number, event.stage) for event in retried] == [(2, Stage.TRAIN)]
    assert "signal 9" in retried[0].message
    assert contents(tmp_path / "killed") == contents(tmp_path / "calm")


def test_a_network_that_kills_its_worker_twice_is_marked_and_the_search_goes_on(tmp_path: Path) -> None:
    make = lambda study: partial(pool_evaluators.killed, study, tmp_path, 2, 9)  # noqa: E731
    summary, _ = run(tmp_path / "study", make, trials=6, constraints=[])
    trials = contents(tmp_path / "study")["trials"]
    assert summary.ending is Ending.TRIALS
    assert len(trials) == 6
    failed = [trial for trial in trials if trial.state is State.FAILED]
    assert [trial.number for trial in failed] == [2]
    assert (failed[0].failure.error, failed[0].failure.attempts) == ("WorkerDied", 2)
    assert failed[0].failure.stage is Stage.TRAIN
    assert "signal 9" in failed[0].failure.message


def test_a_device_that_is_lost_leaves_its_work_to_another(tmp_path: Path) -> None:
    one, other = "serial:/dev/ttyA", "serial:/dev/ttyB"
    make = lambda study: partial(pool_evaluators.lost_board, study, other)  # noqa: E731
    summary, events = run(tmp_path, make, trials=6, device=one, board="nrf52840_dk", devices=[other])
    lost = [event for event in events if isinstance(event, BenchLost)]
    assert [(event.device, event.others) for event in lost] == [(other, (one,))]
    assert "the port is gone" in lost[0].message
    assert summary.ending is Ending.TRIALS
    assert {t.state for t in contents(tmp_path)["trials"]} <= {State.COMPLETE, State.INFEASIBLE}


def test_the_last_device_that_is_lost_ends_the_study_with_its_error(tmp_path: Path) -> None:
    make = lambda study: partial(pool_evaluators.lost_board, study, study.device)  # noqa: E731
    with pytest.raises(PortMissing, match="the port is gone"):
        run(tmp_path, make, trials=6)
    summary, _ = run(tmp_path, trials=6)  # found again
    assert summary.ending is Ending.TRIALS


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no data here"):
        run(tmp_path / "a", lambda study: pool_evaluators.cannot_begin)
    with pytest.raises(SearchError, match="cannot be started: ended with code 9: out of memory"):
        run(tmp_path / "b", lambda study: pool_evaluators.dies_at_once)


def test_an_evaluator_of_this_process_is_not_handed_to_others(tmp_path: Path) -> None:
    study = config(run=TWO)
    with pytest.raises(StudyError, match="2 workers"):
        Study.open(study, tmp_path, evaluator=evaluator(study))


def test_how_a_study_is_worked_on_is_no_part_of_what_it_is() -> None:
    assert config(run=TWO).digest == config().digest
    rig = {"device": "serial:A", "board": "nrf52840_dk"}
    assert config(**rig, devices=["serial:B"]).digest != config(**rig).digest
