"""Strategy: ask for architectures, tell outcomes.  Pure and seeded: no I/O, no Keras, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from search.space.base import Architecture
from search.trial import Trial


class Strategy(Protocol):
    """One way to choose what to try next.

    A strategy is a function of its seed and of what it was told: the k-th architecture that it is asked for
    depends on (seed, k, trials told so far) alone, so that a study is resumed by telling it the finished
    trials again and setting `asked`.

    Attributes:
        asked: how many architectures have been asked for so far.
    """

    asked: int

    def ask(self, n: int) -> list[Architecture]:
        """The next `n` architectures to try."""

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take outcomes (complete, infeasible or failed), in any order."""
