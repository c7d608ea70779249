"""Strategies that learn a model of the trials: the suite, the algebra, and what each makes of it."""

from __future__ import annotations

from math import exp, pi, sqrt

import numpy as np
import pytest

from search.objective import Objectives
from search.pareto import hypervolume
from search.space import make_space
from search.space.base import Architecture, Space
from search.strategies import make_strategy
from search.strategies.models.candidates import Candidates, estimated_size, every_architecture
from search.strategies.models.describe import Describer
from search.strategies.models.gaussian import Fitter, Posterior, Prior, Term, Theta, fit, kernel, rungs
from search.strategies.models.improvement import reached, uncovered
from search.strategies.models.records import feasible, limits, read
from search.testing.pretend import pretend_trial
from search.testing.strategy_suite import Make, StrategySuite, run
from search.trial import Infeasibility, Proposal, Stage, State, Trial

FEW = {
    "surrogate": {"candidates": 32, "sample": 32, "offspring": 6, "points": 256},
    "bayesian": {"candidates": 32, "offspring": 4, "data": 24},
    "progressive": {"candidates": 24, "children": 8, "data": 24},
}
MODELS = sorted(FEW)
SMALL = {"max_depth": 3, "blocks": ["conv", "ds"], "kernels": [3], "filters": [8, 16, 32], "pools": []}


def maker(name: str) -> Make:
    return lambda space, objectives, seed: make_strategy(
        name, space, objectives, seed=seed, options=FEW[name]
    )


