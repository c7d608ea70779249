"""Each reward by hand-computed values, at its edges, and as a study file names it."""

from __future__ import annotations

import dataclasses
from math import exp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.config import StudyConfig
from search.errors import BadConfig
from search.evaluate import HilEvaluator
from search.metrics import METRICS
from search.objective import Objectives
from search.reward import REWARDS, Accuracy, Ecg, Mnas, Monas, TwoStage, Unas, Weighted
from search.space.base import Architecture
from search.space.options import BadOption
from search.strategies.history import History
from search.trial import State, Trial

NET = Architecture("chain", "conv3-8")


def parsed(reward: str, *constraints: str, goals: tuple[str, ...] = (), **options: Any) -> Any:
    objectives = goals or ("maximize accuracy", "minimize latency_us")
    return Objectives.parse(objectives, constraints, reward=reward, reward_options=options).reward


def values(accuracy: float, latency_us: float, **other: float) -> dict[str, float]:
    return {"accuracy": accuracy, "latency_us": latency_us, **other}


# ---- monas


def test_monas_mixes_accuracy_and_normalised_energy() -> None:
    mixed = Monas("energy_uj", alpha=0.8, reference=200.0)
    assert mixed({"accuracy": 0.9, "energy_uj": 100.0}) == pytest.approx(0.8 * 0.9 - 0.2 * 0.5)
    assert mixed({"accuracy": 0.9, "energy_uj": 400.0}) == pytest.approx(0.8 * 0.9 - 0.2 * 2.0)
    assert Monas("energy_uj", alpha=1.0, reference=1.0)({"accuracy": 0.9, "energy_uj": 1e6}) == 0.9
    assert Monas("energy_uj", alpha=0.0, reference=10.0)({"accuracy": 0.9, "energy_uj": 5.0}) == -0.5


def test_monas_pays_accuracy_only_where_the_limit_holds() -> None:
    limit = Monas("energy_uj", form="limit", limit=100.0)
    assert limit({"accuracy": 0.9, "energy_uj": 100.0}) == 0.9
    assert limit({"accuracy": 0.9, "energy_uj": 100.1}) == 0.0


def test_monas_pays_energy_only_where_the_floor_is_reached() -> None:
    floor = Monas("energy_uj", form="floor", reference=100.0, floor=0.8)
    assert floor({"accuracy": 0.8, "energy_uj": 30.0}) == pytest.approx(0.7)
    assert floor({"accuracy": 0.79, "energy_uj": 30.0}) == 0.0
    assert floor({"accuracy": 0.9, "energy_uj": 500.0}) == 0.0  # not below one that fails


def test_monas_takes_its_numbers_from_the_constraints() -> None:
    assert parsed("monas", "latency_us <= 20 ms") == Monas("latency_us", reference=20000.0, limit=20000.0)
    found = parsed(
        "monas", "energy_uj <= 1 mJ", "accuracy >= 90 %", goals=("maximize accuracy",), form="floor"
    )
    assert found == Monas("energy_uj", form="floor", reference=1000.0, limit=1000.0, floor=0.9)
    assert parsed("monas", metric="ram_bytes", reference=5).metric == "ram_bytes"


# ---- unas


def test_unas_is_the_worst_of_error_and_costs_over_their_bounds() -> None:
    reward = Unas({"latency_us": 100.0, "ram_bytes": 1000.0}, error_bound=0.1)
    assert reward(values(0.95, 20.0, ram_bytes=300.0)) == pytest.approx(-0.5)  # error
    assert reward(values(0.99, 80.0, ram_bytes=300.0)) == pytest.approx(-0.8)  # latency
    assert reward(values(0.99, 20.0, ram_bytes=1200.0)) == pytest.approx(-1.2)  # RAM
    weighted = dataclasses.replace(reward, weights=(1.0, 0.5, 0.25))
    assert weighted(values(0.95, 20.0, ram_bytes=300.0)) == pytest.approx(-0.3 / 0.25)
    assert reward(values(0.99, 1e9, ram_bytes=1.0)) == -10.0  # capped


def test_redrawing_changes_rankings_and_is_seeded() -> None:
    objectives = Objectives.parse(
        ["maximize accuracy", "minimize latency_us"],
        ["latency_us <= 100"],
        reward="unas",
        reward_options={"error_bound": 0.2},
    )
    accurate = Trial(0, NET, State.COMPLETE, values(0.98, 90.0))
    fast = Trial(1, NET, State.COMPLETE, values(0.82, 10.0))

    def winners(seed: int) -> list[int]:
        draws = [objectives.redrawn(np.random.default_rng((seed, k))) for k in range(60)]
        return [max((accurate, fast), key=one.rank).number for one in draws]

    assert winners(1) == winners(1) != winners(2)
    assert set(winners(1)) == {0, 1}
    # Reports judge by one order, drawn or not.
    assert objectives.rank(accurate)[1] == pytest.approx(-0.9)
    assert objectives.rank(fast)[1] == pytest.approx(-0.9)


