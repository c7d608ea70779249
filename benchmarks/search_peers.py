"""Optuna and KerasTuner on a table, through their own interfaces: what a user would pick instead.

They get the same decisions as the strategies here, conditional ones included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from search.space.base import Architecture, Choice
from search.testing.table import Table
from search.trial import Proposal, Trial


class Budget:
    """A number of evaluations.  Peers propose what was tried before now and then: that is an evaluation, too,
    as it is for their users."""

    def __init__(self, table: Table, evaluations: int) -> None:
        self.trials: list[Trial] = []
        self._table = table
        self._evaluations = evaluations

    @property
    def used_up(self) -> bool:
        return len(self.trials) >= self._evaluations

    def evaluate(self, architecture: Architecture) -> Trial:
        self.trials.append(self._table.trial(len(self.trials), Proposal(architecture)))
        return self.trials[-1]


def walked(table: Table, suggest: Callable[[Choice], Any]) -> Architecture:
    """An architecture, each decision of which `suggest` makes."""
    path: tuple[int, ...] = ()
    while (choice := table.space.choice(path)) is not None:
        path = (*path, choice.options.index(suggest(choice)))
    return table.space.follow(path)


def optuna_trials(table: Table, seed: int, evaluations: int, sampler: str) -> list[Trial]:
    """Optuna's own multi-objective samplers, asked and told one at a time."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
        "nsga2_20": lambda: optuna.samplers.NSGAIISampler(population_size=20, seed=seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
    }[sampler]()
    directions = [goal.direction for goal in table.objectives.objectives]
    study = optuna.create_study(directions=directions, sampler=made)
    budget = Budget(table, evaluations)
    while not budget.used_up:
        asked = study.ask()

        def suggest(choice: Choice, asked: Any = asked) -> Any:
            return asked.suggest_categorical(f"{choice.gene}/{len(choice.options)}", list(choice.options))

        found = budget.evaluate(walked(table, suggest))
        study.tell(asked, [found.values[metric] for metric in table.objectives.metrics])
    return budget.trials


def keras_tuner_trials(table: Table, seed: int, evaluations: int, oracle: str) -> list[Trial]:
    """KerasTuner's oracles, which climb one number: the sum of the objectives, each scaled to 0..1 over the
    table."""
    import tempfile

    import keras_tuner

    every = np.array([table.objectives.losses(trial.values) for trial in table.every()])
    least, span = every.min(axis=0), np.ptp(every, axis=0)
    with tempfile.TemporaryDirectory() as folder:
        kind = {
            "random": keras_tuner.oracles.RandomSearchOracle,
            "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
        }[oracle]
        made = kind(objective=keras_tuner.Objective("loss", "min"), max_trials=evaluations, seed=seed)
        made._set_project_dir(folder, "bench")
        made.verbose = 0
        budget = Budget(table, evaluations)
        while not budget.used_up:
            trial = made.create_trial("tuner")
            if trial.status != "RUNNING":
                break
            hps = trial.hyperparameters

            def suggest(choice: Choice, hps: Any = hps) -> Any:
                return hps.Choice(f"{choice.gene}/{len(choice.options)}", list(choice.options))

            found = budget.evaluate(walked(table, suggest))
            made.update_space(hps)
            losses = (table.objectives.losses(found.values) - least) / span
            made.update_trial(trial.trial_id, {"loss": float(losses.sum())})
            trial.status = "COMPLETED"
            made.end_trial(trial)
    return budget.trials


PEERS: dict[str, Callable[[Table, int, int], list[Trial]]] = {
    "optuna_random": lambda table, seed, n: optuna_trials(table, seed, n, "random"),
    "optuna_tpe": lambda table, seed, n: optuna_trials(table, seed, n, "tpe"),
    "optuna_nsga2": lambda table, seed, n: optuna_trials(table, seed, n, "nsga2"),
    "optuna_nsga2_population_20": lambda table, seed, n: optuna_trials(table, seed, n, "nsga2_20"),
    "keras_tuner_random": lambda table, seed, n: keras_tuner_trials(table, seed, n, "random"),
    "keras_tuner_bayesian": lambda table, seed, n: keras_tuner_trials(table, seed, n, "bayesian"),
}
