"""Objectives, constraints, units, violations, ranks and rewards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.metrics import METRICS
from search.objective import Constraint, Objective, Objectives
from search.reward import REWARDS, Mnas, Weighted
from search.space.base import Architecture
from search.space.options import BadOption
from search.trial import Failure, Infeasibility, Stage, State, Trial

ARCHITECTURE = Architecture("chain", "conv3-8")


def trial(state: State = State.COMPLETE, number: int = 0, **values: float) -> Trial:
    return Trial(number, ARCHITECTURE, state, values=values)


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_every_metric_has_its_own_direction(metric: object) -> None:
    name, better = metric.name, metric.better  # type: ignore[attr-defined]
    worse = {"maximize": "minimize", "minimize": "maximize"}[better]
    assert Objective.parse(f" {better}   {name} ") == Objective(name, better)
    with pytest.raises(BadOption) as caught:
        Objective.parse(f"{worse} {name}")
    assert caught.value.remedy == f'write "{better} {name}"'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accuracy", "expected a direction and a metric"),
        ("maximise accuracy", "did you mean 'maximize'"),
        ("minimize latency", "did you mean 'latency_us'"),
        ("minimize the latency_us", "expected a direction and a metric"),
        ("", "expected a direction and a metric"),
    ],
)
def test_an_objective_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadOption) as caught:
        Objective.parse(text)
    assert words in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("latency_us <= 20000", 20000),
        ("latency_us<=20_000", 20000),
        ("latency_us <= 20 ms", 20000),
        ("latency_us <= 0.02s", 20000),
        ("latency_us <= 2e4 us", 20000),
        ("latency_us <= 20000 µs", 20000),
        ("ram_bytes <= 64 kB", 65536),
        ("ram_bytes <= 64 KiB", 65536),
        ("flash_bytes <= 1 MB", 1048576),
        ("flash_bytes <= 100 bytes", 100),
        ("energy_uj <= 1.5 mJ", 1500),
        ("energy_uj <= 1 J", 1e6),
        ("energy_uj <= 500 nJ", 0.5),
        ("macs <= 1.5 M", 1.5e6),
        ("parameters <= 20k", 20000),
        ("accuracy >= 0.95", 0.95),
        ("accuracy >= 95 %", 0.95),
    ],
)
def test_amounts_are_read_in_their_units(text: str, limit: float) -> None:
    constraint = Constraint.parse(text)
    assert constraint.limit == pytest.approx(limit, rel=1e-12)
    assert Constraint.parse(str(constraint)) == constraint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latency_us <= 64 kB", "'kB' is no unit of latency_us"),
        ("ram_bytes <= 20 ms", "'ms' is no unit of ram_bytes"),
        ("macs <= 20 MB", "'MB' is no unit of macs"),
        ("latency_us < 20", "write <= or >="),
        ("latency_us == 20", "write <= or >="),
        ("latency_us 20", "expected a metric, <= or >="),
        ("latency_us <= fast", "expected an amount of latency_us"),
        ("latency_us <= ", "expected an amount of latency_us"),
        ("latency_us <= -1", "0 or more"),
        ("latency_us <= 0", "nothing can meet"),
        ("latency_ms <= 20", "did you mean 'latency_us'"),
        ("accuracy >= 95", "for 95 % write 0.95"),
        ("accuracy >= 1.01", "0 to 1"),
    ],
)
def test_a_constraint_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadOption) as caught:
        Constraint.parse(text)
    assert words in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("objectives", "constraints", "words"),
    [
        ([], [], "expected at least one"),
        (["maximize accuracy", "maximize accuracy"], [], "'accuracy' stands there 2 times"),
        (["maximize accuracy"], ["macs <= 5", "macs <= 6"], "'macs <=' stands there 2 times"),
        (["maximize accuracy"], ["macs <= 5", "macs >= 6"], '"macs <= 5" contradicts "macs >= 6"'),
        (["maximize accuracy"], ["accuracy >= 95 %", "accuracy <= 90 %"], "contradicts"),
    ],
)
def test_wishes_that_cannot_be_met_together_are_refused(
    objectives: list[str], constraints: list[str], words: str
) -> None:
    with pytest.raises(BadOption) as caught:
        Objectives.parse(objectives, constraints, reward="accuracy")
    assert words in caught.value.message


def test_a_range_is_no_contradiction() -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["macs >= 5", "macs <= 5"], reward="accuracy")
    assert not wanted.violations({"macs": 5})


def test_violations_tell_value_limit_and_excess() -> None:
    wanted = Objectives.parse(
        ["maximize accuracy"], ["latency_us <= 20 ms", "accuracy >= 0.9", "ram_bytes <= 64 kB"]
    )
    found = wanted.violations({"latency_us": 30000, "accuracy": 0.81, "ram_bytes": 65536})
    assert [violation.constraint.metric for violation in found] == ["latency_us", "accuracy"]
    assert [violation.excess for violation in found] == pytest.approx([0.5, 0.1])
    assert str(found[0]) == "latency_us is 30,000, wanted <= 20,000 (50.0% off)"


def test_what_is_not_known_yet_breaks_nothing() -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 20 ms", "ram_bytes <= 64 kB"])
    assert wanted.violations({}) == ()
    assert len(wanted.violations({"ram_bytes": 70000})) == 1


def test_losses_are_to_shrink() -> None:
    wanted = Objectives.parse(["maximize accuracy", "minimize latency_us"])
    assert wanted.losses({"accuracy": 0.9, "latency_us": 5.0, "macs": 3}).tolist() == [-0.9, 5.0]
    with pytest.raises(SearchError, match="latency_us"):
        wanted.losses({"accuracy": 0.9})


def test_needed_metrics_are_those_of_objectives_constraints_and_reward() -> None:
    wanted = Objectives.parse(["maximize float_accuracy"], ["ram_bytes <= 64 kB", "energy_uj <= 5 mJ"])
    assert wanted.needed_metrics == ("accuracy", "float_accuracy", "ram_bytes", "energy_uj")


def test_ranks_put_feasible_before_infeasible_before_failed() -> None:
    wanted = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 100"])
    failed = Trial(0, ARCHITECTURE, State.FAILED, failure=Failure(Stage.BUILD, "BuildFailed", "x", 1))
    in_order = [
        failed,
        trial(State.INFEASIBLE, latency_us=300.0),
        trial(State.COMPLETE, latency_us=110.0, accuracy=0.99),  # complete, but breaks the limit
        trial(latency_us=100.0, accuracy=0.01),
        trial(latency_us=100.0, accuracy=0.9),
        trial(latency_us=50.0, accuracy=0.9),
    ]
    ranks = [wanted.rank(one) for one in in_order]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_what_did_not_fit_is_ranked_by_how_much_it_lacked() -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 100"])

    def too_large(needed: float) -> Trial:
        reason = Infeasibility(Stage.PLAN, "ram_bytes", needed, 1000, "does not fit")
        return Trial(0, ARCHITECTURE, State.INFEASIBLE, infeasibility=reason)

    assert wanted.rank(too_large(1100)) > wanted.rank(too_large(3000))
    assert wanted.rank(too_large(1500)) == (1, -0.5)


def test_a_violation_is_not_counted_twice() -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 100"])
    reason = Infeasibility(Stage.MEASURE, "latency_us", 150, 100, "too slow")
    once = Trial(0, ARCHITECTURE, State.INFEASIBLE, values={"latency_us": 150.0}, infeasibility=reason)
    assert wanted.rank(once) == (1, -0.5)


def test_a_complete_trial_without_accuracy_has_no_rank() -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 100"])
    with pytest.raises(SearchError, match="trial 3 has no value 'accuracy'"):
        wanted.rank(trial(number=3, latency_us=5.0))


def test_mnas_is_equation_2_of_tan_et_al() -> None:
    soft = Mnas("latency_us", 100.0)
    assert soft({"accuracy": 0.8, "latency_us": 100.0}) == pytest.approx(0.8)
    # Twice the latency is worth 5 % of accuracy.
    assert soft({"accuracy": 0.8 * 1.05, "latency_us": 200.0}) == pytest.approx(0.8, rel=2e-3)
    hard = Mnas("latency_us", 100.0, alpha=0.0, beta=-1.0)
    assert hard({"accuracy": 0.8, "latency_us": 10.0}) == pytest.approx(0.8)
    assert hard({"accuracy": 0.8, "latency_us": 400.0}) == pytest.approx(0.2)


@given(st.floats(0.01, 1), st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1.01, 10))
def test_mnas_prefers_the_accurate_and_the_fast(accuracy: float, t: float, latency: float, f: float) -> None:
    reward = Mnas("latency_us", t, alpha=-0.05, beta=-0.3)
    here = reward({"accuracy": accuracy, "latency_us": latency})
    assert reward({"accuracy": accuracy, "latency_us": latency * f}) < here
    assert reward({"accuracy": accuracy * f, "latency_us": latency}) > here


def test_mnas_takes_metric_and_target_from_the_wishes() -> None:
    from_limit = Objectives.parse(["maximize accuracy"], ["energy_uj <= 2 mJ"]).reward
    assert from_limit == Mnas("energy_uj", 2000.0)
    both = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 3 ms"]).reward
    assert both == Mnas("latency_us", 3000.0)
    said = Objectives.parse(
        ["maximize accuracy", "minimize latency_us"], reward_options={"metric": "ram_bytes", "target": 5}
    ).reward
    assert said == Mnas("ram_bytes", 5.0)


def test_without_a_limit_the_target_of_mnas_ranks_nothing() -> None:
    free = Objectives.parse(["maximize accuracy", "minimize latency_us"]).reward
    bound = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 9 ms"]).reward
    values = [{"accuracy": a, "latency_us": x} for a in (0.5, 0.8, 0.83) for x in (10.0, 900.0, 8000.0)]
    assert sorted(values, key=free) == sorted(values, key=bound)


@pytest.mark.parametrize(
    ("objectives", "name", "options", "words"),
    [
        (["maximize accuracy"], "mnas", {}, "weighs accuracy against a metric"),
        (
            ["maximize accuracy", "minimize macs"],
            "mnas",
            {"alpha": 0, "beta": -1},
            "where alpha and beta differ",
        ),
        (
            ["maximize accuracy", "minimize macs"],
            "mnas",
            {"alpha": 0.1, "target": 1},
            "got 0.1, expected a number <= 0",
        ),
        (["maximize accuracy"], "mnas", {"metric": "float_accuracy", "target": 1}, "better when smaller"),
        (["maximize accuracy"], "mnas", {"metric": "mean_absolute_error", "target": 1}, "network costs"),
        (["maximize accuracy"], "mnas", {"metric": "latency"}, "no metric is called 'latency'"),
        (["maximize accuracy"], "manas", {}, "no reward is called 'manas'"),
        (["maximize accuracy"], "accuracy", {"target": 3}, "unknown key"),
        (["maximize accuracy"], "weighted", {}, "missing"),
        (["maximize accuracy"], "weighted", {"weights": {}}, "at least one"),
        (["maximize accuracy"], "weighted", {"weights": {"macs": 1.0}}, "a negative number"),
        (["maximize accuracy"], "weighted", {"weights": {"accuracy": "much"}}, "a positive number"),
    ],
)
def test_a_reward_that_does_not_suit_is_refused(
    objectives: list[str], name: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(BadOption) as caught:
        Objectives.parse(objectives, reward=name, reward_options=options)
    assert words in caught.value.message
    assert caught.value.key[0] == "reward"


def test_weighted_is_the_sum_in_the_metrics_units() -> None:
    reward = Weighted({"accuracy": 1.0, "latency_us": -1e-4})
    assert reward({"accuracy": 0.9, "latency_us": 2000.0}) == pytest.approx(0.7)
    assert reward.metrics == ("accuracy", "latency_us")


def test_every_reward_of_the_table_says_what_it_needs() -> None:
    options = {"weighted": {"weights": {"accuracy": 1.0, "macs": -1e-9}}}
    for name in REWARDS:
        wanted = Objectives.parse(
            ["maximize accuracy", "minimize latency_us"],
            ["accuracy >= 0.4", "latency_us <= 0.8"],
            reward=name,
            reward_options=options.get(name),
        )
        assert "accuracy" in wanted.reward.metrics
        assert isinstance(wanted.reward(dict.fromkeys(wanted.reward.metrics, 0.5)), float)
        for metric in wanted.reward.metrics:
            rest = dict.fromkeys(set(wanted.reward.metrics) - {metric}, 0.5)
            with pytest.raises(KeyError):
                wanted.reward(rest)
