"""Local search, evolution and NSGA-II: the suite, and what is peculiar to each."""

from __future__ import annotations

import numpy as np
import pytest

from search import pareto
from search.objective import Objectives
from search.space import make_space
from search.space.base import Architecture, Space
from search.space.options import BadOption
from search.strategies import make_strategy, strategy_options
from search.strategies.fold import Fold
from search.strategies.history import History
from search.testing.strategy_suite import Make, StrategySuite, run
from search.trial import State, Trial
from tests.search.strategy_cases import SpaceWithMemory, by_lot, complete, study, too_slow


class TestLocalSearch(StrategySuite):
    @pytest.fixture(params=[{}, {"starts": 1, "patience": 4}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "local_search", space, objectives, seed=seed, options=request.param
        )


class TestEvolution(StrategySuite):
    @pytest.fixture(params=[{}, {"population": 6, "tournament": 2}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "evolution", space, objectives, seed=seed, options=request.param
        )


class TestNsga2(StrategySuite):
    @pytest.fixture(params=[{}, {"population": 6}], ids=["default", "small"])
    def make(self, request: pytest.FixtureRequest) -> Make:
        return lambda space, objectives, seed: make_strategy(
            "nsga2", space, objectives, seed=seed, options=request.param
        )


@pytest.fixture(scope="module")
def space() -> Space:
    return make_space("chain", {}, input_shape=(8, 8, 1), classes=10)


@pytest.fixture
def objectives() -> Objectives:
    return Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 4 ms"])


def memories(
    name: str, trials: list[Trial], space: Space, objectives: Objectives, **options: float
) -> SpaceWithMemory:
    """What becomes of whom when each of 80 seeds is asked once after `trials`."""
    memory = SpaceWithMemory(space)
    for seed in range(80):
        strategy = make_strategy(
            name,
            memory,  # type: ignore[arg-type]
            objectives,
            seed=seed,
            options=options | {"attempts": 1},
        )
        strategy.tell(trials)
        strategy.ask(1)
    return memory


# ---- the fold


def test_a_fold_is_the_same_however_late_the_answers_are(objectives: Objectives) -> None:
    def folded(order: list[int], *, ask: bool) -> tuple[str, list[int]]:
        fold = Fold[str](
            History(objectives), "", lambda state, taken: f"{state}({','.join(map(str, taken))})", every=3
        )
        for number in order:
            fold.add([complete(2 * number, f"conv3-{number}", 0.5)])
            if ask:
                fold.now()
        state, rest = fold.now()
        return state, list(rest)

    expected = folded(list(range(20)), ask=False)
    assert expected[0].startswith("(0,2,4)(6,8,10)")
    assert expected[1] == [36, 38]
    for seed in range(5):
        order = [int(number) for number in np.random.default_rng(seed).permutation(20)]
        assert folded(order, ask=True) == expected


def test_a_fold_steps_once_over_each_trial(objectives: Objectives) -> None:
    steps: list[int] = []

    def step(state: int, taken: list[int]) -> int:
        steps.extend(taken)
        return state + 1

    fold = Fold[int](History(objectives), 0, step, every=1)  # type: ignore[arg-type]
    for number in range(50):
        fold.add([Trial(number, Architecture("chain", "conv3-8"))])  # under way: takes nothing back
        fold.add([complete(number, "conv3-8", 0.5)])
        fold.now()
    assert steps == list(range(50))


# ---- local search

STARTS = [complete(0, "conv3-8", 0.8), complete(1, "conv3-16", 0.9), complete(2, "conv3-24", 0.7)]


def test_a_climb_begins_at_the_best_of_its_starts(space: Space, objectives: Objectives) -> None:
    assert memories("local_search", STARTS[:2], space, objectives, starts=3).mutated == []
    found = memories("local_search", STARTS, space, objectives, starts=3).mutated
    assert set(found) == {"conv3-16"}


def test_it_moves_to_a_better_neighbour_and_stays_where_none_is(space: Space, objectives: Objectives) -> None:
    better = complete(3, "conv3-32", 0.95)
    equal = complete(4, "conv3-48", 0.95)
    found = memories("local_search", [*STARTS, better, equal], space, objectives, starts=3).mutated
    assert set(found) == {"conv3-32"}


def test_a_climb_in_vain_is_followed_by_another_from_a_new_start(
    space: Space, objectives: Objectives
) -> None:
    vain = [complete(3 + n, f"conv5-{8 * (n + 1)}", 0.5) for n in range(4)]
    options = {"starts": 1, "patience": 6}
    still = memories("local_search", [*STARTS, *vain], space, objectives, **options)
    assert set(still.mutated) == {"conv3-16"}  # five in vain: conv3-24 and four
    ended = memories(
        "local_search", [*STARTS, *vain, complete(7, "ds3-8", 0.6)], space, objectives, **options
    )
    assert ended.mutated == []
    anew = [*STARTS, *vain, complete(7, "ds3-8", 0.6), complete(8, "ds3-16", 0.1)]
    assert set(memories("local_search", anew, space, objectives, **options).mutated) == {"ds3-16"}


def test_it_climbs_out_of_what_does_not_fit(space: Space, objectives: Objectives) -> None:
    trials = [too_slow(0, "conv5-64", 9000), too_slow(1, "conv5-48", 6000), too_slow(2, "conv5-32", 7000)]
    assert set(memories("local_search", trials, space, objectives, starts=1).mutated) == {"conv5-48"}


def test_a_neighbourhood_that_is_used_up_is_left() -> None:
    few = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16, 24], "pools": []}
    small = make_space("chain", few | {"max_depth": 2}, input_shape=(8, 8, 1), classes=10)
    one = Objectives.parse(["maximize accuracy"], reward="accuracy")
    done = study("local_search", small, one, 0, options={"starts": 1, "patience": 1000})
    assert len(done) == 12  # all of 3 + 9


