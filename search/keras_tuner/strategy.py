"""KerasTunerStrategy: an oracle of KerasTuner chooses what a study tries, in any space.

The space is shown to the oracle as conditional hyper-parameters (search/keras_tuner/tree.py), and its answers
are walked back to an architecture.  What it is told is one loss: the negative reward of complete trials;
infeasible ones get a loss worse than all of them, by their violation, so that the oracle learns to keep away
(KerasTuner itself forgets failed trials); trials that failed are left out, in Hyperband they are the worst.

The contract of strategies (the k-th proposal follows from seed, k and what was told) is kept by making the
oracle anew:

* RandomSearch: with a seed of each proposal's own (a few milliseconds);
* BayesianOptimization: the same, and all told trials are put into it; then it fits its Gaussian process and
  looks for the best bound from 50 starts, which takes seconds, as it does in KerasTuner;
* Hyperband: the search is gone through again in the order of numbers, unless the last outcome alone is new (a
  few milliseconds, else as much for each trial);
* GridSearch: the k-th different architecture of the grid; outcomes do not matter (a few milliseconds).

What differs from KerasTuner: an answer that was tried already is replaced by a neighbour that was not, but in
GridSearch, which goes on; where none is found, nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from search.keras_tuner.library import kt
from search.keras_tuner.tree import Tree
from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import build
from search.space.walk import drawn
from search.strategies.history import History
from search.strategies.keras_tuner import KerasTunerOptions
from search.trial import Proposal, State, Trial

LOSS = "loss"
FIDELITIES = 27  # "epochs" of Hyperband: fidelities of 1/27, 1/9, 1/3 and 1
ROUND, EPOCHS = "tuner/round", "tuner/epochs"
_BROKEN, _FAILED = 1e9, 1e18  # losses that are worse than every reward, in the order of `Objectives.rank`


class KerasTunerStrategy:
    """See the module.

    Args:
        space: what to search in.
        objectives: judge the outcomes.
        seed: of all choices.
        options: as `KerasTunerOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._objectives = objectives
        self._seed = seed
        self._options = build(KerasTunerOptions, options)
        self._history = History(objectives)
        self._told: dict[int, Trial] = {}
        self._tree = Tree(space, samples=self._options.samples, seed=seed)
        self._brackets = _Brackets(self._tree, seed, self._options)
        self._grid = _Grid(self._tree)

    def ask(self, n: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < n and (proposal := self._propose(self.asked)) is not None:
            proposals.append(proposal)
            self.asked += 1
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        self._history.add(trials)
        for trial in trials:
            if trial.state is not State.RUNNING or trial.number not in self._told:
                self._told[trial.number] = trial

    def _propose(self, number: int) -> Proposal | None:
        rng = np.random.default_rng((self._seed, number))
        if not self._tree.decisions:
            return self._new(self._space.sample(rng), rng)
        if self._options.oracle == "GridSearch":
            return self._grid.at(number)
        if self._options.oracle == "Hyperband":
            return self._of_brackets(number, rng)
        oracle = _oracle(self._options, self._tree, seed=1 + int(rng.integers(2**31 - 2)))
        if self._options.oracle == "BayesianOptimization":
            self._enter_all(oracle, rng)
        answer = oracle.populate_space(str(number))
        if answer["status"] != "RUNNING":
            return None
        return self._new(self._tree.follow(answer["values"], drawn(rng)), rng)

    def _of_brackets(self, number: int, rng: np.random.Generator) -> Proposal | None:
        values = self._brackets.at(number, self._told, self._fixed_loss)
        if values is None:
            return None
        architecture = self._tree.follow(values, drawn(rng))
        fidelity = min(1.0, values[EPOCHS] / (self._options.max_epochs or FIDELITIES))
        if values[ROUND]:
            return Proposal(architecture, fidelity)
        return self._new(architecture, rng, fidelity)

    def _new(
        self, architecture: Architecture, rng: np.random.Generator, fidelity: float = 1.0
    ) -> Proposal | None:
        """It, or a neighbour that was not tried yet; None where none is found."""
        for _ in range(self._options.attempts):
            if not self._history.has_seen(architecture):
                return Proposal(architecture, fidelity)
            architecture = self._space.mutate(architecture, rng)
        return None if self._history.has_seen(architecture) else Proposal(architecture, fidelity)

    def _enter_all(self, oracle: Any, rng: np.random.Generator) -> None:
        """Put what was told into an oracle, as it would be had it proposed it."""
        objectives = self._objectives.redrawn(rng)
        finished = [trial for trial in self._told.values() if trial.state is not State.RUNNING]
        ranks = {trial.number: objectives.rank(trial) for trial in finished}
        losses = _losses(ranks)
        for number in sorted(self._told):
            entered = _entered(oracle, number, self._tree.values(self._told[number].architecture))
            if number in losses:
                _end(oracle, entered, losses[number])
            elif number in ranks:
                entered.status = "FAILED"
                oracle.ongoing_trials.pop(entered.trial_id)

    def _fixed_loss(self, trial: Trial) -> float:
        """A loss that does not depend on other trials: Hyperband compares only."""
        kind, amount = self._objectives.rank(trial)
        return {2: -amount, 1: _BROKEN * (1 - amount), 0: _FAILED}[kind]


class _Grid:
    """The different architectures of a grid, in its order."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._found: dict[Architecture, None] = {}
        self._listed: list[Architecture] = []
        self._oracle: Any = None

    def at(self, number: int) -> Proposal | None:
        if self._oracle is None:
            self._oracle = _oracle(KerasTunerOptions(oracle="GridSearch"), self._tree, seed=1)
        while len(self._listed) <= number:
            name = str(len(self._oracle.trials))
            answer = self._oracle.populate_space(name)
            if answer["status"] != "RUNNING":
                return None
            architecture = self._tree.follow(answer["values"], lambda choice: 0)
            # What this architecture does not ask for counts as gone through: all of it would be the same.
            last = {decision.name: decision.values[-1] for decision in self._tree.decisions}
            used = self._tree.values(architecture)
            values = {key: value if key in used else last[key] for key, value in answer["values"].items()}
            entered = _entered(self._oracle, int(name), values)
            entered.metrics.register(LOSS, "min")
            entered.metrics.update(LOSS, 0.0)
            entered.status = "COMPLETED"
            self._oracle.end_trial(entered)
            if architecture not in self._found:
                self._found[architecture] = None
                self._listed.append(architecture)
        return Proposal(self._listed[number])


class _Brackets:
    """Hyperband gone through again: each number is created and, where its outcome is known, ended."""

    def __init__(self, tree: Tree, seed: int, options: KerasTunerOptions) -> None:
        self._tree = tree
        self._seed = seed
        self._options = options
        self._begin()

    def at(self, number: int, told: Mapping[int, Trial], loss: Any) -> dict[str, Any] | None:
        """The values that are proposed as this number; None where there are none yet."""
        outcomes = [self._outcome(told.get(before)) for before in range(number)]
        if self._ended != outcomes[: len(self._ended)] or self._made > number + 1:
            self._begin()
        for before in range(len(self._ended), number):
            if not self._create(before):
                return None
            outcome = outcomes[before]
            if outcome is not None:
                entered = self._created
                own = {key: value for key, value in entered.hyperparameters.values.items() if "tuner/" in key}
                entered.hyperparameters.values = {**own, **self._tree.values(outcome.architecture)}
                _end(self._oracle, entered, loss(outcome))
            self._ended.append(outcome)
        if not self._create(number):
            return None
        return dict(self._created.hyperparameters.values)

    def _begin(self) -> None:
        self._oracle: Any = None
        self._ended: list[Trial | None] = []
        self._made = 0
        self._created: Any = None

    def _create(self, number: int) -> bool:
        """Make trial `number`, which may have been made before; False where it has to wait."""
        if self._made == number + 1:
            return True
        if self._oracle is None:
            self._oracle = _oracle(self._options, self._tree, seed=self._seed * 7919 + 1)
        answer = self._oracle.populate_space(str(number))
        if answer["status"] != "RUNNING":
            return False
        self._created = _entered(self._oracle, number, answer["values"])
        self._made = number + 1
        return True

    @staticmethod
    def _outcome(trial: Trial | None) -> Trial | None:
        return None if trial is None or trial.state is State.RUNNING else trial


def _oracle(options: KerasTunerOptions, tree: Tree, *, seed: int) -> Any:
    """A new oracle over the hyper-parameters of a tree, which writes no files and prints nothing."""
    common = {"objective": kt.Objective(LOSS, "min"), "hyperparameters": tree.hyperparameters(), "seed": seed}
    own = options.own()
    if options.oracle == "Hyperband":
        own = {"max_epochs": FIDELITIES, "hyperband_iterations": None, **own}
    else:
        own = {"max_trials": None, **own}
    oracle = getattr(kt.oracles, f"{options.oracle}Oracle")(**common, **own)
    oracle.verbose = 0
    oracle.save = lambda: None
    oracle._save_trial = lambda trial: None
    return oracle


def _entered(oracle: Any, number: int, values: Mapping[str, Any]) -> Any:
    """Begin a trial in an oracle, as its `create_trial` does, without its files and locks."""
    hyperparameters = kt.HyperParameters()
    hyperparameters.values = dict(values)
    entered = kt.engine.trial.Trial(hyperparameters, trial_id=str(number), status="RUNNING")
    oracle.trials[entered.trial_id] = entered
    oracle.ongoing_trials[entered.trial_id] = entered
    oracle.start_order.append(entered.trial_id)
    return entered


def _end(oracle: Any, entered: Any, loss: float) -> None:
    """End it as complete."""
    entered.status, entered.score = "COMPLETED", loss
    oracle.ongoing_trials.pop(entered.trial_id)
    oracle.end_order.append(entered.trial_id)


def _losses(ranks: Mapping[int, tuple[int, float]]) -> dict[int, float]:
    """Number -> loss, of complete and infeasible trials; the latter lie above the worst of the former by half
    of their spread, and as much again for ever larger violations."""
    losses = {number: -amount for number, (kind, amount) in ranks.items() if kind == 2}
    worst, best = max(losses.values(), default=0.0), min(losses.values(), default=0.0)
    spread = (worst - best) or 1.0
    for number, (kind, amount) in ranks.items():
        if kind == 1:
            excess = -amount
            losses[number] = worst + spread * (0.5 + 0.5 * excess / (1 + excess))
    return losses
