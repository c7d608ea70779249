"""Strategies that learn a model of the trials: the suite, the algebra, and what each does with it."""

from __future__ import annotations

import numpy as np
import pytest

from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.strategies import make_strategy
from search.testing.strategy_suite import Make, StrategySuite


class TestSurrogate(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        few = {"candidates": 64, "offspring": 16}
        return lambda space, objectives, seed: make_strategy(
            "surrogate", space, objectives, seed=seed, options=few
        )


class TestBayesian(StrategySuite):
    @pytest.fixture
    def make(self) -> Make:
        few = {"candidates": 32, "offspring": 6, "data": 30}
        return lambda space, objectives, seed: make_strategy(
            "bayesian", space, objectives, seed=seed, options=few
        )
