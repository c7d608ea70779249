"""Dialogue: what is said to a strategy, and when.

A strategy is a function of what it was told (`search/strategies/base.py`).  With several trials under way the
order in which they end depends on the clock.  Told as they end, the strategy knows most at each question, and
no two runs are alike.  Told in the order of their numbers, each so many trials after it was begun and not
before, every question is asked with the same knowledge: the same seed gives the same search, however long
each trial took.
"""

from __future__ import annotations

from collections.abc import Sequence

from search.strategies.base import Strategy
from search.trial import Proposal, State, Trial

MAX_REPEATS = 20  # proposals in a row that were tried before; the strategy has looked for a new one each time


class Dialogue:
    """Asks for trials, and tells what became of them.

    Args:
        trials: of an earlier run, finished or not.
        asked: how many proposals the strategy had been asked for.
        ahead: outcomes are told in the order of numbers; before trial n is asked for, those up to n - ahead
            are.  None: all are told as they come.

    Attributes:
        unfinished: trials of an earlier run that are to be gone on with, by number.
    """

    def __init__(
        self, strategy: Strategy, trials: Sequence[Trial], *, asked: int, ahead: int | None = None
    ) -> None:
        self._strategy = strategy
        self._ahead = ahead
        self._seen = {trial.proposal for trial in trials}
        self._begun = len(trials)
        self._held = {trial.number: trial for trial in trials if trial.state is not State.RUNNING}
        self._draining = False
        self._open = {trial.number for trial in trials if trial.state is State.RUNNING}
        self.unfinished = [trial for trial in trials if trial.state is State.RUNNING]
        strategy.asked = asked
        self._tell_due()
        late = [trial for trial in trials if trial.number in self._held or trial.number in self._open]
        strategy.tell([Trial(t.number, t.architecture, fidelity=t.fidelity) for t in late])

    @property
    def asked(self) -> int:
        """How many proposals the strategy was asked for."""
        return self._strategy.asked

    def ask(self) -> Proposal | None:
        """What is to be tried next; None where the strategy, or the order of telling, has to wait for trials
        under way, and where nothing is left, once there are none."""
        if self._ahead is not None and self._open and self._must_wait(self._ahead):
            return None
        self._draining = False
        while True:
            proposal = self._new()
            if proposal is not None or self._open or not self._held:
                # Where nothing new was found, it is asked again once all that is under way has ended: how
                # often it is asked must not depend on the clock either.
                self._draining = proposal is None
                return proposal
            self._tell(list(self._held))  # nothing is under way: what was held back is all there is to know

    def began(self, trial: Trial) -> None:
        """A proposal has become a trial."""
        self._begun += 1
        self._open.add(trial.number)
        self._seen.add(trial.proposal)
        self._strategy.tell([trial])
        self._tell_due()

    def ended(self, trial: Trial) -> None:
        """A trial has its outcome."""
        self._open.discard(trial.number)
        self._held[trial.number] = trial
        self._tell_due()

    def _must_wait(self, ahead: int) -> bool:
        return self._draining or min(self._open) <= self._begun - ahead

    def _new(self) -> Proposal | None:
        for _ in range(MAX_REPEATS):
            proposals = self._strategy.ask(1)
            if not proposals:
                return None
            if proposals[0] not in self._seen:
                return proposals[0]
        return None

    def _tell_due(self) -> None:
        limit = self._begun if self._ahead is None else self._begun - self._ahead
        self._tell([number for number in self._held if number <= limit])

    def _tell(self, numbers: Sequence[int]) -> None:
        self._strategy.tell([self._held.pop(number) for number in sorted(numbers)])