# ---- evolution


def test_the_best_stays_a_parent_however_old_it_is(space: Space, objectives: Objectives) -> None:
    trials = [complete(0, "conv3-64", 0.99)]
    trials += [complete(n, f"conv3-8 conv3-{8 * (n % 8 + 1)}", 0.5 + n / 1000) for n in range(1, 40)]
    found = memories("evolution", trials, space, objectives, population=4, tournament=3, crossover=0.0)
    # Winners of three among the best four: the best or the second.
    assert set(found.mutated) == {"conv3-64", trials[39].architecture.text}


def test_children_of_crossover_have_two_different_parents(space: Space, objectives: Objectives) -> None:
    found = memories("evolution", STARTS, space, objectives, population=3, tournament=2, crossover=1.0)
    assert found.mutated == []
    assert len(found.crossed) == 80
    assert all(a != b for a, b in found.crossed)
    assert {"conv3-16", "conv3-8"} <= {text for pair in found.crossed for text in pair}


def test_until_there_are_as_many_as_parents_it_samples(space: Space, objectives: Objectives) -> None:
    found = memories("evolution", STARTS, space, objectives, population=4, tournament=2)
    assert found.mutated == []
    assert found.crossed == []


def test_a_tournament_that_leaves_no_other_parent_is_refused() -> None:
    with pytest.raises(BadOption, match="less than the population of 3"):
        strategy_options("evolution", {"population": 3, "tournament": 3})


# ---- NSGA-II

ONE_PARENT = {"crossover": 0.0, "mutation": 1.0}


def test_the_less_crowded_of_a_front_live_on(space: Space, objectives: Objectives) -> None:
    front = [
        complete(0, "conv3-8", 0.50, 1000),  # the fastest
        complete(1, "conv3-16", 0.51, 1010),
        complete(2, "conv3-24", 0.52, 1020),
        complete(3, "conv3-32", 0.70, 2000),  # alone
        complete(4, "conv3-48", 0.90, 3000),  # the most accurate
    ]
    found = memories("nsga2", front, space, objectives, population=3, **ONE_PARENT)
    assert set(found.mutated) == {"conv3-8", "conv3-32", "conv3-48"}


