"""Rungs: many architectures are trained for a few epochs, the best of them for more.

What successive halving, Hyperband and ASHA have in common.

| symbol | meaning                                                                                  |
|--------|------------------------------------------------------------------------------------------|
| eta    | of the trials on a rung the best 1/eta are promoted, and train eta times as long         |
| rung   | all trials of one fidelity: 1, 1/eta, 1/eta**2 ... of the study's epochs                 |
| bracket| architectures drawn together, and the rungs that they climb                              |

Results are looked up by what was tried (architecture and fidelity), not by the number of the trial: a
proposal that a study drops, since it was tried before, has its result already.

What differs from the papers: they resume a training where a lower rung had left it, here each fidelity is a
trial of its own.  What does not fit or fails is never promoted, and does not count as a member of its rung:
limits are checked before training, so it has cost no epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options
from search.strategies.history import History
from search.trial import Proposal, State, Trial


@dataclass(frozen=True)
class RungOptions(Options):
    """What the strategies of this kind have in common.

    Attributes:
        eta: of a rung the best 1/eta are promoted.
        min_fidelity: share of the epochs that the lowest rung trains at least.
        attempts: how many samples are drawn to find an architecture that is new; then the last is taken.
    """

    eta: Annotated[int, Bounds(at_least=2)] = 3
    min_fidelity: Annotated[float, Bounds(above=0, at_most=1)] = 0.1
    attempts: Annotated[int, Bounds(at_least=1)] = 50

    @property
    def fidelities(self) -> tuple[float, ...]:
        """Of all rungs, the lowest first: 1 and what it is over powers of eta, down to `min_fidelity`."""
        found, power = [1.0], self.eta
        while 1 / power >= self.min_fidelity * (1 - 1e-9):
            found.append(1 / power)
            power *= self.eta
        return tuple(reversed(found))


@dataclass(frozen=True)
class Bracket:
    """What is planned: how many architectures begin, and the fidelities of their rungs, the lowest first."""

    size: int
    fidelities: tuple[float, ...]


class Results:
    """Outcomes by proposal; where one was tried several times, that of the lowest number.

    Attributes:
        changes: how often an outcome that was known became another one; what followed from it is void then.
    """

    def __init__(self, objectives: Objectives) -> None:
        self.changes = 0
        self._history = History(objectives)
        self._outcomes: dict[Proposal, Trial] = {}

    def add(self, trials: Sequence[Trial]) -> None:
        """As `History.add`."""
        self._history.add(trials)
        for trial in trials:
            if trial.state is State.RUNNING:
                continue
            known = self._outcomes.setdefault(trial.proposal, trial)
            if trial.number <= known.number and trial != known:
                self._outcomes[trial.proposal] = trial
                self.changes += 1

    def known(self, proposals: Sequence[Proposal]) -> bool:
        """Whether all of them have finished."""
        return all(proposal in self._outcomes for proposal in proposals)

    def best(self, rung: Sequence[Proposal], eta: int, rng: np.random.Generator) -> list[Proposal]:
        """The best 1/eta of a finished rung, the best first; at least one where one is feasible."""
        by_number = {self._outcomes[proposal].number: proposal for proposal in rung}
        able = [number for number in by_number if self._history.feasible(number)]
        judge = self._history.judge(rng)
        able.sort(key=lambda number: (judge(number), -number), reverse=True)
        return [by_number[number] for number in able[: max(1, len(able) // eta)]]


class Samples:
    """An endless row of samples of a space, which differ as long as there are others to be found.  It
    depends on the seed alone, so that it stands however often it is asked for.
    """

    def __init__(self, space: Space, seed: int, attempts: int) -> None:
        self._space = space
        self._seed = seed
        self._attempts = attempts
        self._drawn: list[Architecture] = []
        self._seen: set[Architecture] = set()

    def take(self, start: int, end: int) -> list[Architecture]:
        """Those from number `start` to before number `end`."""
        while len(self._drawn) < end:
            rng = np.random.default_rng((self._seed, len(self._drawn)))
            for _ in range(self._attempts):
                sample = self._space.sample(rng)
                if sample not in self._seen:
                    break
            self._drawn.append(sample)
            self._seen.add(sample)
        return self._drawn[start:end]


class Halving:
    """A strategy that goes through brackets, one after the other: the base of the synchronous ones.

    All brackets make one row of proposals.  A rung joins the row when the one below it has finished; what
    stands in the row follows from the seed and from the outcomes, and the k-th proposal is its k-th place.

    Args:
        space: what to sample.
        objectives: rank the trials.
        seed: of all choices.
        options: common ones.
        plan: number of a bracket, from 0 -> its size and rungs.
    """

    def __init__(
        self,
        space: Space,
        objectives: Objectives,
        seed: int,
        options: RungOptions,
        plan: Callable[[int], Bracket],
    ) -> None:
        self.asked = 0
        self._seed = seed
        self._eta = options.eta
        self._plan = plan
        self._samples = Samples(space, seed, options.attempts)
        self._results = Results(objectives)
        self._begin()

    def ask(self, n: int) -> list[Proposal]:
        """The next `n`; fewer where a rung has to finish first."""
        asked: list[Proposal] = []
        while len(asked) < n and self._reaches(self.asked):
            asked.append(self._row[self.asked])
            self.asked += 1
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        changes = self._results.changes
        self._results.add(trials)
        if self._results.changes != changes:
            self._begin()

    def _begin(self) -> None:
        self._row: list[Proposal] = []
        self._rung: list[Proposal] = []  # the last one in the row
        self._above: tuple[float, ...] = ()  # fidelities of the rungs that this bracket has still to climb
        self._brackets = 0
        self._sampled = 0

    def _reaches(self, place: int) -> bool:
        """Whether the row is as long as that, or can be made so."""
        while len(self._row) <= place:
            promoted: list[Proposal] = []
            if self._above:
                if not self._results.known(self._rung):
                    return False
                rng = np.random.default_rng((self._seed, len(self._row), 1))
                promoted = self._results.best(self._rung, self._eta, rng)
            if promoted:
                fidelity, *above = self._above
                self._rung = [Proposal(one.architecture, fidelity) for one in promoted]
                self._above = tuple(above)
            else:
                self._rung = self._next_bracket()
            self._row.extend(self._rung)
        return True

    def _next_bracket(self) -> list[Proposal]:
        bracket = self._plan(self._brackets)
        self._brackets += 1
        drawn = self._samples.take(self._sampled, self._sampled + bracket.size)
        self._sampled += bracket.size
        self._above = bracket.fidelities[1:]
        return [Proposal(architecture, bracket.fidelities[0]) for architecture in dict.fromkeys(drawn)]
