"""REINFORCE: a recurrent controller emits the decisions of a network and climbs the expected reward.

Source: Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning", section 3.2 (policy
gradient with an exponential moving average of the rewards as baseline) and section 4.1 (two LSTM layers of 35
units, weights from -0.08 to 0.08, Adam, the reward cubed); Williams 1992 for the estimate.  What differs from
the paper:

* Any space: a token is the role of a gene with its value, `search/strategies/controller.py`.  The paper emits
  a fixed sequence of hyperparameters for each layer.
* The reward is relative (`RelativeRewards`), and of what is feasible the `power`th power, as the paper cubes
  the accuracy.  So 1 is the best so far whatever scale the study's reward has; what breaks a constraint or
  failed is below 0.
* One process; batches of consecutive numbers take the place of the paper's replicas and parameter server.
* The learning rate is far above the paper's 0.0006: there are tens of updates and not thousands.
* An entropy bonus (Williams and Peng 1991), which the paper does not have, keeps the policy from closing
  too early.
* A network that was told already is walked again, and in the end mutated.  Its decisions are learnt as if
  the controller had made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Choice, Space
from search.space.options import Bounds, build
from search.strategies.controller import Adam, Controller, Emitted, Token
from search.strategies.lessons import RelativeRewards
from search.strategies.stepwise import Decide, Made, Stepwise, StepwiseOptions, role
from search.trial import Trial


@dataclass(frozen=True)
class ReinforceOptions(StepwiseOptions):
    """For budgets of hundreds of trials.

    Attributes:
        batch: m, the networks of an update.
        units: of each LSTM layer.
        layers: of LSTM.
        learning_rate: of Adam.
        baseline_decay: share of the old baseline that stays at an update.
        entropy_weight: of the entropy of each decision against the advantage.
        power: that the rewards of feasible networks are raised to.
    """

    batch: Annotated[int, Bounds(at_least=1)] = 8
    units: Annotated[int, Bounds(at_least=1)] = 35
    layers: Annotated[int, Bounds(at_least=1)] = 2
    learning_rate: Annotated[float, Bounds(above=0)] = 0.02
    baseline_decay: Annotated[float, Bounds(at_least=0, below=1)] = 0.9
    entropy_weight: Annotated[float, Bounds(at_least=0)] = 0.01
    power: Annotated[float, Bounds(above=0)] = 3.0


class Reinforce(Stepwise):
    """See the module.

    Args:
        space: what to walk in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `ReinforceOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self._options = build(ReinforceOptions, options)
        super().__init__(space, objectives, seed, self._options)
        self._forget()

    def _forget(self) -> None:
        self._controller = Controller(self._options.units, self._options.layers, self._seed)
        self._adam = Adam(self._options.learning_rate)
        self._rewards = RelativeRewards()
        self._baseline: float | None = None

    def _decide(self, number: int, rng: np.random.Generator) -> Decide:
        memory, last = self._controller.begin(), list[Token]()

        def decide(choice: Choice, made: Made) -> int:
            options = _tokens(choice)
            shares = self._controller.probabilities(memory, last[-1] if last else None, options)
            taken = int(np.searchsorted(np.cumsum(shares), rng.random() * shares.sum(), side="right"))
            last.append(options[min(taken, len(options) - 1)])
            return min(taken, len(options) - 1)

        return decide

    def _learn(self, batch: int, trials: list[Trial]) -> None:
        ranks = [self._history.rank(trial.number) for trial in trials]
        for rank in ranks:
            self._rewards.add(rank)
        emitted = [
            [Emitted(_tokens(choice), taken) for choice, taken in self._decisions(trial.architecture)]
            for trial in trials
        ]
        rewards = [self._reward(rank) for rank, network in zip(ranks, emitted, strict=True) if network]
        if not rewards:
            return  # the space holds one network only, or all trials of the batch stay out
        mean = float(np.mean(rewards))
        if self._baseline is None:
            self._baseline = mean
        _, gradients = self._controller.gradients(
            [network for network in emitted if network],
            np.array(rewards) - self._baseline,
            self._options.entropy_weight,
        )
        self._adam.step(self._controller.weights, gradients)
        decay = self._options.baseline_decay
        self._baseline = decay * self._baseline + (1 - decay) * mean

    def _reward(self, rank: tuple[int, float]) -> float:
        reward = self._rewards(rank)
        return float(reward**self._options.power) if reward > 0 else reward


def _tokens(choice: Choice) -> tuple[Token, ...]:
    return tuple([Token(role(choice), value) for value in choice.options])