def test_a_history_chooses_by_the_draw_and_keeps_its_ranks() -> None:
    objectives = Objectives.parse(
        ["maximize accuracy", "minimize latency_us"],
        ["latency_us <= 100"],
        reward="unas",
        reward_options={"error_bound": 0.2},
    )
    history = History(objectives)
    history.add([Trial(0, NET, State.COMPLETE, values(0.98, 90.0))])
    history.add([Trial(1, NET, State.COMPLETE, values(0.82, 10.0))])
    before = history.rank(0)
    chosen = {history.best([0, 1], np.random.default_rng(seed)) for seed in range(30)}
    assert chosen == {0, 1}
    assert history.rank(0) == before


@given(st.integers(0, 10**6))
def test_a_better_network_is_better_under_every_draw(seed: int) -> None:
    reward = Unas({"latency_us": 100.0}, error_bound=0.1).redrawn(np.random.default_rng(seed))
    assert all(0 < weight <= 1 for weight in reward.weights)
    assert reward(values(0.95, 40.0)) >= reward(values(0.94, 41.0))
    assert reward(values(0.95, 40.0)) > reward(values(0.90, 90.0))


def test_unas_takes_its_bounds_from_the_constraints() -> None:
    found = parsed("unas", "latency_us <= 1 ms", "ram_bytes <= 8 kB", "accuracy >= 0.9")
    assert found.limits == {"latency_us": 1000.0, "ram_bytes": 8192.0}
    assert found.error_bound == pytest.approx(0.1)
    assert found.weights == ()
    assert parsed("unas", limits={"latency_us": "2 ms"}, error_bound=0.3).limits == {"latency_us": 2000.0}


# ---- ecg


def test_ecg_is_the_normalised_sum_of_its_formula() -> None:
    reward = Ecg({"latency_us": 100.0, "ram_bytes": 1000.0}, {"latency_us": -2.0}, quality_weight=3.0)
    expected = (3 * 0.9 + 2 * exp(-2 * 0.5) + 1 * exp(-1 * 0.2)) / (3 + 2 + 1)
    assert reward(values(0.9, 50.0, ram_bytes=200.0)) == pytest.approx(expected)
    assert reward(values(1.0, 0.0, ram_bytes=0.0)) == 1.0


def test_ecg_with_excess_counts_only_what_is_above_the_limit() -> None:
    reward = Ecg({"latency_us": 100.0}, penalty="excess")
    assert reward(values(0.9, 10.0)) == reward(values(0.9, 100.0)) == pytest.approx((0.9 + 1) / 2)
    assert reward(values(0.9, 150.0)) == pytest.approx((0.9 + exp(-0.5)) / 2)


@given(st.floats(0, 1), st.floats(0, 1e9), st.floats(-5, -0.01), st.floats(0.01, 9))
def test_ecg_keeps_between_0_and_1(
    accuracy: float, latency: float, weight: float, quality_weight: float
) -> None:
    reward = Ecg({"latency_us": 100.0}, {"latency_us": weight}, quality_weight)
    assert 0 <= reward(values(accuracy, latency)) <= 1 + 1e-12


# ---- two_stage


def test_two_stage_wants_accuracy_first_and_then_hardware() -> None:
    reward = TwoStage({"latency_us": 100.0, "ram_bytes": 1000.0}, floor=0.9)
    assert reward(values(0.6, 1.0, ram_bytes=1.0)) == pytest.approx(-0.4)
    assert reward(values(0.9, 50.0, ram_bytes=500.0)) == pytest.approx(0.9 + 2.0)
    assert reward(values(0.9, 200.0, ram_bytes=1000.0)) == pytest.approx(0.9 + (0.5 + 1) / 2)


@given(st.floats(0, 0.8999), st.floats(1e-3, 1e9), st.floats(0.9, 1), st.floats(1e-3, 1e9))
def test_whoever_reaches_the_floor_ranks_first(below: float, fast: float, above: float, slow: float) -> None:
    reward = TwoStage({"latency_us": 100.0}, floor=0.9)
    assert reward(values(below, fast)) < reward(values(above, slow))


