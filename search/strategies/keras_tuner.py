"""The table [strategy] name = "keras_tuner" of a study file; the strategy itself is in search/keras_tuner.

It is imported when it is made, as it needs KerasTuner and thus TensorFlow: the one strategy that does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from search.objective import Objectives
from search.space.base import Space
from search.space.options import BadOption, Bounds, Options
from search.strategies.base import Strategy

# Which option belongs to which oracle; the others belong to all.
_OWN = {
    "num_initial_points": "BayesianOptimization",
    "alpha": "BayesianOptimization",
    "beta": "BayesianOptimization",
    "max_epochs": "Hyperband",
    "factor": "Hyperband",
    "hyperband_iterations": "Hyperband",
}


@dataclass(frozen=True)
class KerasTunerOptions(Options):
    """What may stand in the study file.  None: KerasTuner's own default.

    Attributes:
        oracle: which of KerasTuner's.
        samples: how many architectures are looked at to learn which gene depends on which.
        attempts: how many neighbours are looked at to find one that was not tried yet.
        num_initial_points: (BayesianOptimization) random trials before the first model is fitted; 3 for each
            hyper-parameter.
        alpha: (BayesianOptimization) expected noise of the losses; 1e-4.
        beta: (BayesianOptimization) how much uncertainty is worth; 2.6.
        max_epochs: (Hyperband) 27 here: fidelities are shares of the study's epochs, and the smallest is
            about 1 / max_epochs.
        factor: (Hyperband) of halving; 3.
        hyperband_iterations: (Hyperband) rounds of all brackets; here without end, as a study has a budget.
    """

    oracle: Literal["BayesianOptimization", "RandomSearch", "Hyperband", "GridSearch"] = (
        "BayesianOptimization"
    )
    samples: Annotated[int, Bounds(at_least=1)] = 128
    attempts: Annotated[int, Bounds(at_least=1)] = 50
    num_initial_points: Annotated[int, Bounds(at_least=1)] | None = None
    alpha: Annotated[float, Bounds(above=0)] | None = None
    beta: Annotated[float, Bounds(at_least=0)] | None = None
    max_epochs: Annotated[int, Bounds(at_least=1)] | None = None
    factor: Annotated[int, Bounds(at_least=2)] | None = None
    hyperband_iterations: Annotated[int, Bounds(at_least=1)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, oracle in _OWN.items():
            if getattr(self, key) is not None and oracle != self.oracle:
                raise BadOption(
                    (key,), f"is of {oracle}, but the oracle is {self.oracle}", remedy="leave it out"
                )

    def own(self) -> dict[str, Any]:
        """What is handed to the oracle."""
        return {key: getattr(self, key) for key in _OWN if getattr(self, key) is not None}


def make_keras_tuner(space: Space, objectives: Objectives, seed: int, **options: Any) -> Strategy:
    """An oracle of KerasTuner as a strategy.

    Args:
        options: as `KerasTunerOptions`.
    """
    from search.keras_tuner.strategy import KerasTunerStrategy

    return KerasTunerStrategy(space, objectives, seed, **options)
