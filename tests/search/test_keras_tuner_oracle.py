"""KerasTuner's oracles as strategies, and strategies as oracles of KerasTuner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.keras_tuner.library import kt
from search.keras_tuner.oracle import ParametersSpace, StrategyOracle
from search.keras_tuner.tree import Tree
from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.space.options import BadOption
from search.strategies import make_strategy, strategy_options
from search.testing.strategy_suite import Make, StrategySuite, run
from search.trial import Trial


def maker(**options: Any) -> Make:
    return lambda space, objectives, seed: make_strategy(
        "keras_tuner", space, objectives, seed=seed, options={"samples": 40, **options}
    )


class OracleSuite(StrategySuite):
    """An oracle stops where a space is used up: that, and no answers, is what it promises there."""

    def test_a_space_that_is_used_up_still_gives_answers(self, make: Make, objectives: Objectives) -> None:
        tiny = make_space(
            "chain",
            {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8], "pools": [], "max_depth": 1},
            input_shape=(8, 8, 1),
            classes=10,
        )
        strategy = make(tiny, objectives, 9)
        assert len(run(strategy, tiny, objectives, 1)) == 1
        assert strategy.ask(1) == []
        assert strategy.asked == 1


class TestRandomSearch(OracleSuite):
    @pytest.fixture
    def make(self) -> Make:
        return maker(oracle="RandomSearch")


class TestHyperband(OracleSuite):
    @pytest.fixture
    def make(self) -> Make:
        return maker(oracle="Hyperband", max_epochs=9)

    def test_the_best_go_on_at_a_higher_fidelity(
        self, make: Make, space: Space, objectives: Objectives
    ) -> None:
        done = run(make(space, objectives, 3), space, objectives, 13)
        first = [trial for trial in done if trial.fidelity == pytest.approx(1 / 9)]
        assert len(first) == 9
        ranked = sorted(first, key=objectives.rank, reverse=True)
        assert {t.architecture for t in done[9:12]} == {t.architecture for t in ranked[:3]}
        assert done[12].architecture == max(done[9:12], key=objectives.rank).architecture
        assert done[12].fidelity == 1.0


class TestGridSearch(OracleSuite):
    """A grid knows no chance and heeds no outcome."""

    @pytest.fixture
    def make(self) -> Make:
        return maker(oracle="GridSearch")

    def test_proposals_belong_to_the_space(self, make: Make, space: Space, objectives: Objectives) -> None:
        done = run(make(space, objectives, 3), space, objectives, 30)
        assert all(space.contains(trial.architecture) for trial in done)

    def test_proposals_follow_from_the_seed(self, make: Make, space: Space, objectives: Objectives) -> None:
        first = run(make(space, objectives, 3), space, objectives, 20)
        assert run(make(space, objectives, 3), space, objectives, 20) == first

    def test_it_ends_when_all_have_been_proposed(self, make: Make, objectives: Objectives) -> None:
        few = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16], "pools": []}
        space = make_space("chain", few | {"max_depth": 2}, input_shape=(8, 8, 1), classes=10)  # 6 members
        proposals = make(space, objectives, 1).ask(50)
        assert len({proposal.architecture for proposal in proposals}) == len(proposals) == 6


class TestBayesianOptimization:
    """The suite would take minutes: each proposal fits a Gaussian process."""

    @pytest.fixture
    def space(self) -> Space:
        options = {"blocks": ["conv"], "kernels": [3], "strides": [1, 2], "pools": [], "max_depth": 1}
        return make_space("chain", options, input_shape=(8, 8, 1), classes=10)

    @pytest.fixture
    def objectives(self) -> Objectives:
        return Objectives.parse(["maximize accuracy"], reward="accuracy")

    def test_it_goes_on_from_what_it_was_told_in_any_order(
        self, space: Space, objectives: Objectives
    ) -> None:
        make = maker(num_initial_points=4)
        whole = make(space, objectives, 6)
        done = run(whole, space, objectives, 4)
        under_way = Trial(4, done[0].architecture)
        whole.tell([under_way])
        resumed = make(space, objectives, 6)
        resumed.tell([under_way, *done[::-1]])
        whole.asked = resumed.asked = 5
        (expected,) = whole.ask(1)
        assert resumed.ask(1) == [expected]
        assert expected.architecture not in {trial.architecture for trial in done}


def test_conditions_are_learnt_from_the_tree() -> None:
    space = make_space("stages", {}, input_shape=(8, 8, 1), classes=10)
    conditions = {decision.name: dict(decision.conditions) for decision in Tree(space).decisions}
    assert conditions["stages"] == {}
    assert conditions["stage3.width"] == {"stages": (3, 4)}
    assert conditions["stage1.skip"]["stage1.repeats"] == (2, 3)


def test_hyperparameters_of_a_tree_lead_back_to_the_architecture() -> None:
    space = make_space("stages", {}, input_shape=(8, 8, 1), classes=10)
    tree = Tree(space)
    rng = np.random.default_rng(1)
    for _ in range(30):
        architecture = space.sample(rng)
        assert tree.follow(tree.values(architecture), lambda choice: 0) == architecture


def test_an_option_of_another_oracle_is_refused() -> None:
    with pytest.raises(BadOption, match="beta: is of BayesianOptimization"):
        strategy_options("keras_tuner", {"oracle": "Hyperband", "beta": 2.0})


# ---- strategies as oracles


def parameters() -> Any:
    hp = kt.HyperParameters()
    hp.Choice("kind", ["mlp", "cnn"])
    with hp.conditional_scope("kind", ["cnn"]):
        hp.Int("filters", 8, 64, step=8)
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    return hp


def tuned(oracle: StrategyOracle, folder: Path, trials: int, *, fails: tuple[int, ...] = ()) -> list[Any]:
    """Drive an oracle as a tuner does: the score is best for many filters."""
    oracle._set_project_dir(str(folder), "project")
    oracle.verbose = 0
    for number in range(trials):
        trial = oracle.create_trial("tuner0")
        if trial.status == "STOPPED":
            break
        values = trial.hyperparameters.values
        if number in fails:
            trial.status = "FAILED"
        else:
            score = values.get("filters", 0) / 64 + values["rate"]
            figures = {"val_accuracy": score, "latency_us": 1 - score, "multi_objective": 1 - 2 * score}
            oracle.update_trial(trial.trial_id, figures)
            trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return [oracle.trials[name] for name in sorted(oracle.trials)]


@pytest.mark.parametrize(
    ("strategy", "options"),
    [("random", {}), ("aging_evolution", {"population": 4, "tournament": 2}), ("nsga2", {"population": 4})],
)
def test_a_strategy_gives_a_tuner_its_values(strategy: str, options: dict[str, Any], tmp_path: Path) -> None:
    objective = [kt.Objective("val_accuracy", "max"), kt.Objective("latency_us", "min")]
    oracle = StrategyOracle(
        strategy, objective, max_trials=14, hyperparameters=parameters(), seed=3, **options
    )
    trials = tuned(oracle, tmp_path, 20, fails=(2, 3))
    assert len(trials) == 14
    assert all(
        ("filters" in t.hyperparameters.values) == (t.hyperparameters["kind"] == "cnn") for t in trials
    )
    assert len({str(t.hyperparameters.values) for t in trials}) == 14
    assert [t.trial_id for t in trials if t.status == "FAILED"] == ["02", "03"]


def test_a_strategy_learns_from_the_scores(tmp_path: Path) -> None:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("random", {}),
        ("aging_evolution", {"population": 6, "tournament": 3}),
    ]
    made = [
        tuned(
            StrategyOracle(
                name, kt.Objective("val_accuracy", "max"), 30, hyperparameters=parameters(), seed=1, **options
            ),
            tmp_path / name,
            30,
        )
        for name, options in kinds
    ]
    by_chance, learnt = (np.mean([trial.score for trial in trials[15:]]) for trials in made)
    assert learnt > by_chance + 0.1


def test_an_oracle_that_is_reloaded_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    def oracle() -> StrategyOracle:
        return StrategyOracle(
            "local_search", kt.Objective("val_accuracy", "max"), 12, hyperparameters=parameters(), seed=5
        )

    whole = [t.hyperparameters.values for t in tuned(oracle(), tmp_path / "whole", 12)]
    tuned(oracle(), tmp_path / "parts", 7)
    resumed = oracle()
    resumed._set_project_dir(str(tmp_path / "parts"), "project")
    resumed.reload()
    # KerasTuner tries the last trial before the end again.
    assert [t.hyperparameters.values for t in tuned(resumed, tmp_path / "parts", 6)] == whole


def test_shares_become_epochs(tmp_path: Path) -> None:
    oracle = StrategyOracle(
        "hyperband",
        kt.Objective("val_accuracy", "max"),
        20,
        hyperparameters=parameters(),
        max_epochs=9,
        seed=1,
    )
    epochs = {trial.hyperparameters.values["tuner/epochs"] for trial in tuned(oracle, tmp_path, 20)}
    assert epochs <= set(range(1, 10))
    assert len(epochs) > 1


def test_new_hyperparameters_make_the_space_larger(tmp_path: Path) -> None:
    oracle = StrategyOracle("random", kt.Objective("val_accuracy", "max"), 10, hyperparameters=parameters())
    tuned(oracle, tmp_path, 3)
    more = oracle.get_space()
    more.Boolean("wide")
    oracle.update_space(more)
    trials = tuned(oracle, tmp_path, 3)
    assert all("wide" in trial.hyperparameters.values for trial in trials[3:])


def test_a_misspelt_strategy_is_told_at_once() -> None:
    with pytest.raises(BadOption, match="no strategy is called 'agingevolution'"):
        StrategyOracle("agingevolution", kt.Objective("val_accuracy", "max"))


def test_values_that_are_not_offered_count_as_the_nearest() -> None:
    space = ParametersSpace(parameters())
    assert space.values(space.architecture({"kind": "cnn", "filters": 30, "rate": 0.1})) == {
        "kind": "cnn",
        "filters": 32,
        "rate": 0.1,
    }