def test_two_stage_takes_floor_and_limits_from_the_constraints() -> None:
    assert parsed("two_stage", "latency_us <= 100", "accuracy >= 0.9") == TwoStage({"latency_us": 100.0}, 0.9)


# ---- other qualities


def test_the_quality_is_the_first_one_among_the_objectives() -> None:
    goals = ("maximize f1_score", "maximize auc", "minimize latency_us")
    assert parsed("mnas", goals=goals) == Mnas("latency_us", 1.0, quality="f1_score")
    assert parsed("accuracy", goals=goals) == Accuracy("f1_score")
    assert parsed("accuracy", goals=goals, quality="auc") == Accuracy("auc")
    assert parsed("accuracy", goals=("minimize latency_us",)) == Accuracy("accuracy")
    found = parsed("two_stage", "f1_score >= 0.8", "latency_us <= 1 ms", goals=goals)
    assert found == TwoStage({"latency_us": 1000.0}, 0.8, "f1_score")
    wanted = Objectives.parse(goals, reward="mnas")
    assert wanted.needed_metrics == ("f1_score", "auc", "latency_us")


def test_an_error_counts_as_its_adjusted_fitness() -> None:
    goals = ("minimize mean_absolute_error", "minimize latency_us")
    reward = parsed("mnas", "latency_us <= 100", goals=goals)
    assert reward({"mean_absolute_error": 3.0, "latency_us": 100.0}) == pytest.approx(1 / 4)
    better = {"mean_absolute_error": 2.0, "latency_us": 100.0}
    assert reward(better) == pytest.approx(1 / 3)
    # An error is no cost: mnas weighs it against latency, not against itself.
    assert reward.metric == "latency_us"
    limited = parsed("unas", "mean_absolute_error <= 2", "latency_us <= 100", goals=goals)
    assert limited({"mean_absolute_error": 1.0, "latency_us": 20.0}) == pytest.approx(-0.5)
    staged = parsed("two_stage", "mean_absolute_error <= 2", "latency_us <= 100", goals=goals)
    assert staged({"mean_absolute_error": 2.5, "latency_us": 20.0}) < 0
    assert staged({"mean_absolute_error": 2.0, "latency_us": 20.0}) == pytest.approx(1 / 3 + 5)


def test_a_negative_r2_score_keeps_the_order_of_costs() -> None:
    reward = Mnas("latency_us", 100.0, quality="r2_score")
    slow, fast = ({"r2_score": -2.0, "latency_us": x} for x in (400.0, 50.0))
    assert reward(fast) > reward(slow) > 0
    assert METRICS["r2_score"].benefit(1.0) == 1.0
    assert METRICS["r2_score"].benefit(-2.0) == pytest.approx(1 / 4)


# ---- as a study file names them

GOOD: dict[str, dict[str, Any]] = {
    "mnas": {"metric": "energy_uj"},
    "accuracy": {},
    "weighted": {"weights": {"accuracy": 1.0, "energy_uj": -1e-4}},
    "monas": {"metric": "energy_uj", "reference": 100},
    "unas": {"limits": {"energy_uj": "1 mJ"}, "error_bound": 0.1},
    "ecg": {"limits": {"energy_uj": 100}, "weights": {"energy_uj": -2}, "penalty": "excess"},
    "two_stage": {"limits": {"energy_uj": 100}, "floor": 0.9},
}


@pytest.mark.parametrize("name", REWARDS)
def test_a_study_with_this_reward_is_kept_and_read_back(name: str) -> None:
    config = StudyConfig(name="x", reward={"name": name, **GOOD[name]})  # type: ignore[arg-type]
    again = StudyConfig.from_dict(config.to_dict())
    assert again == config
    assert again.make_objectives() == config.make_objectives()
    assert hash(config.make_objectives().reward) == hash(again.make_objectives().reward)


