"""BlockQNN: Q-learning of blocks; what is learnt of one part of the network holds for all parts of its kind.

Source: Zhong, Yan, Wu, Shao and Liu 2018, "Practical Block-wise Neural Network Architecture Generation",
sections 3.2 (Q-learning, shaped rewards) and 3.3 (reward with FLOPs and density); schedule of epsilon:
section 4.  What differs from the paper:

* The paper's networks repeat one block, and an episode builds that block.  Here an episode is one part of the
  network (what stands before the last dot of a gene), all parts of one kind ("b1", "b2") share one table, and
  every part ends in the reward of the whole network.  Parts may turn out differently; greedily they agree.
* A state in the paper is the last layer of the block with its index.  Here it is the role of the gene in
  its part, the options that are offered, and what was decided in this part before.
* The reward is the study's, relative to the other trials (`RelativeRewards`).  The paper corrects the
  accuracy of a network that was trained for few epochs: ACC - mu log(FLOPs) - rho log(Density), accuracy in
  percent, mu = 1, rho = 8.  Here mu and rho are 0 unless set: the study's reward is the user's own choice,
  and may weigh what was measured.
* Shaped rewards: see `search/strategies/q_learning.py`.
* For budgets of hundreds of trials: batches of 8 instead of 64, and schedule, alpha and replay of
  `QLearningOptions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Annotated, Any

from search.objective import Objectives
from search.space.base import Architecture, Choice, Space
from search.space.options import Bounds, build
from search.strategies.q_learning import QLearning, QLearningOptions, State
from search.strategies.stepwise import Made, role, values
from search.trial import Trial

FLOPS_PER_MAC = 2


@dataclass(frozen=True)
class BlockQnnOptions(QLearningOptions):
    """See `QLearningOptions`.

    Attributes:
        mu: weight of the logarithm of FLOPs against 100 times the study's reward.
        rho: weight of the logarithm of density: edges of the network's graph for each layer.
    """

    batch: Annotated[int, Bounds(at_least=1)] = 8
    initial: float = 0.0
    mu: Annotated[float, Bounds(at_least=0)] = 0.0
    rho: Annotated[float, Bounds(at_least=0)] = 0.0


class BlockQnn(QLearning):
    """See the module.

    Args:
        space: what to walk in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `BlockQnnOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self._block_options = build(BlockQnnOptions, options)
        super().__init__(space, objectives, seed, self._block_options)

    def _state(self, choice: Choice, made: Made) -> State:
        within = [(other, taken) for other, taken in made if other.part == choice.part]
        return (role(choice), choice.options, values(within))

    def _episodes(self, made: Made) -> list[Made]:
        parts: dict[str, Made] = {}
        for choice, taken in made:
            parts.setdefault(choice.part, []).append((choice, taken))
        return list(parts.values())

    def _rank(self, trial: Trial) -> tuple[int, float]:
        kind, value = super()._rank(trial)
        weights = self._block_options
        if kind < 2 or not (weights.mu or weights.rho):
            return kind, value
        flops = FLOPS_PER_MAC * max(1, self._space.cost(trial.architecture).macs)
        density = self._density(trial.architecture)
        return kind, 100 * value - weights.mu * log(flops) - weights.rho * log(density)

    def _density(self, architecture: Architecture) -> float:
        layers = self._space.layers(architecture)
        return sum([len(layer.inputs) for layer in layers]) / len(layers)
