"""Strategies: which architecture to try next.  A new strategy is one file and one line in `STRATEGIES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.objective import Objectives
from search.space.base import Space
from search.space.options import BadOption, Options, build, nearest
from search.strategies.aging_evolution import AgingEvolution, AgingEvolutionOptions
from search.strategies.asha import Asha, AshaOptions
from search.strategies.base import Strategy
from search.strategies.bayesian import Bayesian, BayesianOptions
from search.strategies.block_qnn import BlockQnn, BlockQnnOptions
from search.strategies.evolution import Evolution, EvolutionOptions
from search.strategies.exhaustive import ExhaustiveOptions, ExhaustiveSearch
from search.strategies.hyperband import Hyperband, HyperbandOptions
from search.strategies.keras_tuner import KerasTunerOptions, make_keras_tuner
from search.strategies.local_search import LocalSearch, LocalSearchOptions
from search.strategies.metaqnn import MetaQnn, MetaQnnOptions
from search.strategies.nsga2 import Nsga2, Nsga2Options
from search.strategies.progressive import Progressive, ProgressiveOptions
from search.strategies.random import RandomOptions, RandomSearch
from search.strategies.reinforce import Reinforce, ReinforceOptions
from search.strategies.successive_halving import SuccessiveHalving, SuccessiveHalvingOptions
from search.strategies.surrogate import Surrogate, SurrogateOptions

__all__ = ["STRATEGIES", "Strategy", "StrategyKind", "make_strategy", "strategy_options"]


@dataclass(frozen=True)
class StrategyKind:
    """One line of the table.

    Attributes:
        options: what may stand in the table [strategy] of a study file, besides name and seed.
        make: called with space, objectives, seed and the options by name.
    """

    options: type[Options]
    make: Callable[..., Strategy]


STRATEGIES: dict[str, StrategyKind] = {
    "random": StrategyKind(RandomOptions, RandomSearch),
    "exhaustive": StrategyKind(ExhaustiveOptions, ExhaustiveSearch),
    "aging_evolution": StrategyKind(AgingEvolutionOptions, AgingEvolution),
    "local_search": StrategyKind(LocalSearchOptions, LocalSearch),
    "evolution": StrategyKind(EvolutionOptions, Evolution),
    "nsga2": StrategyKind(Nsga2Options, Nsga2),
    "successive_halving": StrategyKind(SuccessiveHalvingOptions, SuccessiveHalving),
    "hyperband": StrategyKind(HyperbandOptions, Hyperband),
    "asha": StrategyKind(AshaOptions, Asha),
    "keras_tuner": StrategyKind(KerasTunerOptions, make_keras_tuner),
    "metaqnn": StrategyKind(MetaQnnOptions, MetaQnn),
    "block_qnn": StrategyKind(BlockQnnOptions, BlockQnn),
    "reinforce": StrategyKind(ReinforceOptions, Reinforce),
    "bayesian": StrategyKind(BayesianOptions, Bayesian),
    "progressive": StrategyKind(ProgressiveOptions, Progressive),
    "surrogate": StrategyKind(SurrogateOptions, Surrogate),
}


def strategy_options(name: str, options: Mapping[str, Any]) -> Options:
    """The options of the strategy called `name`, checked, with the defaults filled in.

    Raises:
        BadOption: unknown name or option (with the nearest known ones), or a wrong value.
    """
    if name not in STRATEGIES:
        raise BadOption(("name",), f"no strategy is called '{name}'", remedy=nearest(name, STRATEGIES))
    return build(STRATEGIES[name].options, options)


def make_strategy(
    name: str, space: Space, objectives: Objectives, *, seed: int, options: Mapping[str, Any] | None = None
) -> Strategy:
    """The strategy called `name`.

    Raises:
        BadOption: as `strategy_options`.
    """
    checked = strategy_options(name, options or {})
    return STRATEGIES[name].make(space, objectives, seed, **checked.to_dict())