@pytest.mark.parametrize("name", [name for name in REWARDS if name != "accuracy"])
def test_a_reward_that_reads_energy_needs_a_device_that_can_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hil.board import load_board

    def without_power(name: str) -> Any:
        return dataclasses.replace(load_board(name), power=None)

    monkeypatch.setattr("search.devices.load_board", without_power)
    config = StudyConfig(
        name="x",
        device="simulated:nrf52840_dk",
        reward={"name": name, **GOOD[name]},  # type: ignore[arg-type]
    )
    assert "energy_uj" in config.make_objectives().needed_metrics
    with pytest.raises(BadConfig, match="energy_uj") as caught:
        HilEvaluator(config)
    assert "meter" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("name", "constraints", "options", "key", "words"),
    [
        ("monas", [], {}, "reference", 'the form "mixed"'),
        ("monas", [], {"form": "limit"}, "limit", 'the form "limit"'),
        ("monas", ["latency_us <= 9"], {"form": "floor"}, "floor", '"accuracy >= ..."'),
        ("monas", [], {"form": "hard"}, "form", '"mixed"'),
        ("monas", [], {"alpha": 1.5, "reference": 1}, "alpha", "<= 1"),
        ("monas", [], {"metric": "f1_score", "reference": 1}, "metric", "what a network costs"),
        ("monas", [], {"quality": "latency_us", "reference": 1}, "quality", "quality"),
        ("monas", [], {"quality": "mae", "reference": 1}, "quality", "mean_absolute_error"),
        ("unas", [], {"error_bound": 0.1}, "limits", "holds what a network costs against limits"),
        ("unas", ["latency_us <= 9"], {}, "error_bound", "accuracy >= 0.9"),
        ("unas", ["accuracy >= 1", "latency_us <= 9"], {}, "error_bound", "missing"),
        ("unas", [], {"limits": {}, "error_bound": 1}, "limits", "at least one"),
        (
            "unas",
            [],
            {"limits": {"latency_us": "20 kB"}, "error_bound": 1},
            "limits",
            "no unit of latency_us",
        ),
        ("unas", [], {"limits": {"latency_us": 0}, "error_bound": 1}, "limits", "a number > 0"),
        ("unas", [], {"limits": {"accuracy": 1}, "error_bound": 1}, "limits", "what a network costs"),
        ("unas", ["latency_us <= 9"], {"error_bound": 1, "weights": [1]}, "weights", "unknown key"),
        ("ecg", [], {"limits": {"macs": 9}, "weights": {"cycles": -1}}, "weights", "no limit to hold"),
        ("ecg", [], {"limits": {"macs": 9}, "weights": {"macs": 1}}, "weights", "a number < 0"),
        ("ecg", [], {"limits": {"macs": 9}, "quality_weight": 0}, "quality_weight", "> 0"),
        ("two_stage", ["latency_us <= 9"], {}, "floor", "from which accuracy on"),
        ("two_stage", ["accuracy >= 0.9"], {}, "limits", "missing"),
        ("accuracy", [], {"quality": "float_accuracy"}, "quality", "of the int8 network"),
    ],
)
def test_what_a_reward_lacks_is_said(
    name: str, constraints: list[str], options: dict[str, Any], key: str, words: str
) -> None:
    with pytest.raises(BadOption) as caught:
        parsed(name, *constraints, **options)
    assert caught.value.key[:2] == ("reward", key)
    assert words in f"{caught.value.message} {caught.value.remedy}"


def test_weighted_may_weigh_any_quality() -> None:
    assert Weighted({"f1_score": 2.0, "mean_absolute_error": -1.0}).metrics == (
        "f1_score",
        "mean_absolute_error",
    )


# ---- constraints


@pytest.mark.parametrize(
    ("floor", "limit"),
    [
        ("latency_us >= 5 ms", "latency_us <= 4 ms"),
        ("accuracy >= 90 %", "accuracy <= 0.8"),
        ("r2_score >= 0.5", "r2_score <= -1"),
        ("energy_uj >= 1 mJ", "energy_uj <= 999 uJ"),
        ("arena_bytes >= 10 kB", "ram_bytes <= 8 kB"),
        ("weight_bytes >= 2 MB", "flash_bytes <= 1 MB"),
    ],
)
def test_constraints_that_nothing_can_keep_together_are_refused(floor: str, limit: str) -> None:
    for order in ([floor, limit], [limit, floor]):
        with pytest.raises(BadOption, match="contradicts") as caught:
            Objectives.parse(["maximize accuracy"], order, reward="accuracy")
        assert caught.value.key == ("constraints",)
        assert caught.value.remedy
    with pytest.raises(BadOption, match="2 times"):
        Objectives.parse(["maximize accuracy"], [limit, limit], reward="accuracy")


def test_limits_of_a_part_and_of_the_whole_may_be_equal() -> None:
    wanted = Objectives.parse(
        ["maximize accuracy"], ["arena_bytes >= 8 kB", "ram_bytes <= 8 kB"], reward="accuracy"
    )
    assert wanted.violations({"arena_bytes": 8192, "ram_bytes": 8192}) == ()


def test_a_limit_below_zero_is_broken_by_how_much_it_is_missed() -> None:
    (broken,) = Objectives.parse(["maximize r2_score"], ["r2_score >= -1"], reward="accuracy").violations(
        {"r2_score": -3.0}
    )
    assert broken.excess == pytest.approx(2.0)
