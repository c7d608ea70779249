"""What every strategy has to do, as pytest tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.strategies.base import Strategy
from search.testing.pretend import pretend_trial
from search.trial import State, Trial

Make = Callable[[Space, Objectives, int], Strategy]


def run(strategy: Strategy, space: Space, objectives: Objectives, trials: int) -> list[Trial]:
    """Ask and tell one at a time; every seventh trial fails."""
    done: list[Trial] = []
    for number in range(strategy.asked, strategy.asked + trials):
        (proposal,) = strategy.ask(1)
        done.append(pretend_trial(number, proposal, space, objectives, fails=number % 7 == 6))
        strategy.tell(done[-1:])
    return done


class StrategySuite:
    """Subclass it, with the fixture `make`: a function of space, objectives and seed."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError("give a function of (space, objectives, seed) that makes the strategy")

    @pytest.fixture
    def space(self) -> Space:
        return make_space("chain", {"max_depth": 5}, input_shape=(8, 8, 1), classes=10)

    @pytest.fixture
    def objectives(self) -> Objectives:
        return Objectives.parse(
            ["maximize accuracy", "minimize latency_us"], ["latency_us <= 8 ms", "ram_bytes <= 9 kB"]
        )

    def test_proposals_belong_to_the_space(self, make: Make, space: Space, objectives: Objectives) -> None:
        done = run(make(space, objectives, 3), space, objectives, 60)
        assert all(space.contains(trial.architecture) for trial in done)
        assert {trial.state for trial in done} >= {State.INFEASIBLE, State.FAILED}, "the test is too easy"

    def test_proposals_follow_from_the_seed(self, make: Make, space: Space, objectives: Objectives) -> None:
        first = run(make(space, objectives, 3), space, objectives, 40)
        assert run(make(space, objectives, 3), space, objectives, 40) == first
        other = run(make(space, objectives, 4), space, objectives, 40)
        assert [t.architecture for t in other] != [t.architecture for t in first]

    def test_a_batch_is_what_single_questions_give(
        self, make: Make, space: Space, objectives: Objectives
    ) -> None:
        batch, single = make(space, objectives, 5), make(space, objectives, 5)
        assert batch.ask(6) == [proposal for _ in range(6) for proposal in single.ask(1)]
        assert batch.asked == single.asked

    def test_asking_for_nothing_changes_nothing(
        self, make: Make, space: Space, objectives: Objectives
    ) -> None:
        strategy = make(space, objectives, 5)
        assert strategy.ask(0) == []
        assert strategy.asked == 0

    @pytest.mark.parametrize("stop", [1, 19, 37])
    def test_a_resumed_search_goes_on_as_if_nothing_had_happened(
        self, make: Make, space: Space, objectives: Objectives, stop: int
    ) -> None:
        whole = run(make(space, objectives, 6), space, objectives, 50)
        resumed = make(space, objectives, 6)
        resumed.tell(whole[:stop])
        resumed.asked = stop
        assert run(resumed, space, objectives, 50 - stop) == whole[stop:]

    def test_the_order_of_telling_does_not_matter(
        self, make: Make, space: Space, objectives: Objectives
    ) -> None:
        done = run(make(space, objectives, 7), space, objectives, 40)
        answers = []
        for order in (
            list(range(40)),
            list(range(39, -1, -1)),
            list(np.random.default_rng(0).permutation(40)),
        ):
            strategy = make(space, objectives, 7)
            for index in order:
                strategy.tell([done[index]])
            strategy.asked = 40
            answers.append(strategy.ask(5))
        assert answers[0] == answers[1] == answers[2]

    def test_telling_again_is_harmless(self, make: Make, space: Space, objectives: Objectives) -> None:
        done = run(make(space, objectives, 7), space, objectives, 30)
        once, twice = make(space, objectives, 7), make(space, objectives, 7)
        once.tell(done)
        twice.tell(done)
        twice.tell(done[5:20])
        once.asked = twice.asked = 30
        assert once.ask(5) == twice.ask(5)

    def test_what_was_told_is_not_proposed_again(self, make: Make, objectives: Objectives) -> None:
        few = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16, 24, 32], "pools": []}
        space = make_space("chain", few | {"max_depth": 3}, input_shape=(8, 8, 1), classes=10)  # 84 members
        done = run(make(space, objectives, 8), space, objectives, 42)
        assert len({trial.proposal for trial in done}) == 42

    def test_a_space_that_is_used_up_still_gives_answers(self, make: Make, objectives: Objectives) -> None:
        tiny = make_space(
            "chain",
            {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8], "pools": [], "max_depth": 1},
            input_shape=(8, 8, 1),
            classes=10,
        )
        done = run(make(tiny, objectives, 9), tiny, objectives, 30)
        assert len({trial.architecture for trial in done}) == 1

    def test_what_is_under_way_is_not_proposed_again(self, make: Make, objectives: Objectives) -> None:
        few = {"blocks": ["conv"], "kernels": [3], "strides": [1], "filters": [8, 16, 24, 32], "pools": []}
        space = make_space("chain", few | {"max_depth": 2}, input_shape=(8, 8, 1), classes=10)  # 20 members
        strategy = make(space, objectives, 10)
        under_way: list[Trial] = []
        for number in range(10):
            for proposal in strategy.ask(1):
                under_way.append(Trial(number, proposal.architecture, fidelity=proposal.fidelity))
                strategy.tell(under_way[-1:])
        assert len({trial.proposal for trial in under_way}) == len(under_way) > 0

    def test_telling_what_is_under_way_changes_no_outcome(
        self, make: Make, space: Space, objectives: Objectives
    ) -> None:
        done = run(make(space, objectives, 12), space, objectives, 30)
        once, twice = make(space, objectives, 12), make(space, objectives, 12)
        once.tell(done)
        twice.tell([Trial(t.number, t.architecture, fidelity=t.fidelity) for t in done])
        twice.tell(done)
        twice.tell([Trial(t.number, t.architecture, fidelity=t.fidelity) for t in done])
        once.asked = twice.asked = 30
        assert once.ask(5) == twice.ask(5)

    def test_answers_may_stay_out(self, make: Make, space: Space, objectives: Objectives) -> None:
        strategy = make(space, objectives, 11)
        asked = strategy.ask(40)
        late = [pretend_trial(n, a, space, objectives) for n, a in enumerate(asked) if n % 2]
        strategy.tell(late)
        assert all(space.contains(proposal.architecture) for proposal in strategy.ask(10))

    def test_fidelities_are_shares(self, make: Make, space: Space, objectives: Objectives) -> None:
        assert all(
            0 < trial.fidelity <= 1 for trial in run(make(space, objectives, 3), space, objectives, 40)
        )
