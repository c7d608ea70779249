"""Tabular Q-learning with experience replay: what MetaQNN and BlockQNN share.

| symbol  | here               | meaning                                                              |
|---------|--------------------|----------------------------------------------------------------------|
| s       | `State`            | what is decided, and what of the network is remembered at this point |
| a       | index of an option | action: the option that is taken                                     |
| Q(s, a) | `QTable`           | expected reward of the finished network                              |
| alpha   | `alpha`            | learning rate                                                        |
| gamma   | 1                  | discount: a network is worth the same however many decisions it took |
| r_T     | reward             | of the network, at the last decision                                 |

The update (Baker et al. 2017, equation 3; Zhong et al. 2018, section 3.2), in reverse order of deciding:

    Q(s_t, a_t) <- (1 - alpha) Q(s_t, a_t) + alpha (r_t + max_a Q(s_t+1, a))     before the last decision
    Q(s_T, a_T) <- (1 - alpha) Q(s_T, a_T) + alpha r_T                           at the last decision

r_t is 0, or with shaped rewards (Zhong et al. 2018, section 3.2) r_T / T.  Differs from the paper: here
shaped rewards are (r_T - Q_0) / T with the initial value Q_0.  With r_T / T every way that was tried rises
above the initial value of those that were not, a bad one too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated, TypeAlias

import numpy as np

from search.objective import Objectives
from search.space.base import Choice, Space
from search.space.options import BadOption, Bounds
from search.strategies.lessons import RelativeRewards
from search.strategies.stepwise import Decide, Made, Stepwise, StepwiseOptions
from search.trial import Trial

State: TypeAlias = Hashable
Episode: TypeAlias = Sequence[tuple[State, int, int]]
"""State, number of options, index of the option that was taken; in the order of deciding."""


@dataclass(frozen=True)
class QLearningOptions(StepwiseOptions):
    """What both papers have, for budgets of hundreds of trials; docs/strategies has the papers' settings.

    Attributes:
        budget: how many proposals the schedule of epsilon is stretched to; afterwards its last one holds.
            Set it to the number of trials of the study.
        epsilons: probability that a decision is drawn instead of the best known one, one phase after another.
        phases: how long each of them lasts, in proportion to the others.
        replay: how many trials are drawn from all those learnt so far, with replacement, and learnt again in
            an update.
        alpha: learning rate of one such lesson.
        initial: value of what was never tried.  Rewards lie between -1 and 1, and 0.5 is the median of what
            is feasible (`RelativeRewards`).
        shaped: whether decisions before the last are rewarded at once, see the module.
    """

    budget: Annotated[int, Bounds(at_least=1)] = 300
    epsilons: Annotated[tuple[Annotated[float, Bounds(at_least=0, at_most=1)], ...], Bounds(at_least=1)] = (
        1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1,
    )  # fmt: skip
    phases: Annotated[tuple[Annotated[int, Bounds(at_least=0)], ...], Bounds(at_least=1)] = (
        2, 1, 1, 1, 1, 1, 1, 1, 1, 6,
    )  # fmt: skip
    replay: Annotated[int, Bounds(at_least=1)] = 50
    alpha: Annotated[float, Bounds(above=0, at_most=1)] = 0.05
    initial: float = 0.5
    shaped: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.phases) != len(self.epsilons):
            raise BadOption(
                ("phases",), f"got {len(self.phases)}, expected one for each of {len(self.epsilons)} epsilons"
            )
        if not sum(self.phases):
            raise BadOption(("phases",), "all are 0, expected at least one above 0")

    def epsilon(self, number: int) -> float:
        """Of proposal number `number`, from 0."""
        place = number * sum(self.phases) / self.budget
        for epsilon, end in zip(self.epsilons, accumulate(self.phases), strict=True):
            if place < end:
                return epsilon
        return self.epsilons[-1]


class QTable:
    """Q(s, a) for every state that was learnt.

    Args:
        alpha: learning rate.
        initial: value of what was never tried.
        shaped: see the module.
    """

    def __init__(self, alpha: float, initial: float, *, shaped: bool = False) -> None:
        self._alpha = alpha
        self._initial = initial
        self._shaped = shaped
        self._values: dict[State, list[float]] = {}

    def values(self, state: State, options: int) -> Sequence[float]:
        """Q of each option of `state`."""
        return self._values.get(state) or [self._initial] * options

    def steps(self, episode: Episode) -> Steps:
        """An episode as `update` takes it, the last decision first: values of the state, option taken, values
        of the next state (none behind the last)."""
        rows = [self._values.setdefault(state, [self._initial] * options) for state, options, _ in episode]
        following = [*rows[1:], *([[]] if rows else [])]
        steps = zip(rows, [taken for _, _, taken in episode], following, strict=True)
        return list(steps)[::-1]

    def update(self, steps: Steps, reward: float) -> None:
        """Learn an episode that ended in `reward`."""
        alpha = self._alpha
        shaped = (reward - self._initial) / len(steps) if self._shaped and steps else 0.0
        for row, taken, after in steps:
            target = shaped + max(after) if after else reward
            row[taken] += alpha * (target - row[taken])


Steps: TypeAlias = list[tuple[list[float], int, list[float]]]


class QLearning(Stepwise):
    """Base of both: walks epsilon-greedily, learns by replay.

    A subclass says what a state is and where episodes begin and end.

    Args:
        space: what to walk in.
        objectives: rank the trials.
        seed: of all choices.
        options: of the subclass.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, options: QLearningOptions) -> None:
        super().__init__(space, objectives, seed, options)
        self._options = options
        self._forget()

    @abstractmethod
    def _state(self, choice: Choice, made: Made) -> State:
        """What decides about `choice` after the decisions `made`."""

    @abstractmethod
    def _episodes(self, made: Made) -> list[Made]:
        """The decisions of one network as episodes, each of which ends in the network's reward."""

    def _rank(self, trial: Trial) -> tuple[int, float]:
        """How good a trial is, as `Objectives.rank`."""
        return self._history.rank(trial.number)

    def _forget(self) -> None:
        self._table = QTable(self._options.alpha, self._options.initial, shaped=self._options.shaped)
        self._rewards = RelativeRewards()
        self._memory: list[tuple[tuple[int, float], list[Steps]]] = []

    def _decide(self, number: int, rng: np.random.Generator) -> Decide:
        epsilon = self._options.epsilon(number)

        def decide(choice: Choice, made: Made) -> int:
            if rng.random() < epsilon:
                return int(rng.integers(len(choice.options)))
            known = self._table.values(self._state(choice, made), len(choice.options))
            best = max(known)
            ties = [index for index, value in enumerate(known) if value == best]
            return ties[int(rng.integers(len(ties)))]

        return decide

    def _learn(self, batch: int, trials: list[Trial]) -> None:
        for trial in trials:
            rank = self._rank(trial)
            self._rewards.add(rank)
            episodes = self._episodes(self._decisions(trial.architecture))
            self._memory.append((rank, [self._table.steps(self._episode(made)) for made in episodes]))
        if self._memory:
            rng = np.random.default_rng((self._seed, batch, 1))  # 1: not the generator of a proposal
            for drawn in rng.integers(len(self._memory), size=self._options.replay).tolist():
                rank, episodes_of_trial = self._memory[drawn]
                reward = self._rewards(rank)
                for steps in episodes_of_trial:
                    self._table.update(steps, reward)

    def _episode(self, made: Made) -> Episode:
        return [
            (self._state(choice, made[:place]), len(choice.options), taken)
            for place, (choice, taken) in enumerate(made)
        ]
