"""Random search: the baseline that every other strategy has to beat.

Source: Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization"; Li and Talwalkar 2019,
    "Random Search
and Reproducibility for Neural Architecture Search".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class RandomOptions(Options):
    """What may stand in the study file.

    Attributes:
        attempts: how many samples are drawn to find one that was not told yet; then the last is tried again.
    """

    attempts: Annotated[int, Bounds(at_least=1)] = 50


class RandomSearch:
    """Independent samples of the space.

    Args:
        space: what to sample.
        objectives: only used to read what is told.
        seed: of all choices.
        options: as `RandomOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space = space
        self._seed = seed
        self._options = build(RandomOptions, options)
        self._history = History(objectives)

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._propose(number)) for number in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._history.add(trials)

    def _propose(self, number: int) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        architecture = self._space.sample(rng)
        for _ in range(self._options.attempts - 1):
            if not self._history.has_seen(architecture):
                break
            architecture = self._space.sample(rng)
        return architecture
