"""StrategyOracle: a strategy here as an oracle of KerasTuner, for any HyperModel and any tuner.

    tuner = kt.Tuner(
        oracle=StrategyOracle("aging_evolution", objective="val_accuracy", max_trials=40, population=16),
        hypermodel=build,
        device="simulated:nrf52840_dk",
    )

The hyper-parameters that KerasTuner has found, with their conditions, are the space; Int and Float without a
step are discretised as in search/keras_tuner/asking.py.  Where a trial brings new ones the space grows with
it.  For each trial the strategy is made anew and told all trials, which is all that resuming takes, too; that
costs some milliseconds per hundred trials.

Several objectives reach the strategy as several (NSGA-II searches their front); what climbs one number climbs
KerasTuner's own sum.  Trials that failed have failed there, too.  Strategies of many fidelities need
`max_epochs`: their shares become "tuner/epochs", as in KerasTuner's Hyperband, which the tuners of
`search.keras_tuner` follow; each such trial begins from new weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from search.keras_tuner.asking import LEVELS, gene_of, labels_of, values_of
from search.keras_tuner.library import kt
from search.objective import Objective, Objectives
from search.space.base import Architecture, Value
from search.space.cost import INPUT
from search.space.decisions import DecisionSpace
from search.space.layers import Layer
from search.space.walk import Choose
from search.strategies import make_strategy
from search.trial import Failure, Stage, State, Trial


@dataclass(frozen=True)
class ParametersLayer(Layer):
    """The values of all active hyper-parameters, which a HyperModel alone can make a network of."""

    values: tuple[tuple[str, Value], ...]


class ParametersSpace(DecisionSpace):
    """The hyper-parameters of a `keras_tuner.HyperParameters` as a space; has no networks and no cost.

    Args:
        hyperparameters: what can be decided, with conditions.
        levels: as in search/keras_tuner/asking.py.
    """

    name = "hyperparameters"

    def __init__(self, hyperparameters: Any, *, levels: int = LEVELS) -> None:
        super().__init__(input_shape=(1, 1, 1), classes=1)
        self._parameters = [(hp, values_of(hp, levels)) for hp in hyperparameters.space]

    def decode(self, choose: Choose) -> Iterable[Layer]:
        """One layer that holds the values."""
        chosen = kt.HyperParameters()
        for parameter, values in self._parameters:
            if parameter.name not in chosen.values and chosen.is_active(parameter):
                labels = labels_of(values)
                chosen.values[parameter.name] = values[labels.index(choose(gene_of(parameter.name), labels))]
        yield ParametersLayer("parameters", (INPUT,), tuple(chosen.values.items()))

    def values(self, architecture: Architecture) -> dict[str, Any]:
        """Name of each active hyper-parameter -> its value."""
        (layer,) = self.layers(architecture)
        return dict(layer.values) if isinstance(layer, ParametersLayer) else {}

    def architecture(self, values: Mapping[str, Any]) -> Architecture:
        """The one whose values lie nearest to these; what they do not say takes its first option."""
        chosen = kt.HyperParameters()
        genes: dict[str, Value] = {}
        for parameter, options in self._parameters:
            if parameter.name not in chosen.values and chosen.is_active(parameter):
                index = _nearest(values.get(parameter.name), options)
                chosen.values[parameter.name] = options[index]
                genes[gene_of(parameter.name)] = labels_of(options)[index]
        return self._walked(
            lambda choice: choice.options.index(genes[choice.gene]) if choice.gene in genes else 0
        )


@dataclass(frozen=True)
class Score:
    """KerasTuner's score as a reward: what is to grow less what is to shrink."""

    directions: tuple[tuple[str, str], ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple([name for name, _ in self.directions])

    def __call__(self, values: Mapping[str, float]) -> float:
        return sum(values[name] if way == "max" else -values[name] for name, way in self.directions)

    def redrawn(self, rng: np.random.Generator) -> Self:
        """Itself."""
        return self


class StrategyOracle(kt.Oracle):  # type: ignore[misc]  # it has no types
    """See the module.

    Args:
        strategy: a name in `search.strategies.STRATEGIES`.
        objective, max_trials, hyperparameters, allow_new_entries, tune_new_entries, seed,
        max_retries_per_trial, max_consecutive_failed_trials: as for `keras_tuner.Oracle`.
        levels: how many values of an Int or Float without a step are offered.
        max_epochs: what a share of 1 is, for strategies of many fidelities; None: all trials are trained as
            `search()` says.
        options: of the strategy.

    Raises:
        BadOption: no strategy of that name, or an option that it does not have.
    """

    def __init__(
        self,
        strategy: str,
        objective: Any = None,
        max_trials: int | None = 10,
        *,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        levels: int = LEVELS,
        max_epochs: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        self._strategy = strategy
        self._options = options
        self._levels = levels
        self._max_epochs = max_epochs
        self._made(ParametersSpace(self.hyperparameters, levels=levels))  # a wrong option is told now

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial; see `keras_tuner.Oracle.populate_space`."""
        space = ParametersSpace(self.hyperparameters, levels=self._levels)
        strategy = self._made(space)
        strategy.tell(
            [self._told(number, trial_id, space) for number, trial_id in enumerate(self.start_order)]
        )
        strategy.asked = len(self.start_order)
        proposals = strategy.ask(1)
        if not proposals:
            return {"status": "IDLE" if self.ongoing_trials else "STOPPED", "values": None}
        values = space.values(proposals[0].architecture)
        if self._max_epochs is not None:
            values["tuner/epochs"] = max(1, math.ceil(proposals[0].fidelity * self._max_epochs - 1e-9))
            values["tuner/initial_epoch"] = 0
        return {"status": "RUNNING", "values": values}

    def _made(self, space: ParametersSpace) -> Any:
        return make_strategy(self._strategy, space, self._objectives(), seed=self.seed, options=self._options)

    def _directions(self) -> tuple[tuple[str, str], ...]:
        several = getattr(self.objective, "name_to_direction", None)
        return tuple((several or {self.objective.name: self.objective.direction}).items())

    def _objectives(self) -> Objectives:
        directions = self._directions()
        goals = tuple(
            [Objective(name, "maximize" if way == "max" else "minimize") for name, way in directions]
        )
        return Objectives(goals, reward=Score(directions))

    def _told(self, number: int, trial_id: str, space: ParametersSpace) -> Trial:
        trial = self.trials[trial_id]
        architecture = space.architecture(trial.hyperparameters.values)
        fidelity = 1.0
        if self._max_epochs is not None:
            fidelity = trial.hyperparameters.values.get("tuner/epochs", self._max_epochs) / self._max_epochs
        if trial.status == "COMPLETED":
            values = {name: float(trial.metrics.get_best_value(name)) for name, _ in self._directions()}
            return Trial(number, architecture, State.COMPLETE, values, fidelity=fidelity)
        if trial_id in self.end_order:
            failure = Failure(Stage.TRAIN, trial.status, str(trial.message), attempts=1)
            return Trial(number, architecture, State.FAILED, failure=failure, fidelity=fidelity)
        return Trial(number, architecture, fidelity=fidelity)


def _nearest(value: Any, options: tuple[Any, ...]) -> int:
    if value in options:
        return options.index(value)
    if not isinstance(value, int | float) or isinstance(options[0], str):
        return 0
    return min(range(len(options)), key=lambda index: abs(options[index] - value))
