"""Successive halving, Hyperband and ASHA: the suite, and what is peculiar to each."""

from __future__ import annotations

import numpy as np
import pytest

from search import pareto
from search.dialogue import Dialogue
from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.strategies import make_strategy
from search.strategies.base import Strategy
from search.strategies.hyperband import HyperbandOptions, brackets
from search.strategies.rungs import RungOptions
from search.testing.pretend import pretend_trial
from search.testing.strategy_suite import Make, StrategySuite, run
from search.trial import Proposal, State, Trial
from tests.search.strategy_cases import by_lot, complete, study, too_slow


class TestSuccessiveHalving(StrategySuite):
    @pytest.fixture(params=[{}, {"eta": 2, "bracket": 5}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "successive_halving", space, objectives, seed=seed, options=request.param
        )


class TestHyperband(StrategySuite):
    @pytest.fixture(params=[{}, {"eta": 2, "min_fidelity": 0.25}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "hyperband", space, objectives, seed=seed, options=request.param
        )


class TestAsha(StrategySuite):
    @pytest.fixture(params=[{}, {"eta": 2, "min_fidelity": 0.25}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "asha", space, objectives, seed=seed, options=request.param
        )


@pytest.fixture(scope="module")
def space() -> Space:
    return make_space("chain", {}, input_shape=(8, 8, 1), classes=10)


@pytest.fixture
def free() -> Objectives:
    return Objectives.parse(["maximize accuracy"], reward="accuracy")


@pytest.fixture
def bounded() -> Objectives:
    return Objectives.parse(["maximize accuracy"], ["latency_us <= 4 ms"], reward="accuracy")


def finish(strategy: Strategy, proposals: list[Proposal], accuracies: list[float], start: int = 0) -> None:
    """Tell outcomes of these proposals; a negative accuracy stands for one that does not fit."""
    for number, (proposal, accuracy) in enumerate(zip(proposals, accuracies, strict=True), start=start):
        text, fidelity = proposal.architecture.text, proposal.fidelity
        if accuracy < 0:
            strategy.tell([too_slow(number, text, 9000.0, fidelity=fidelity)])
        else:
            strategy.tell([complete(number, text, accuracy, fidelity=fidelity)])


def under_way(strategy: Strategy, proposals: list[Proposal], start: int) -> None:
    strategy.tell([Trial(start + n, p.architecture, fidelity=p.fidelity) for n, p in enumerate(proposals)])


# ---- what the rungs are


@pytest.mark.parametrize(
    ("eta", "least", "expected"),
    [
        (3, 0.1, (1 / 9, 1 / 3, 1.0)),
        (3, 1 / 9, (1 / 9, 1 / 3, 1.0)),
        (3, 1 / 81, (1 / 81, 1 / 27, 1 / 9, 1 / 3, 1.0)),
        (2, 0.3, (0.5, 1.0)),
        (4, 1.0, (1.0,)),
    ],
)
def test_fidelities_are_powers_of_eta(eta: int, least: float, expected: tuple[float, ...]) -> None:
    assert RungOptions(eta=eta, min_fidelity=least).fidelities == expected


# Li et al. 2018, Algorithm 1 with R = 81 and eta = 3: n_i of each rung, for s = 4 down to 0.
PAPER = [[81, 27, 9, 3, 1], [34, 11, 3, 1], [15, 5, 1], [8, 2], [5]]


def test_brackets_are_those_of_the_paper() -> None:
    planned = brackets(HyperbandOptions(eta=3, min_fidelity=1 / 81))
    assert [bracket.size for bracket in planned] == [rungs[0] for rungs in PAPER]
    assert [len(bracket.fidelities) for bracket in planned] == [len(rungs) for rungs in PAPER]
    assert all(bracket.fidelities[-1] == 1 for bracket in planned)
    assert planned[0].fidelities[0] == 1 / 81


def test_hyperband_fills_the_rungs_of_the_paper(space: Space, free: Objectives) -> None:
    total = sum(sum(rungs) for rungs in PAPER)
    done = study("hyperband", space, free, 0, trials=total + 82, options={"min_fidelity": 1 / 81})
    expected = [
        3.0 ** (place - len(rungs) + 1)
        for rungs in PAPER
        for place, members in enumerate(rungs)
        for _ in range(members)
    ]
    assert [trial.fidelity for trial in done[:total]] == pytest.approx(expected)
    assert [trial.fidelity for trial in done[total:]] == pytest.approx([1 / 81] * 81 + [1 / 27])


# ---- successive halving


def test_the_best_third_is_promoted_until_one_is_left(space: Space, free: Objectives) -> None:
    done = study("successive_halving", space, free, 1, trials=13)
    first, second, third = done[:9], done[9:12], done[12:]
    for below, above in ((first, second), (second, third)):
        best = sorted(below, key=lambda trial: -trial.values["accuracy"])[: len(below) // 3]
        assert [trial.architecture for trial in above] == [trial.architecture for trial in best]
    assert [trial.fidelity for trial in done] == [1 / 9] * 9 + [1 / 3] * 3 + [1.0]


def test_a_rung_waits_for_the_last_of_the_one_below(space: Space, free: Objectives) -> None:
    strategy = make_strategy("successive_halving", space, free, seed=0)
    first = strategy.ask(20)
    assert len(first) == strategy.asked == 9
    under_way(strategy, first, 0)
    finish(strategy, first[:8], [n / 10 for n in range(8)])
    assert strategy.ask(5) == []
    assert strategy.asked == 9
    finish(strategy, first[8:], [0.05], start=8)
    assert strategy.ask(5) == [Proposal(first[n].architecture, 1 / 3) for n in (7, 6, 5)]


@pytest.mark.parametrize("name", ["successive_halving", "hyperband"])
def test_what_does_not_fit_is_never_promoted_and_counts_for_nothing(
    name: str, space: Space, bounded: Objectives
) -> None:
    strategy = make_strategy(name, space, bounded, seed=0)
    first = strategy.ask(9)
    finish(strategy, first, [-1, 0.1, -1, 0.2, -1, 0.3, 0.4, 0.5, 0.6])
    # Six were trained, so the best two train on.
    assert [proposal.architecture for proposal in strategy.ask(9)] == [
        first[8].architecture,
        first[7].architecture,
    ]


def test_of_few_that_fit_one_is_promoted(space: Space, bounded: Objectives) -> None:
    strategy = make_strategy("successive_halving", space, bounded, seed=0)
    first = strategy.ask(9)
    finish(strategy, first, [-1] * 8 + [0.1])
    assert strategy.ask(9) == [Proposal(first[8].architecture, 1 / 3)]


def test_a_bracket_without_a_survivor_is_followed_by_the_next(space: Space, bounded: Objectives) -> None:
    strategy = make_strategy("successive_halving", space, bounded, seed=0)
    first = strategy.ask(9)
    finish(strategy, first, [-1] * 9)
    second = strategy.ask(20)
    assert {proposal.fidelity for proposal in second} == {1 / 9}
    assert len({*first, *second}) == 18


def test_failed_trials_are_not_promoted(space: Space, free: Objectives) -> None:
    strategy = make_strategy("successive_halving", space, free, seed=0)
    first = strategy.ask(9)
    finish(strategy, first[:6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    strategy.tell([pretend_trial(n, first[n], space, free, fails=True) for n in (6, 7, 8)])
    assert [p.architecture for p in strategy.ask(9)] == [first[5].architecture, first[4].architecture]


def test_an_outcome_is_found_by_what_was_tried_whatever_its_number(space: Space, free: Objectives) -> None:
    plain, other = (make_strategy("successive_halving", space, free, seed=0) for _ in range(2))
    first = plain.ask(9)
    other.ask(9)
    accuracies = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.5, 0.6]
    finish(plain, first, accuracies)
    finish(other, first[::-1], accuracies[::-1], start=100)
    assert other.ask(3) == plain.ask(3)


def test_an_earlier_trial_of_the_same_takes_the_place_of_a_later_one(space: Space, free: Objectives) -> None:
    strategy = make_strategy("successive_halving", space, free, seed=0)
    first = strategy.ask(9)
    finish(strategy, first, [n / 10 for n in range(9)], start=20)
    assert strategy.ask(1)[0].architecture == first[8].architecture
    finish(strategy, first[:1], [0.99], start=5)
    strategy.asked = 9
    assert strategy.ask(1)[0].architecture == first[0].architecture


# ---- ASHA


def test_the_best_of_every_eta_is_promoted_and_no_more(space: Space, free: Objectives) -> None:
    strategy = make_strategy("asha", space, free, seed=0, options={"eta": 4, "min_fidelity": 0.25})
    first = [strategy.ask(1)[0] for _ in range(8)]
    assert {proposal.fidelity for proposal in first} == {0.25}
    finish(strategy, first, [0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7])
    for number, expected in ((8, first[3]), (9, first[7])):
        (promoted,) = strategy.ask(1)
        assert promoted == Proposal(expected.architecture, 1.0)
        under_way(strategy, [promoted], number)
    (new,) = strategy.ask(1)
    assert new.fidelity == 0.25
    assert new not in first


def test_fewer_than_eta_promote_nobody(space: Space, free: Objectives) -> None:
    strategy = make_strategy("asha", space, free, seed=0)
    first = [strategy.ask(1)[0] for _ in range(2)]
    finish(strategy, first, [0.1, 0.2])
    assert strategy.ask(1)[0].fidelity == 1 / 9


def test_a_promotion_to_the_top_goes_before_one_below(space: Space, free: Objectives) -> None:
    strategy = make_strategy("asha", space, free, seed=0)
    first = [strategy.ask(1)[0] for _ in range(12)]
    finish(strategy, first, [n / 20 for n in range(12)])
    second = [Proposal(first[n].architecture, 1 / 3) for n in (11, 10, 9)]
    finish(strategy, second, [0.5, 0.7, 0.6], start=12)
    (top,) = strategy.ask(1)
    assert top == Proposal(first[10].architecture, 1.0)
    under_way(strategy, [top], 15)
    assert strategy.ask(1) == [Proposal(first[8].architecture, 1 / 3)]


def test_asha_promotes_nothing_that_does_not_fit(space: Space, bounded: Objectives) -> None:
    strategy = make_strategy("asha", space, bounded, seed=0)
    first = [strategy.ask(1)[0] for _ in range(6)]
    finish(strategy, first, [-1, -1, -1, -1, 0.1, 0.2])
    assert strategy.ask(1)[0].fidelity == 1 / 9  # only two were trained
    finish(strategy, strategy.ask(1), [0.05], start=6)
    assert strategy.ask(1) == [Proposal(first[5].architecture, 1 / 3)]


def test_asha_never_waits(space: Space, free: Objectives) -> None:
    strategy = make_strategy("asha", space, free, seed=0)
    waiting: list[tuple[int, Proposal]] = []
    rng = np.random.default_rng(0)
    seen = set()
    for number in range(120):
        (proposal,) = strategy.ask(1)
        seen.add(proposal)
        under_way(strategy, [proposal], number)
        waiting.append((number, proposal))
        if len(waiting) == 8:
            ended, done = waiting.pop(int(rng.integers(8)))
            strategy.tell([pretend_trial(ended, done, space, free)])
    assert len(seen) == 120
    counts = [sum(p.fidelity == share for p in seen) for share in (1 / 9, 1 / 3, 1)]
    assert counts[1] == pytest.approx(counts[0] / 3, rel=0.3)
    assert counts[2] >= 5


def test_with_a_reward_by_lot_asha_promotes_no_more_than_the_share(space: Space) -> None:
    wanted = by_lot(Objectives.parse(["maximize accuracy", "minimize latency_us"]))
    done = study("asha", space, wanted, 0, trials=150)
    counts = [sum(trial.fidelity == share for trial in done) for share in (1 / 9, 1 / 3, 1)]
    assert counts[1] <= counts[0] // 3
    assert counts[2] <= counts[1] // 3
    assert counts[1] >= 0.9 * (counts[0] // 3)


# ---- all of them

NAMES = ["successive_halving", "hyperband", "asha"]


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_search_with_a_reward_by_lot_goes_on_as_before(name: str, space: Space) -> None:
    wanted = by_lot(Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 8 ms"]))
    whole = run(make_strategy(name, space, wanted, seed=2), space, wanted, 60)
    resumed = make_strategy(name, space, wanted, seed=2)
    for trial in reversed(whole[:33]):
        resumed.tell([trial])
        resumed.ask(1)
    resumed.asked = 33
    assert run(resumed, space, wanted, 27) == whole[33:]


@pytest.mark.parametrize("name", NAMES)
def test_a_small_space_is_tried_at_all_fidelities_that_it_earns_and_then_ends(
    name: str, free: Objectives
) -> None:
    few = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16, 24], "pools": []}
    small = make_space("chain", few | {"max_depth": 2}, input_shape=(8, 8, 1), classes=10)  # 12 members
    done = study(name, small, free, 0, trials=1000)
    assert len({trial.proposal for trial in done}) == len(done) < 36
    assert any(trial.fidelity == 1 for trial in done)
    assert len({trial.architecture for trial in done}) >= 9


@pytest.mark.parametrize("name", NAMES)
def test_for_the_same_epochs_it_finds_better_networks_than_random_search(name: str, space: Space) -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 3 ms"], reward="accuracy")

    def best(name: str, seed: int) -> float:
        whole = [trial for trial in study(name, space, wanted, seed, epochs=20) if trial.fidelity == 1]
        found = pareto.best(whole, wanted)
        return found.values["accuracy"] if found is not None and found.state is State.COMPLETE else 0.0

    found = [best(name, seed) for seed in range(8)]
    drawn = [best("random", seed) for seed in range(8)]
    assert np.mean(found) > np.mean(drawn) + 0.005


@pytest.mark.parametrize("ahead", [None, 4])
@pytest.mark.parametrize("name", NAMES)
def test_with_several_trials_under_way_no_rung_is_left_waiting(
    name: str, ahead: int | None, space: Space, bounded: Objectives
) -> None:
    dialogue = Dialogue(make_strategy(name, space, bounded, seed=3), [], asked=0, ahead=ahead)
    open_trials: list[Trial] = []
    done: list[Trial] = []
    rng = np.random.default_rng(0)
    begun = 0
    while len(done) < 60:
        proposal = dialogue.ask() if len(open_trials) < 4 else None
        if proposal is not None:
            open_trials.append(Trial(begun, proposal.architecture, fidelity=proposal.fidelity))
            begun += 1
            dialogue.began(open_trials[-1])
            continue
        ended = open_trials.pop(int(rng.integers(len(open_trials))))  # fails where it waits for nothing
        done.append(pretend_trial(ended.number, ended.proposal, space, bounded))
        dialogue.ended(done[-1])
    assert len({trial.proposal for trial in done}) == 60
    assert sum(trial.fidelity == 1 for trial in done) >= 2
