"""What a strategy is told, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from search.dialogue import MAX_REPEATS, Dialogue
from search.space.base import Architecture
from search.trial import Proposal, State, Trial


class Counting:
    """Proposes the numbers from 0 and remembers what it was told before each."""

    def __init__(self, *, stops_at: int = 1000, waits_for: int | None = None) -> None:
        self.asked = 0
        self.known: set[int] = set()
        self.under_way: set[int] = set()
        self.before: list[tuple[frozenset[int], frozenset[int]]] = []
        self._stops_at, self._waits_for = stops_at, waits_for

    def ask(self, n: int) -> list[Proposal]:
        if self._waits_for is not None and self.asked >= 2 and self._waits_for not in self.known:
            return []
        if self.asked >= self._stops_at:
            return []
        self.before.append((frozenset(self.known), frozenset(self.under_way - self.known)))
        self.asked += n
        return [Proposal(Architecture("chain", str(self.asked - 1)))]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            (self.under_way if trial.state is State.RUNNING else self.known).add(trial.number)


def begin(dialogue: Dialogue, number: int) -> Trial | None:
    proposal = dialogue.ask()
    if proposal is None:
        return None
    trial = Trial(number, proposal.architecture)
    dialogue.began(trial)
    return trial


def done(trial: Trial) -> Trial:
    return Trial(trial.number, trial.architecture, State.COMPLETE)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_in_fixed_order_each_question_meets_the_same_knowledge(order: tuple[int, ...]) -> None:
    strategy = Counting()
    dialogue = Dialogue(strategy, [], asked=0, ahead=3)
    trials = [begin(dialogue, number) for number in range(3)]
    assert begin(dialogue, 3) is None, "the outcome of trial 0 is not there yet"
    for number in order:
        trial = trials[number]
        assert trial is not None
        dialogue.ended(done(trial))
    for number in range(3, 6):
        assert begin(dialogue, number) is not None
    everything = [(set(known), set(under_way)) for known, under_way in strategy.before]
    assert everything == [
        (set(), set()), (set(), {0}), (set(), {0, 1}),
        ({0}, {1, 2}), ({0, 1}, {2, 3}), ({0, 1, 2}, {3, 4}),
    ]  # fmt: skip


def test_in_free_order_it_hears_at_once() -> None:
    strategy = Counting()
    dialogue = Dialogue(strategy, [], asked=0)
    trials = [begin(dialogue, number) for number in range(3)]
    assert trials[2] is not None
    dialogue.ended(done(trials[2]))
    begin(dialogue, 3)
    assert strategy.before[-1] == ({2}, {0, 1})


@pytest.mark.parametrize("ahead", [None, 1, 3])
def test_a_strategy_that_waits_gets_all_there_is_to_know(ahead: int | None) -> None:
    strategy = Counting(waits_for=1)
    dialogue = Dialogue(strategy, [], asked=0, ahead=ahead)
    number, open_trials = 0, list[Trial]()
    while number < 6:
        trial = begin(dialogue, number)
        if trial is None:
            assert open_trials, "it waits for nothing"
            dialogue.ended(done(open_trials.pop()))
        else:
            open_trials.append(trial)
            number += 1
    assert 1 in strategy.known


def test_none_with_nothing_under_way_means_that_nothing_is_left() -> None:
    dialogue = Dialogue(Counting(stops_at=1), [], asked=0, ahead=2)
    trial = begin(dialogue, 0)
    assert trial is not None
    assert dialogue.ask() is None
    dialogue.ended(done(trial))
    assert dialogue.ask() is None


def test_what_was_tried_is_not_tried_again() -> None:
    strategy = Counting()
    earlier = [done(Trial(number, Architecture("chain", str(number)))) for number in range(5)]
    dialogue = Dialogue(strategy, earlier, asked=0)
    assert dialogue.ask() == Proposal(Architecture("chain", "5"))
    assert dialogue.asked == 6
    stubborn = Counting()
    every = [done(Trial(number, Architecture("chain", str(number)))) for number in range(MAX_REPEATS + 5)]
    assert Dialogue(stubborn, every, asked=0).ask() is None


@pytest.mark.parametrize("stop", [1, 4, 7])
def test_resuming_asks_with_the_same_knowledge(stop: int) -> None:
    def go(dialogue: Dialogue, first: int, last: int, under_way: list[Trial]) -> list[Trial]:
        ended = []
        for number in range(first, last):
            while (trial := begin(dialogue, number)) is None:
                ended.append(done(under_way.pop(0)))
                dialogue.ended(ended[-1])
            under_way.append(trial)
        return ended

    whole = Counting()
    go(Dialogue(whole, [], asked=0, ahead=2), 0, 10, [])
    first = Counting()
    under_way: list[Trial] = []
    ended = go(Dialogue(first, [], asked=0, ahead=2), 0, stop, under_way)
    second = Counting()
    resumed = Dialogue(second, [*ended, *under_way], asked=first.asked, ahead=2)
    go(resumed, stop, 10, list(resumed.unfinished))
    assert first.before + second.before == whole.before
