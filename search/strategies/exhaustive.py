"""Exhaustive search: every architecture of a small space, once, in the order of its tree of decisions.

For tables (search/testing/table.py) and for spaces that are small enough to know all of.  Where the space is
used up, nothing is proposed any more and the study ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.history import History
from search.trial import Proposal, Trial


@dataclass(frozen=True)
class ExhaustiveOptions(Options):
    """What may stand in the study file.

    Attributes:
        fidelities: shares of the epochs; each architecture is tried at each of them.
    """

    fidelities: Annotated[tuple[Annotated[float, Bounds(above=0, at_most=1)], ...], Bounds(at_least=1)] = (
        1.0,
    )


class ExhaustiveSearch:
    """See the module.

    Args:
        space: what to list.
        objectives: only used to read what is told.
        seed: not used; the order is that of the tree.
        options: as `ExhaustiveOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        fidelities = build(ExhaustiveOptions, options).fidelities
        self._every = (Proposal(one, fidelity) for one in every(space) for fidelity in fidelities)
        self._listed: list[Proposal] = []
        self._history = History(objectives)

    def ask(self, n: int) -> list[Proposal]:
        while len(self._listed) < self.asked + n:
            following = next(self._every, None)
            if following is None:
                break
            self._listed.append(following)
        found = self._listed[self.asked : self.asked + n]
        self.asked += len(found)
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        self._history.add(trials)


def every(space: Space) -> Iterator[Architecture]:
    """All architectures of a space, depth first.

    Example:
        sum(1 for _ in every(space))  # how large it is
    """
    pending: list[tuple[int, ...]] = [()]
    while pending:
        path = pending.pop()
        choice = space.choice(path)
        if choice is None:
            yield space.follow(path)
        else:
            pending += [(*path, index) for index in reversed(range(len(choice.options)))]
