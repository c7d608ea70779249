"""MetaQNN: tabular Q-learning that builds a network decision by decision.

Source: Baker, Gupta, Naik and Raskar 2017, "Designing Neural Network Architectures using Reinforcement
Learning", section 4 and equation 3; epsilon schedule: table 2.  What differs from the paper:

* The paper decides a layer at a time, in its own space of layers.  Here each gene of any space is a decision.
* A state in the paper is the last layer: its kind, hyperparameters, depth and coarse size of map.  Here it is
  the gene (its name carries the depth), the options that are offered (which depend on what the map allows)
  and the last `memory` values.  States that agree in these share what they learn, so that a few hundred
  trials teach something; a larger memory tells more apart and needs more trials.
* Rewards are relative (`RelativeRewards`), not accuracies, so that any reward of a study will do.  The
  initial 0.5 of the paper's implementation, there about the accuracy of an average model, is then the median.
* A network that was trained before is not learnt again where it is walked again, but another one is walked.
* The schedule of epsilon is stretched to a budget.  The paper has 2700 trials, 1500 of them at epsilon 1,
  alpha = 0.01 and 100 replayed trials an update; for hundreds of trials fewer are drawn, and alpha is larger.
* Shaped rewards are none of this paper's: Zhong et al. 2018 brought them (block_qnn).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from search.objective import Objectives
from search.space.base import Choice, Space
from search.space.options import Bounds, build
from search.strategies.q_learning import QLearning, QLearningOptions, State
from search.strategies.stepwise import Made, values


@dataclass(frozen=True)
class MetaQnnOptions(QLearningOptions):
    """See `QLearningOptions`.

    Attributes:
        memory: how many of the values decided last belong to a state.
    """

    memory: Annotated[int, Bounds(at_least=0)] = 0


class MetaQnn(QLearning):
    """See the module.

    Args:
        space: what to walk in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `MetaQnnOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        checked = build(MetaQnnOptions, options)
        super().__init__(space, objectives, seed, checked)
        self._remembered = checked.memory

    def _state(self, choice: Choice, made: Made) -> State:
        return (choice.gene, choice.options, values(made[max(0, len(made) - self._remembered) :]))

    def _episodes(self, made: Made) -> list[Made]:
        return [made]
