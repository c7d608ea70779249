"""Successive halving, Hyperband and ASHA: the suite, and what is peculiar to each."""

from __future__ import annotations

import pytest

from search.strategies import make_strategy
from search.testing.strategy_suite import Make, StrategySuite


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
