"""The table that comes with the package: whole, true, and fit to try strategies on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search import cascade, pareto
from search.cascade import Part
from search.config import load
from search.errors import SearchError
from search.evaluate import HilEvaluator
from search.objective import Objectives
from search.space.base import Architecture
from search.store import Store
from search.strategies import make_strategy
from search.strategies.exhaustive import every
from search.testing.table import FIDELITIES, SPACE, Table
from search.trial import Proposal, State

STUDY = Path(__file__).parents[2] / "benchmarks" / "table.toml"


@pytest.fixture(scope="module")
def table() -> Table:
    return Table.load()


def test_it_holds_every_network_of_its_space_at_each_fidelity(table: Table) -> None:
    assert {one.text for one in every(table.space)} == set(table.rows)
    assert len(table) == 1668
    for architecture in list(every(table.space))[::97]:
        known = [table.trial(0, Proposal(architecture, fidelity)) for fidelity in FIDELITIES]
        assert [trial.state for trial in known] == [State.COMPLETE] * 3
        assert known[0].values["latency_us"] == known[2].values["latency_us"]
    config = load(STUDY)
    assert {key: config.space.options[key] for key in SPACE} == SPACE


def test_more_epochs_make_better_networks(table: Table) -> None:
    means = [
        np.mean([table.trial(0, Proposal(one, fidelity)).values["accuracy"] for one in every(table.space)])
        for fidelity in FIDELITIES
    ]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.1


def test_its_cost_is_that_of_the_space(table: Table) -> None:
    for text, row in list(table.rows.items())[::211]:
        cost = table.space.cost(Architecture("chain", text))
        assert (row["macs"], row["parameters"]) == (cost.macs, cost.parameters)
        assert row["arena_bytes"] >= cost.peak_activation_bytes


def test_what_it_does_not_hold_is_refused(table: Table) -> None:
    with pytest.raises(SearchError, match="no network"):
        table.trial(0, Proposal(Architecture("chain", "conv3-64")))
    with pytest.raises(SearchError, match=r"fidelity 0\.5"):
        table.trial(0, Proposal(Architecture("chain", "conv3-8"), 0.5))
    with pytest.raises(SearchError, match="no table 'mnist'"):
        Table.load("mnist")


def test_coverage_grows_to_1(table: Table) -> None:
    trials = table.search(make_strategy("random", table.space, table.objectives, seed=0), 60)
    shares = table.coverages(trials)
    assert len(shares) == len(trials) == 60
    assert np.all(np.diff(shares) >= 0)
    assert shares[-1] == pytest.approx(table.coverage(trials))
    assert 0 < shares[0] < shares[-1] < 1
    assert table.coverage(pareto.front(table.every(), table.objectives)) == pytest.approx(1.0)


def test_limits_cost_no_epochs(table: Table) -> None:
    tight = table.judged_by(
        Objectives.parse(["maximize accuracy"], ["latency_us <= 1 ms"], reward="accuracy")
    )
    trials = tight.search(make_strategy("random", tight.space, tight.objectives, seed=0), 5)
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    assert len(complete) == 5 < len(trials)
    for trial in trials:
        assert (trial.state is State.INFEASIBLE) == (trial.values["latency_us"] > 1000)
        assert ("accuracy" in trial.values) == (trial.state is State.COMPLETE)


def test_a_third_of_the_epochs_costs_a_third(table: Table) -> None:
    trials = table.search(make_strategy("asha", table.space, table.objectives, seed=0), 10)
    assert sum(trial.fidelity for trial in trials) == pytest.approx(10, abs=1)
    assert {round(trial.fidelity, 3) for trial in trials} == {0.111, 0.333, 1.0}


@pytest.mark.parametrize("text", ["ds3-16/2 conv3-8", "conv3-32/2 ds3-16/2 conv3-8"])
def test_figures_are_those_of_today(table: Table, tmp_path: Path, text: str) -> None:
    config = load(STUDY)
    evaluator = HilEvaluator(config)
    with Store.open(tmp_path) as store:
        trial = store.add_trial(Proposal(Architecture("chain", text)), asked=1)
        for part in (Part.PREPARE, Part.MEASURE, Part.TRAIN):
            trial = cascade.advance(part, trial, evaluator, store, config.make_objectives(), lambda _: None)
    evaluator.close()
    known = table.rows[text]
    for metric in ("cycles", "latency_us", "ram_bytes", "flash_bytes", "macs", "parameters"):
        assert trial.values[metric] == known[metric], metric
    assert trial.values["accuracy"] == pytest.approx(known["accuracy"], abs=0.04)  # other threads, other sums
