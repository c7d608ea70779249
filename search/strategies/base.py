"""Strategy: ask for architectures, tell outcomes.  Pure and seeded: no I/O, no Keras, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from search.trial import Proposal, Trial


class Strategy(Protocol):
    """One way to choose what to try next.

    A strategy is a function of its seed and of what it was told: the k-th proposal that it is asked for
    depends on (seed, k, trials told so far) alone, so that a study is resumed by telling it all trials again
    and setting `asked`.

    Attributes:
        asked: how many proposals have been asked for so far.
    """

    asked: int

    def ask(self, n: int) -> list[Proposal]:
        """The next `n` proposals; fewer where nothing can be said before more trials have ended, none where
        nothing is left to try.  `asked` grows by as many as there are."""

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take outcomes (complete, infeasible or failed), in any order, and what is under way (running), so
        that it is not proposed a second time."""
