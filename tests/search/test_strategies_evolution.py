"""Local search, evolution and NSGA-II: the suite, and what is peculiar to each."""

from __future__ import annotations

import pytest

from search.strategies import make_strategy
from search.testing.strategy_suite import Make, StrategySuite


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