class TestSurrogate(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        return maker("surrogate")


class TestBayesian(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        return maker("bayesian")


class TestProgressive(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        return maker("progressive")


@pytest.fixture
def space() -> Space:
    return make_space("chain", SMALL, input_shape=(8, 8, 1), classes=10)


# Gaussian processes

LINE = np.array([0.0, 1.0, 3.0])
APART = np.abs(LINE[:, None] - LINE[None, :])


def test_the_posterior_of_three_observations_is_what_the_formula_gives() -> None:
    theta, terms = Theta((2.0,), (1.5,), 0.1), (Term("exponential", Prior(1, 1), Prior(1, 1)),)
    values = np.array([1.0, 3.0, 2.0])
    posterior = Posterior(terms, theta, [APART], values)
    mean, deviation = posterior.marginals([np.abs(LINE - 2.0)[None, :]], np.array([3.0]))
    # Rasmussen and Williams, equations 2.25 and 2.26, with the inverse written out.
    gram = np.array([[1 + 2 * exp(-abs(a - b) / 1.5) for b in LINE] for a in LINE]) + 0.1 * np.eye(3)
    between = np.array([1 + 2 * exp(-abs(2.0 - a) / 1.5) for a in LINE])
    centre, scale = 2.0, sqrt(2 / 3)
    wanted = centre + scale * between @ np.linalg.inv(gram) @ ((values - centre) / scale)
    variance = 3.0 - between @ np.linalg.inv(gram) @ between + 0.1
    assert mean == pytest.approx([wanted], abs=1e-4)
    assert deviation == pytest.approx([scale * sqrt(variance)], abs=1e-4)


def test_kernels_agree_with_scikit_learn() -> None:
    from sklearn.gaussian_process.kernels import DotProduct, Matern

    rows = np.random.default_rng(0).normal(size=(6, 3))
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    terms = (
        Term("linear", Prior(1, 1)),
        Term("matern", Prior(1, 1), Prior(1, 1)),
        Term("exponential", Prior(1, 1), Prior(1, 1)),
    )
    ours = kernel(terms, Theta((0.5, 2.0, 3.0), (1.0, 0.8, 1.7), 0.1), [rows @ rows.T, apart, apart])
    theirs = (
        1.0 + 0.5 * DotProduct(0.0)(rows) + 2.0 * Matern(0.8, nu=2.5)(rows) + 3.0 * Matern(1.7, nu=0.5)(rows)
    )
    assert np.allclose(ours, theirs)


def test_fitting_finds_a_short_length_in_rough_data_and_a_long_one_in_smooth_data() -> None:
    terms, line = (Term("matern", Prior(1, 2), Prior(1, 2)),), np.linspace(0, 10, 30)
    apart = np.abs(line[:, None] - line[None, :])

    def length(values: np.ndarray) -> float:
        return fit(terms, Prior(0.01, 1), [apart], (values - values.mean()) / values.std()).lengths[0]

    assert length(np.sin(0.3 * line)) > 3 * length(np.sin(4 * line))


def test_noise_is_told_from_signal() -> None:
    rng, line = np.random.default_rng(1), np.linspace(0, 10, 60)
    terms, apart = (Term("matern", Prior(1, 1), Prior(2, 1)),), np.abs(line[:, None] - line[None, :])
    clean = fit(terms, Prior(0.1, 2), [apart], np.sin(line) * sqrt(2)).noise
    noisy = fit(terms, Prior(0.1, 2), [apart], np.sin(line) + rng.normal(size=60)).noise
    assert clean < 0.01 < 0.2 < noisy


def test_a_distance_that_makes_no_kernel_is_mended() -> None:
    apart = np.array([[0.0, 1, 1, 2], [1, 0, 2, 1], [1, 2, 0, 1], [2, 1, 1, 0]]) ** 4
    terms, theta = (Term("linear", Prior(1, 1)),), Theta((1.0,), (1.0,), 1e-9)
    assert np.linalg.eigvalsh(kernel(terms, theta, [apart]))[0] < -1
    drawn = Posterior(terms, theta, [apart], np.arange(4.0)).marginals([apart], np.ones(4))
    assert np.isfinite(drawn).all()


def test_parameters_stay_until_there_is_a_quarter_more_to_learn_from() -> None:
    assert [rungs(count) for count in (0, 1, 7, 9, 11, 150)] == [0, 1, 7, 8, 10, 121]
    fitter = Fitter((Term("exponential", Prior(1, 1), Prior(1, 1)),), Prior(0.1, 1))
    line = np.random.default_rng(0).random(30)
    apart = np.abs(line[:, None] - line[None, :])

    def theta(count: int) -> Theta:
        block = apart[:count, :count]
        return fitter("x", line[:count].tolist(), [block], np.sin(9 * line[:count]))

    assert theta(15) == theta(17) != theta(18)


# Expected improvement


def test_the_uncovered_points_weigh_as_much_as_the_volume_that_is_left() -> None:
    front = np.array([[0.2, 0.7, 0.5], [0.6, 0.3, 0.1], [0.9, 0.05, 0.9]])
    _, weights = uncovered(front, 60_000, np.random.default_rng(0))
    assert weights.sum() == pytest.approx(1 - hypervolume(front, np.ones(3)), rel=0.03)


def test_expected_improvement_of_one_objective_is_the_closed_form() -> None:
    front, mean, deviation = np.array([[0.4]]), 0.45, 0.1
    points, weights = uncovered(front, 40_000, np.random.default_rng(0))
    ours = float((reached(points, np.array([[mean]]), np.array([[deviation]])) @ weights)[0])
    z = (0.4 - mean) / deviation
    below = 0.5 * (1 + float(np.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))))
    wanted = (0.4 - mean) * below + deviation * exp(-z * z / 2) / sqrt(2 * pi)
    assert ours == pytest.approx(wanted, rel=0.02)


def test_a_certain_candidate_improves_by_the_volume_that_it_adds() -> None:
    front, new = np.array([[0.2, 0.7], [0.6, 0.3]]), np.array([[0.4, 0.4]])
    points, weights = uncovered(front, 40_000, np.random.default_rng(0))
    ours = float((reached(points, new, np.full((1, 2), 1e-6)) @ weights)[0])
    wanted = hypervolume(np.vstack([front, new]), np.ones(2)) - hypervolume(front, np.ones(2))
    assert ours == pytest.approx(wanted, rel=0.05)


# What was told


def test_a_metric_is_learnt_from_trials_that_broke_another_limit() -> None:
    objectives = Objectives.parse(["maximize accuracy"], ["ram_bytes <= 8 kB", "latency_us <= 4 ms"])
    a = Architecture("chain", "conv3-8")
    refused = Infeasibility(Stage.ANALYTIC, "ram_bytes", 9000.0, 8192.0, "too large")
    trials = [
        Trial(0, a, State.COMPLETE, values={"accuracy": 0.9, "ram_bytes": 5000.0, "latency_us": 900.0}),
        Trial(1, a, State.INFEASIBLE, values={"latency_us": 5000.0, "ram_bytes": 7000.0}),
        Trial(2, a, State.INFEASIBLE, infeasibility=refused),
        Trial(3, a, State.FAILED),
    ]
    records = read(trials, objectives)
    assert {metric: record.trials for metric, record in records.items()} == {
        "accuracy": (0,),
        "ram_bytes": (0, 1, 2),
        "latency_us": (0, 1),
    }
    assert np.exp(limits(objectives, records)["ram_bytes"]) == pytest.approx(8192)
    assert feasible(trials, objectives) == trials[:1]


def test_a_small_space_is_listed_whole_and_its_size_is_estimated(space: Space) -> None:
    every = every_architecture(space, 5000)
    assert every is not None
    assert len(set(every)) == len(every)
    assert all(space.contains(architecture) for architecture in every)
    assert estimated_size(space, np.random.default_rng(0)) == pytest.approx(len(every), rel=0.5)
    assert every_architecture(space, len(every) - 1) is None


def test_a_large_space_is_sampled_and_the_front_has_offspring() -> None:
    large = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    candidates = Candidates(large, 0, 20)
    assert len(candidates.standing) == 20
    parent = Architecture("chain", "conv3-8 ds3-16")
    children = candidates.offspring([parent], 10, np.random.default_rng(0))
    assert len(children) == 10
    assert np.mean([large.distance(parent, child) for child in children]) < 2


def test_latency_is_predicted_from_a_handful_of_trials(space: Space) -> None:
    from search.strategies.models.predictions import Models

    objectives = Objectives.parse(["minimize latency_us"])
    every = every_architecture(space, 5000) or []
    rng = np.random.default_rng(2)
    drawn = [every[at] for at in rng.choice(len(every), 212, replace=False)]
    trials = [pretend_trial(n, Proposal(a), space, objectives) for n, a in enumerate(drawn)]
    records = read(trials[:12], objectives)
    means, _ = Models(Describer(space, every)).predict(trials[:12], records, drawn[12:])["latency_us"]
    true = np.log([trial.values["latency_us"] for trial in trials[12:]])
    assert np.sqrt(np.mean((means - true) ** 2)) < 0.35 * np.std(true)


# Strategies


def share_of_hypervolume(name: str, space: Space, objectives: Objectives, seed: int, budget: int) -> float:
    done = run(
        make_strategy(name, space, objectives, seed=seed, options=FEW.get(name, {})),
        space,
        objectives,
        budget,
    )
    points = [objectives.losses(trial.values) / [1.0, 8000.0] for trial in feasible(done, objectives)]
    return hypervolume(np.array(points).reshape(-1, 2), np.array([0.0, 1.0]))


@pytest.mark.parametrize("name", MODELS)
def test_it_covers_more_than_random_search(name: str, space: Space) -> None:
    objectives = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 8 ms"])
    seeds = range(4)
    ours = [share_of_hypervolume(name, space, objectives, seed, 24) for seed in seeds]
    drawn = [share_of_hypervolume("random", space, objectives, seed, 24) for seed in seeds]
    assert np.mean(ours) > np.mean(drawn)


@pytest.mark.parametrize("name", MODELS)
def test_it_learns_what_does_not_fit(name: str, space: Space) -> None:
    tight = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 700"])
    late = [run(maker(name)(space, tight, seed), space, tight, 30)[12:] for seed in range(2)]
    drawn = run(make_strategy("random", space, tight, seed=0), space, tight, 120)

    def fitting(trials: list[Trial]) -> float:
        return float(np.mean([t.state is State.COMPLETE for t in trials if t.state is not State.FAILED]))

    assert np.mean([fitting(trials) for trials in late]) > 1.3 * fitting(drawn)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "goals",
    [
        ["minimize latency_us"],
        ["maximize accuracy", "minimize latency_us", "minimize ram_bytes", "minimize flash_bytes"],
    ],
    ids=["one", "four"],
)
def test_it_takes_one_to_four_objectives(name: str, goals: list[str], space: Space) -> None:
    objectives = Objectives.parse(goals, reward="mnas" if len(goals) == 1 else "accuracy")
    done = run(maker(name)(space, objectives, 0), space, objectives, 16)
    assert len({trial.architecture for trial in done}) == 16


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_holds_different_architectures(name: str, space: Space) -> None:
    objectives = Objectives.parse(["maximize accuracy", "minimize latency_us"])
    strategy = maker(name)(space, objectives, 0)
    run(strategy, space, objectives, 16)
    assert len({proposal.architecture for proposal in strategy.ask(8)}) == 8


def test_progressive_search_grows(space: Space) -> None:
    objectives = Objectives.parse(["maximize accuracy", "minimize latency_us"])
    done = run(maker("progressive")(space, objectives, 1), space, objectives, 30)
    deep = [len(space.layers(trial.architecture)) for trial in done]
    assert np.mean(deep[:10]) < np.mean(deep[10:20]) < np.mean(deep[20:])
