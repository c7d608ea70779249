"""Random search and aging evolution: the suite, and what is peculiar to each."""

from __future__ import annotations

import numpy as np
import pytest

from search.objective import Objectives
from search.space import make_space
from search.space.base import Architecture, Space
from search.space.options import BadOption
from search.strategies import STRATEGIES, make_strategy, strategy_options
from search.strategies.aging_evolution import AgingEvolution
from search.strategies.random import RandomSearch
from search.testing.pretend import pretend_trial
from search.testing.strategy_suite import Make, StrategySuite, run
from search.trial import Proposal, State, Trial
from tests.search.strategy_cases import SpaceWithMemory, complete, too_slow


class TestRandom(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        return lambda space, objectives, seed: make_strategy("random", space, objectives, seed=seed)


class TestAgingEvolution(StrategySuite):
    @pytest.fixture(params=[{}, {"population": 6, "tournament": 2}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "aging_evolution", space, objectives, seed=seed, options=request.param
        )


@pytest.fixture
def space() -> Space:
    return make_space("chain", {}, input_shape=(8, 8, 1), classes=10)


@pytest.fixture
def objectives() -> Objectives:
    return Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 4 ms"])


def parents_of(trials: list[Trial], space: Space, objectives: Objectives, **options: int) -> set[str]:
    """All parents that 40 seeds choose after `trials`."""
    memory = SpaceWithMemory(space)
    for seed in range(40):
        strategy = AgingEvolution(memory, objectives, seed, attempts=1, **options)  # type: ignore[arg-type]
        strategy.tell(trials)
        strategy.ask(1)
    return set(memory.mutated)


def test_the_best_of_a_full_tournament_becomes_the_parent(space: Space, objectives: Objectives) -> None:
    trials = [complete(0, "conv3-8", 0.8), complete(1, "conv3-16", 0.9), complete(2, "conv3-24", 0.7)]
    assert parents_of(trials, space, objectives, population=3, tournament=3) == {"conv3-16"}


def test_a_tournament_of_one_lets_everyone_have_children(space: Space, objectives: Objectives) -> None:
    trials = [complete(0, "conv3-8", 0.8), complete(1, "conv3-16", 0.9), complete(2, "conv3-24", 0.7)]
    parents = parents_of(trials, space, objectives, population=3, tournament=1)
    assert parents == {"conv3-8", "conv3-16", "conv3-24"}


def test_the_oldest_dies_even_if_it_is_the_best(space: Space, objectives: Objectives) -> None:
    trials = [complete(0, "conv3-64", 0.99)] + [complete(n, f"conv3-8 conv3-{8 * n}", 0.5) for n in (1, 2, 3)]
    assert "conv3-64" not in parents_of(trials, space, objectives, population=3, tournament=3)
    assert parents_of(trials, space, objectives, population=4, tournament=4) == {"conv3-64"}


def test_age_is_the_number_and_not_the_time_of_telling(space: Space, objectives: Objectives) -> None:
    trials = [complete(n, f"conv3-8 conv3-{8 * n}", 0.5) for n in (1, 2, 3)] + [complete(0, "conv3-64", 0.99)]
    assert "conv3-64" not in parents_of(trials, space, objectives, population=3, tournament=3)


def test_the_feasible_beat_the_infeasible_and_the_lesser_violation_the_greater(
    space: Space, objectives: Objectives
) -> None:
    failed = pretend_trial(9, Proposal(Architecture("chain", "conv5-64")), space, objectives, fails=True)
    poor = complete(0, "conv3-8", 0.01)
    near, far = too_slow(1, "conv3-16", 4100), too_slow(2, "conv3-24", 90000)
    full = {"population": 3, "tournament": 3}
    assert parents_of([poor, near, failed], space, objectives, **full) == {"conv3-8"}
    assert parents_of([far, near, failed], space, objectives, **full) == {"conv3-16"}


def test_until_the_population_is_full_it_samples(space: Space, objectives: Objectives) -> None:
    trials = [complete(0, "conv3-8", 0.8)]
    assert parents_of(trials, space, objectives, population=2, tournament=2) == set()


@pytest.mark.parametrize("goal", ["ds3-16 ir5-32x4 conv3-64/2 conv5-24", "ir3-8x2/2 ds5-48 ds5-48"])
def test_evolution_finds_a_hidden_architecture_sooner_than_random_search(space: Space, goal: str) -> None:
    hidden, accuracy_alone = (
        Architecture("chain", goal),
        Objectives.parse(["maximize accuracy"], reward="accuracy"),
    )

    def nearest(name: str, seed: int) -> float:
        strategy, distances = make_strategy(name, space, accuracy_alone, seed=seed), []
        for number in range(150):
            architecture = strategy.ask(1)[0].architecture
            distances.append(space.distance(architecture, hidden))
            strategy.tell([complete(number, architecture.text, 1 / (1 + distances[-1]))])
        return min(distances)

    evolved = [nearest("aging_evolution", seed) for seed in range(6)]
    drawn = [nearest("random", seed) for seed in range(6)]
    assert np.mean(evolved) < 0.7 * np.mean(drawn)


def test_a_space_with_hardly_a_feasible_member_is_climbed_towards_one(space: Space) -> None:
    tight = Objectives.parse(["maximize accuracy"], ["latency_us <= 440"])
    rng = np.random.default_rng(0)
    chance = np.mean(
        [
            pretend_trial(0, Proposal(space.sample(rng)), space, tight).state is State.COMPLETE
            for _ in range(400)
        ]
    )
    done = run(AgingEvolution(space, tight, 1, population=10, tournament=4), space, tight, 120)
    late = [trial.state is State.COMPLETE for trial in done[60:]]
    assert np.mean(late) > 3 * max(chance, 0.01)


def test_an_unknown_strategy_is_answered_with_the_nearest(space: Space, objectives: Objectives) -> None:
    with pytest.raises(BadOption) as caught:
        make_strategy("ageing_evolution", space, objectives, seed=0)
    assert "did you mean 'aging_evolution'" in str(caught.value.remedy)


@pytest.mark.parametrize("make", [RandomSearch, AgingEvolution])
def test_an_unknown_option_is_answered_with_the_nearest(
    make: type, space: Space, objectives: Objectives
) -> None:
    with pytest.raises(BadOption) as caught:
        make(space, objectives, 0, attempt=3)
    assert caught.value.key == ("attempt",)
    assert "did you mean 'attempts'?" in str(caught.value.remedy)


def test_a_tournament_larger_than_the_population_is_refused() -> None:
    with pytest.raises(BadOption, match="at most the population of 3"):
        strategy_options("aging_evolution", {"population": 3, "tournament": 4})


def test_every_strategy_of_the_table_can_be_made(space: Space, objectives: Objectives) -> None:
    for name in STRATEGIES:
        assert len(make_strategy(name, space, objectives, seed=1).ask(3)) == 3


def test_a_number_told_with_another_architecture_is_refused(space: Space, objectives: Objectives) -> None:
    strategy = RandomSearch(space, objectives, 0)
    strategy.tell([complete(0, "conv3-8", 0.8)])
    with pytest.raises(Exception, match='was told as "conv3-8", now as "conv3-16"'):
        strategy.tell([complete(0, "conv3-16", 0.8)])
