"""Exhaustive search: every architecture once, in the order of the tree, and then nothing."""

from __future__ import annotations

import pytest

from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.strategies import make_strategy
from search.strategies.exhaustive import ExhaustiveSearch, every
from search.trial import Proposal

FEW = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16], "pools": [], "max_depth": 3}


@pytest.fixture
def space() -> Space:
    return make_space("chain", FEW, input_shape=(8, 8, 1), classes=10)


@pytest.fixture
def objectives() -> Objectives:
    return Objectives.parse(["maximize accuracy", "minimize latency_us"])


def test_it_lists_every_architecture_once(space: Space) -> None:
    found = list(every(space))
    assert len(found) == len(set(found)) == 2 + 4 + 8
    assert all(space.contains(architecture) for architecture in found)


def test_then_nothing_is_left(space: Space, objectives: Objectives) -> None:
    strategy = ExhaustiveSearch(space, objectives, 0)
    asked = strategy.ask(10) + strategy.ask(10)
    assert [proposal.architecture for proposal in asked] == list(every(space))
    assert strategy.asked == 14
    assert strategy.ask(1) == []


def test_resumed_it_goes_on_where_it_was(space: Space, objectives: Objectives) -> None:
    whole = ExhaustiveSearch(space, objectives, 0).ask(14)
    resumed = ExhaustiveSearch(space, objectives, 0)
    resumed.asked = 9
    assert resumed.ask(99) == whole[9:]


def test_each_architecture_at_each_fidelity(space: Space, objectives: Objectives) -> None:
    strategy = make_strategy("exhaustive", space, objectives, seed=0, options={"fidelities": [0.5, 1.0]})
    first = next(every(space))
    assert strategy.ask(2) == [Proposal(first, 0.5), Proposal(first, 1.0)]
    assert len(strategy.ask(99)) == 26
