"""Local search: try neighbours of the best of this climb, move to the first that is better, start anew when
stuck.

Source: White, Nolen and Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search" (first
    called "Local Search is State of the Art for NAS Benchmarks").
What differs from the paper:

* it moves to the first better neighbour, where the paper evaluates all neighbours and moves to the best: a
  neighbourhood of these spaces has tens to hundreds of members, as many as a study has trials;
* hence a climb also ends after `patience` neighbours in vain, and not only at a proven local optimum (then
  all neighbours that `attempts` mutations find were tried);
* a climb that has ended is followed by another from a new random start, until the budget is used up;
* `starts` samples may be drawn for each climb, which begins at the best of them;
* what does not fit is climbed out of: it ranks by how much it breaks the constraints (`Objectives.rank`).

Which trial belongs to which climb follows from the numbers of the trials.  Where several are under way at a
time, the last neighbours of a climb may be taken for starts of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.fold import Fold
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class LocalSearchOptions(Options):
    """What may stand in the study file.

    Attributes:
        starts: how many samples are drawn for each climb; it begins at the best.
        patience: how many neighbours in a row may be no better before the next climb begins.
        attempts: how many mutations are made to find a neighbour that was not told yet; then a sample is
            drawn.
    """

    starts: Annotated[int, Bounds(at_least=1)] = 10
    patience: Annotated[int, Bounds(at_least=1)] = 40
    attempts: Annotated[int, Bounds(at_least=1)] = 50


@dataclass(frozen=True)
class Climb:
    """Where the search stands.

    Attributes:
        centre: number of the best trial of this climb; None before its first.
        starts: how many samples of this climb were told.
        vain: how many neighbours of the centre were told since, none of them better.
    """

    centre: int | None = None
    starts: int = 0
    vain: int = 0


class LocalSearch:
    """See the module.

    Args:
        space: what to move in.
        objectives: rank the trials.
        seed: of all choices.
        options: as `LocalSearchOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._options = build(LocalSearchOptions, options)
        self._history = History(objectives)
        self._climbs = Fold(self._history, Climb(), self._step)

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._propose(number)) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._climbs.add(trials)

    def _propose(self, number: int) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        climb, _ = self._climbs.now()
        if climb.centre is not None and climb.starts == self._options.starts:
            centre = self._history.architecture(climb.centre)
            for _ in range(self._options.attempts):
                neighbour = self._space.mutate(centre, rng)
                if not self._history.has_seen(neighbour):
                    return neighbour
        for _ in range(self._options.attempts):
            sample = self._space.sample(rng)
            if not self._history.has_seen(sample):
                break
        return sample

    def _step(self, climb: Climb, numbers: Sequence[int]) -> Climb:
        (number,) = numbers
        judge = self._history.judge(np.random.default_rng((self._seed, number, 1)))
        better = climb.centre is None or judge(number) > judge(climb.centre)
        centre = number if better else climb.centre
        if climb.starts < self._options.starts:
            return Climb(centre, climb.starts + 1)
        if better:
            return Climb(centre, climb.starts)
        vain = climb.vain + 1
        return Climb() if vain == self._options.patience else Climb(centre, climb.starts, vain)
