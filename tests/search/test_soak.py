"""A short soak: a search on a board that fails often ends as one on a board that never does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import soak
from hil import toolchain
from hil.board import load_board
from hil.errors import FlashFailed, PortMissing
from hil.testing.virtual_board.client import VirtualBoard
from hil.testing.virtual_board.injector import TALLY
from hil.testing.virtual_board.kinds import Kind
from hil.testing.virtual_board.plan import FaultPlan
from hil.testing.virtual_board.tally import Tally
from search.config import Budget
from search.evaluate import HilEvaluator
from search.store import Store
from search.study import Study
from search.trial import State, Trial
from tests.search.small_networks import BOARD, SmallNetworks, small_study

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="no ARM toolchain is installed (`hilnas doctor`)"),
]
TRIALS = 3


def trials(folder: Path) -> list[Trial]:
    with Store.read(folder) as store:
        return store.trials()


def test_search_on_a_board_that_fails_often_ends_as_on_one_that_never_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "REPLY_TIMEOUT_S", 0.25)
    monkeypatch.setattr(soak, "HELLO_TIMEOUT_S", 0.5)
    long = (Kind.FLASH_STALLS, Kind.HANG)  # they take their time; tests/hil/test_faults.py has them
    kinds = tuple(kind for kind in Kind if kind not in long)
    budget = Budget(trials=TRIALS)
    with VirtualBoard(load_board(BOARD)) as virtual:
        virtual.plan(FaultPlan(seed=2, rate=0.2, kinds=kinds, delay_s=(0.05, 0.4)))
        config = small_study(tmp_path, virtual.device().name, budget=budget, measure={"retries": 6})
        soak.search_faulty(config, tmp_path / "faulty", virtual, SmallNetworks, Console(quiet=True))
        tally = virtual.tally()
    alone = replace(config, device=f"emulated:{BOARD}", board="")
    soak.search_alone(alone, tmp_path / "alone", SmallNetworks)
    compared = soak.compare(trials(tmp_path / "alone"), trials(tmp_path / "faulty"), TRIALS)
    assert (compared.lost, compared.wrong) == (0, 0)
    assert tally.injected > TRIALS
    assert len(tally.faults) > 3
    assert tally.recoveries == tally.injected


def test_comparison_finds_what_was_lost_and_what_is_wrong() -> None:
    from search.space.base import Architecture

    def trial(number: int, **changes: object) -> Trial:
        values = {"latency_us": 1000.0, "ram_bytes": 5000.0}
        return replace(Trial(number, Architecture("chain", "x"), State.COMPLETE, values), **changes)

    alone = [trial(number) for number in range(5)]
    faulty = [
        trial(0),
        trial(1, values={"latency_us": 1004.0, "ram_bytes": 5000.0}),
        trial(2, values={"latency_us": 1006.0, "ram_bytes": 5000.0}),
        trial(3, values={"latency_us": 1000.0, "ram_bytes": 5001.0}),
        trial(4, state=State.FAILED, values={}),
    ]
    compared = soak.compare(alone, faulty, 6)
    assert (compared.lost, compared.wrong, compared.other_times) == (2, 2, 1)
    assert compared.largest == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("kind", "error", "attempts"),
    [(Kind.FLASH_FAILS, FlashFailed, 2), (Kind.PORT_VANISHES, PortMissing, 1)],
    ids=["flashing that never works", "board that stays away"],
)
def test_what_no_candidate_can_cause_stops_the_study_which_then_goes_on_with_the_same_trial(
    tmp_path: Path, kind: Kind, error: type[Exception], attempts: int
) -> None:
    desk = tmp_path / "desk"

    def run(plan: FaultPlan) -> None:
        with VirtualBoard(load_board(BOARD), desk) as virtual:
            virtual.plan(plan)
            device = virtual.device(hello_timeout_s=0.3, return_wait_s=0.3)
            config = small_study(tmp_path, device.name, budget=Budget(trials=1), measure={"retries": 0})
            evaluator = SmallNetworks(HilEvaluator(config, device=device, reply_timeout_s=0.3))
            with Study.open(config, tmp_path / "study", evaluator=evaluator) as study:
                study.run()

    with pytest.raises(error):
        run(FaultPlan.every(kind, limit=None if kind is Kind.FLASH_FAILS else 1, away_s=(3600, 3600)))
    assert [trial.state for trial in trials(tmp_path / "study")] == [State.RUNNING]
    told = Tally.from_json((desk / TALLY).read_text())
    assert told.faults[kind] == attempts
    # Somebody mends it, or plugs it in again.
    run(FaultPlan())
    assert [trial.state for trial in trials(tmp_path / "study")] == [State.COMPLETE]
