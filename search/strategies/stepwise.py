"""What strategies share that build networks decision by decision and learn from batches of trials.

A subclass says how it decides (`_decide`), how it learns a batch (`_learn`) and how it forgets everything
(`_forget`).  What is here:

* walking the tree of decisions of any space (`Space.choice`), with the decisions of late walks kept;
* where a network was told already, another is walked, up to `walks` in all; then the last one is mutated, up
  to `attempts` times: a policy that has made up its mind walks one way only;
* the order of learning: `search/strategies/lessons.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, TypeAlias

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Choice, Space, Value
from search.space.options import Bounds, Options
from search.strategies.history import History
from search.strategies.lessons import Lessons
from search.trial import Proposal, Trial

_KEPT = 50_000  # choices of late walks; some 20 a network

Made: TypeAlias = list[tuple[Choice, int]]
"""Decisions with the index of the option that was taken, in the order of deciding."""

Decide: TypeAlias = Callable[[Choice, Made], int]
"""The index of the option to take, given what was decided before."""


@dataclass(frozen=True)
class StepwiseOptions(Options):
    """What all of these strategies have.

    Attributes:
        walks: how many networks are walked to find one that was not told yet.
        attempts: how many mutations are then made of the last; then the last is tried again.
        batch: after how many trials there is an update.
        patience: a trial that is missing while one was told whose number is larger by more than this is left
            out of its batch.  Larger than the number of trials that are under way at a time.
    """

    walks: Annotated[int, Bounds(at_least=1)] = 5
    attempts: Annotated[int, Bounds(at_least=1)] = 50
    batch: Annotated[int, Bounds(at_least=1)] = 1
    patience: Annotated[int, Bounds(at_least=0)] = 16


class Stepwise(ABC):
    """See the module.

    Args:
        space: what to walk in.
        objectives: rank the trials.
        seed: of all choices.
        options: of the subclass.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, options: StepwiseOptions) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._shared = options
        self._history = History(objectives)
        self._lessons = Lessons(options.batch, options.patience)
        self._stale = False
        self._choice = lru_cache(maxsize=_KEPT)(space.choice)

    def ask(self, n: int) -> list[Proposal]:
        """See `Strategy`."""
        if self._stale:
            self._lessons.restart()
            self._forget()
            self._stale = False
            self._catch_up()
        asked = [Proposal(self._propose(number)) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """See `Strategy`."""
        self._history.add(trials)
        self._stale |= self._lessons.add(trials)
        if not self._stale:  # else the next question learns all anew, once, whatever else is told until then
            self._catch_up()

    @abstractmethod
    def _decide(self, number: int, rng: np.random.Generator) -> Decide:
        """How one network is decided.

        Args:
            number: of the proposal.
        """

    @abstractmethod
    def _learn(self, batch: int, trials: list[Trial]) -> None:
        """Learn from the trials of batch number `batch`; none where all of them stay out."""

    @abstractmethod
    def _forget(self) -> None:
        """Be as if nothing had been learnt."""

    def _catch_up(self) -> None:
        for batch, trials in self._lessons.due():
            self._learn(batch, trials)

    def _propose(self, number: int) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        for _ in range(self._shared.walks):
            architecture = self._walked(self._decide(number, rng))
            if not self._history.has_seen(architecture):
                return architecture
        for _ in range(self._shared.attempts):
            architecture = self._space.mutate(architecture, rng)
            if not self._history.has_seen(architecture):
                return architecture
        return architecture

    def _walked(self, decide: Decide) -> Architecture:
        path: tuple[int, ...] = ()
        made: Made = []
        while (choice := self._choice(path)) is not None:
            made.append((choice, decide(choice, made)))
            path = (*path, made[-1][1])
        return self._space.follow(path)

    def _decisions(self, architecture: Architecture) -> Made:
        """How `architecture` was decided."""
        path = self._space.path(architecture)
        choices = [self._choice(path[:end]) for end in range(len(path))]
        return [(choice, index) for choice, index in zip(choices, path, strict=True) if choice is not None]


def role(choice: Choice) -> str:
    """The gene without the numbers in the name of its part: "stage2.block1.kernel" -> "stage.block.kernel".

    Genes of one role mean the same in every part of a network.
    """
    return "".join([letter for letter in choice.part if not letter.isdigit()]) + "." + choice.kind


def values(made: Made) -> tuple[Value, ...]:
    """What the decisions became."""
    return tuple([choice.options[index] for choice, index in made])