def test_a_dominated_trial_dies_before_one_of_the_front(space: Space, objectives: Objectives) -> None:
    front = [complete(0, "conv3-8", 0.5, 1000), complete(1, "conv3-48", 0.9, 3000)]
    dominated = [complete(2 + n, f"conv5-{8 * (n + 1)}", 0.4 - n / 100, 1200) for n in range(7)]
    found = memories("nsga2", [*front, *dominated], space, objectives, population=2, **ONE_PARENT)
    assert set(found.mutated) == {"conv3-8", "conv3-48"}


def test_a_lesser_violation_dominates_a_greater_one(space: Space, objectives: Objectives) -> None:
    slow = [too_slow(n, f"conv5-{width}", 9000 - 500 * n) for n, width in enumerate((8, 16, 24, 32, 48, 64))]
    found = memories("nsga2", slow, space, objectives, population=2, **ONE_PARENT)
    assert set(found.mutated) == {"conv5-48", "conv5-64"}
    poor = complete(6, "conv3-8", 0.01, 3999)
    found = memories("nsga2", [*slow, poor], space, objectives, population=2, **ONE_PARENT)
    assert set(found.mutated) == {"conv3-8", "conv5-64"}


def test_parents_are_crossed_and_mutated_by_chance(space: Space, objectives: Objectives) -> None:
    found = memories("nsga2", STARTS, space, objectives, population=3, crossover=0.5, mutation=0.5)
    assert 20 < len(found.crossed) < 60
    assert 20 < len(found.mutated) < 60


# ---- all of them


@pytest.mark.parametrize("name", ["local_search", "evolution", "nsga2"])
def test_a_resumed_search_with_a_reward_by_lot_goes_on_as_before(name: str) -> None:
    small = make_space("chain", {"max_depth": 4}, input_shape=(8, 8, 1), classes=10)
    wanted = by_lot(Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 8 ms"]))
    whole = run(make_strategy(name, small, wanted, seed=2), small, wanted, 60)
    resumed = make_strategy(name, small, wanted, seed=2)
    for trial in reversed(whole[:33]):
        resumed.tell([trial])
        resumed.ask(1)
    resumed.asked = 33
    assert run(resumed, small, wanted, 27) == whole[33:]


@pytest.mark.parametrize("name", ["local_search", "evolution"])
def test_a_hidden_architecture_is_found_sooner_than_by_random_search(name: str, space: Space) -> None:
    hidden = Architecture("chain", "ds3-16 ir5-32x4 conv3-64/2 conv5-24")
    alone = Objectives.parse(["maximize accuracy"], reward="accuracy")

    def nearest(name: str, seed: int) -> float:
        strategy, distances = make_strategy(name, space, alone, seed=seed), []
        for number in range(150):
            architecture = strategy.ask(1)[0].architecture
            distances.append(space.distance(architecture, hidden))
            strategy.tell([complete(number, architecture.text, 1 / (1 + distances[-1]))])
        return min(distances)

    found = [nearest(name, seed) for seed in range(6)]
    drawn = [nearest("random", seed) for seed in range(6)]
    assert np.mean(found) < 0.7 * np.mean(drawn)


def test_nsga2_covers_more_than_random_search(space: Space, objectives: Objectives) -> None:
    def covered(name: str, seed: int) -> float:
        front = pareto.front(study(name, space, objectives, seed, trials=120), objectives)
        points = [[-trial.values["accuracy"], trial.values["latency_us"] / 4000] for trial in front]
        return pareto.hypervolume(points, (-0.5, 1.0))

    wins = [covered("nsga2", seed) > covered("random", seed) for seed in range(6)]
    assert sum(wins) >= 5


def test_evolution_finds_better_networks_than_random_search(space: Space) -> None:
    wanted = Objectives.parse(["maximize accuracy"], ["latency_us <= 3 ms"], reward="accuracy")

    def best(name: str, seed: int) -> float:
        found = pareto.best(study(name, space, wanted, seed, trials=120), wanted)
        assert found is not None
        assert found.state is State.COMPLETE
        return found.values["accuracy"]

    wins = [best("evolution", seed) > best("random", seed) for seed in range(6)]
    assert sum(wins) >= 5
