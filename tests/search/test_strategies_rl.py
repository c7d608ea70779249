"""MetaQNN, BlockQNN and REINFORCE: the suite, their equations, their order of learning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from search.objective import Objectives
from search.space import make_space
from search.space.base import Architecture, Choice, Space
from search.space.decisions import Choose, DecisionSpace
from search.space.layers import ClassProbabilities, Conv, Dense, GlobalAverage, Layer
from search.space.options import BadOption
from search.strategies import make_strategy, strategy_options
from search.strategies.block_qnn import BlockQnn
from search.strategies.controller import Adam, Controller, Emitted, Token
from search.strategies.lessons import Lessons, RelativeRewards
from search.strategies.metaqnn import MetaQnn, MetaQnnOptions
from search.strategies.q_learning import QTable
from search.strategies.reinforce import Reinforce
from search.strategies.stepwise import role
from search.testing.pretend import pretend_trial
from search.testing.strategy_suite import Make, StrategySuite
from search.trial import Proposal, State, Trial

QUICK = {"metaqnn": {"replay": 20}, "block_qnn": {"batch": 4}, "reinforce": {"units": 8, "batch": 4}}


class OfTheTable(StrategySuite):
    name: str

    @pytest.fixture
    def make(self) -> Make:
        return lambda space, objectives, seed: make_strategy(
            self.name, space, objectives, seed=seed, options=QUICK[self.name]
        )


class TestMetaQnn(OfTheTable):
    name = "metaqnn"


class TestBlockQnn(OfTheTable):
    name = "block_qnn"


class TestReinforce(OfTheTable):
    name = "reinforce"


class Towers(DecisionSpace):
    """1 to 3 equal questions about convolutions."""

    name = "towers"

    def decode(self, choose: Choose) -> Iterable[Layer]:
        source = "input"
        for number in range(1, choose("depth", (1, 2, 3)) + 1):
            filters = choose(f"block{number}.filters", (8, 16, 32))
            kernel = choose(f"block{number}.kernel", (1, 3))
            yield Conv(f"block{number}", (source,), filters, kernel, 1, "relu6")
            source = f"block{number}"
        yield GlobalAverage("average", (source,))
        yield Dense("classes", ("average",), self.classes, "none")
        yield ClassProbabilities("probabilities", ("classes",))


@pytest.fixture
def towers() -> Space:
    return Towers(input_shape=(8, 8, 1), classes=10)


@pytest.fixture
def accuracy() -> Objectives:
    return Objectives.parse(["maximize accuracy"], reward="accuracy")


def complete(number: int, text: str, value: float) -> Trial:
    return Trial(number, Architecture("towers", text), State.COMPLETE, values={"accuracy": value})


DEEP = "depth=2 block1.filters=8 block1.kernel=1 block2.filters=32 block2.kernel=3"
FLAT = "depth=1 block1.filters=16 block1.kernel=3"


# Q-learning


def test_the_update_is_equation_3() -> None:
    """Two decisions; after the first a third way leads elsewhere.  Worked by hand with alpha = 0.1."""
    table = QTable(alpha=0.1, initial=0.5)
    good, poor = [("root", 2, 0), ("left", 2, 1)], [("root", 2, 1), ("right", 3, 2)]
    table.update(table.steps(good), 1.0)
    assert list(table.values("left", 2)) == pytest.approx([0.5, 0.9 * 0.5 + 0.1 * 1.0])
    assert list(table.values("root", 2)) == pytest.approx([0.9 * 0.5 + 0.1 * 0.55, 0.5])
    table.update(table.steps(poor), 0.0)
    assert list(table.values("right", 3)) == pytest.approx([0.5, 0.5, 0.45])
    assert list(table.values("root", 2)) == pytest.approx([0.505, 0.9 * 0.5 + 0.1 * 0.5]), (
        "max, not the way taken"
    )
    assert list(table.values("never seen", 2)) == [0.5, 0.5]


def test_shaped_rewards_are_those_of_the_paper_where_the_initial_value_is_0() -> None:
    """r_t = r_T / T for T = 3 decisions, alpha = 0.5, in reverse order."""
    table = QTable(alpha=0.5, initial=0.0, shaped=True)
    table.update(table.steps([("a", 2, 0), ("b", 2, 0), ("c", 2, 0)]), 0.9)
    assert table.values("c", 2)[0] == pytest.approx(0.45)
    assert table.values("b", 2)[0] == pytest.approx(0.5 * (0.3 + 0.45))
    assert table.values("a", 2)[0] == pytest.approx(0.5 * (0.3 + 0.375))


def test_a_reward_that_equals_the_initial_value_teaches_nothing_shaped_or_not() -> None:
    for shaped in (False, True):
        table = QTable(alpha=0.3, initial=0.5, shaped=shaped)
        table.update(table.steps([("a", 2, 0), ("b", 2, 1)]), 0.5)
        assert [*table.values("a", 2), *table.values("b", 2)] == pytest.approx([0.5] * 4)


def test_the_schedule_of_the_paper_is_stretched_to_the_budget() -> None:
    paper = {
        "budget": 270,
        "epsilons": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        "phases": [1500, 100, 100, 100, 150, 150, 150, 150, 150, 150],
    }
    options = strategy_options("metaqnn", paper)
    assert isinstance(options, MetaQnnOptions)
    epsilons = [options.epsilon(number) for number in range(300)]
    assert epsilons[:150] == [1.0] * 150
    assert epsilons[150:180] == [0.9] * 10 + [0.8] * 10 + [0.7] * 10
    assert epsilons[180:270] == [e for e in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1) for _ in range(15)]
    assert epsilons[270:] == [0.1] * 30, "the last one holds"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilons": [1.0, 0.1]}, "expected one for each of 2 epsilons"),
        ({"epsilons": [1.0], "phases": [0]}, "at least one above 0"),
        ({"epsilons": [1.5], "phases": [1]}, "got 1.5"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        strategy_options("block_qnn", options)


GREEDY = {"epsilons": [0.0], "phases": [1], "replay": 400}


def test_greedily_metaqnn_walks_the_best_way_it_knows(towers: Space, accuracy: Objectives) -> None:
    trials = [complete(0, DEEP, 0.9), complete(1, FLAT, 0.1)]
    strategy = MetaQnn(towers, accuracy, 0, initial=0.0, memory=2, **GREEDY)
    strategy.tell(trials)
    walked = strategy._walked(strategy._decide(2, np.random.default_rng(0)))
    assert walked.text == DEEP


@pytest.mark.parametrize(("name", "shares"), [("block_qnn", True), ("metaqnn", False)])
def test_what_block_qnn_learnt_of_one_part_holds_for_the_others(
    name: str, shares: bool, towers: Space, accuracy: Objectives
) -> None:
    """Only first blocks were ever built, the best with 32 filters and kernel 3.  MetaQNN knows nothing of the
    third, BlockQNN makes it alike."""
    others = [(8, 1), (8, 3), (16, 1), (16, 3), (32, 1)]
    trials = [
        complete(number, f"depth=1 block1.filters={filters} block1.kernel={kernel}", 0.1)
        for number, (filters, kernel) in enumerate(others)
    ]
    trials.append(complete(5, "depth=1 block1.filters=32 block1.kernel=3", 0.9))
    options = GREEDY | {"initial": 0.0, "batch": 6}
    thirds = set()
    for seed in range(8):
        strategy = make_strategy(name, towers, accuracy, seed=seed, options=options)
        strategy.tell(trials)
        decide = strategy._decide(9, np.random.default_rng(seed))  # type: ignore[attr-defined]
        path: tuple[int, ...] = (2, 0, 0, 0, 0)  # depth=3, two blocks
        made = []
        while (choice := towers.choice(path)) is not None:
            before = [(towers.choice(path[:end]), path[end]) for end in range(len(path))]
            made.append(choice.options[decide(choice, before)])
            path = (*path, choice.options.index(made[-1]))
        thirds.add(tuple(made))
    assert (thirds == {(32, 3)}) == shares


def test_roles_forget_the_numbers_of_parts_alone() -> None:
    assert role(Choice("stage2.block11.kernel", (3, 5))) == role(Choice("stage1.block3.kernel", (3,)))
    assert role(Choice("normal.op1", (3, 5))) != role(Choice("normal.op2", (3, 5)))
    assert role(Choice("normal1.op", (3, 5))) != role(Choice("reduce1.op", (3, 5)))
    assert role(Choice("depth", (1, 2))) == ".depth"


def test_the_reward_of_block_qnn_weighs_flops_and_density_where_asked(
    towers: Space, accuracy: Objectives
) -> None:
    """mu = 1: a factor of e in FLOPs is worth one percent of accuracy, as in the paper."""
    small, large = complete(0, FLAT, 0.900), complete(1, DEEP, 0.905)
    macs = [towers.cost(trial.architecture).macs for trial in (small, large)]
    assert macs[1] > 3 * macs[0]
    plain, weighed = BlockQnn(towers, accuracy, 0), BlockQnn(towers, accuracy, 0, mu=1.0, rho=8.0)
    for strategy in (plain, weighed):
        strategy.tell([small, large])
    assert plain._rank(small) < plain._rank(large)
    assert weighed._rank(small) > weighed._rank(large)
    edges_per_layer = 1.0  # a chain: each layer has one input
    expected = 100 * 0.9 - np.log(2 * macs[0]) - 8 * np.log(edges_per_layer)
    assert weighed._rank(small)[1] == pytest.approx(expected)


# REINFORCE


def batch_of_networks(rng: np.random.Generator) -> list[list[Emitted]]:
    """Networks of different lengths, with choices of different widths, some tokens shared."""
    batch = []
    for length in (3, 1, 4):
        network = []
        for t in range(length):
            options = tuple([Token("ab"[t % 2], value) for value in range(2 + (t + length) % 3)])
            network.append(Emitted(options, int(rng.integers(len(options)))))
        batch.append(network)
    return batch


@pytest.mark.parametrize("layers", [1, 2])
def test_the_gradient_is_that_of_finite_differences(layers: int) -> None:
    rng = np.random.default_rng(1)
    controller = Controller(units=3, layers=layers, seed=0)
    batch, advantages = batch_of_networks(rng), np.array([0.7, -1.2, 0.4])
    controller.gradients(batch, advantages, 0.3)  # enters the tokens
    for name, weights in controller.weights.items():
        controller.weights[name] = weights + 0.5 * rng.standard_normal(
            weights.shape
        )  # gates out of the middle
    _, gradients = controller.gradients(batch, advantages, 0.3)
    assert set(gradients) == set(controller.weights)
    step = 1e-5
    for name, weights in controller.weights.items():
        numeric = np.zeros_like(weights)
        for index in np.ndindex(*weights.shape):
            before = weights[index]
            losses = []
            for shift in (step, -step):
                weights[index] = before + shift
                losses.append(controller.gradients(batch, advantages, 0.3)[0])
            weights[index] = before
            numeric[index] = (losses[0] - losses[1]) / (2 * step)
        assert np.abs(numeric).max() > 1e-4, f"{name} has no part in the loss: the test is too easy"
        np.testing.assert_allclose(gradients[name], numeric, atol=1e-8, rtol=1e-5, err_msg=name)


def test_the_loss_is_the_log_probability_of_what_was_emitted() -> None:
    """The way forward by batches and the one decision by decision agree."""
    rng = np.random.default_rng(2)
    controller, batch = Controller(units=4, layers=2, seed=0), batch_of_networks(rng)
    advantages = np.array([1.0, 2.0, -0.5])
    loss, _ = controller.gradients(batch, advantages, 0.0)
    logs = []
    for network in batch:
        memory, last, total = controller.begin(), None, 0.0
        for emitted in network:
            shares = controller.probabilities(memory, last, emitted.options)
            assert shares.sum() == pytest.approx(1)
            last = emitted.options[emitted.taken]
            total += np.log(shares[emitted.taken])
        logs.append(total)
    assert loss == pytest.approx(-np.mean(advantages * np.array(logs)))


def test_weights_do_not_depend_on_when_a_token_was_met() -> None:
    one, other = Controller(4, 1, seed=3), Controller(4, 1, seed=3)
    options = (Token("a", 1), Token("a", 2))
    batch = [[Emitted(options, 0)]]
    before = one.probabilities(one.begin(), None, options)
    other.gradients([[Emitted((Token("z", 0), Token("a", 2)), 0)], *batch], np.zeros(2), 0.0)
    np.testing.assert_allclose(other.probabilities(other.begin(), None, options), before)
    assert one.probabilities(one.begin(), None, (Token("a", 1), Token("a", "1")))[0] != 0.5, "1 is not '1'"


def test_adam_takes_its_first_step_with_the_learning_rate() -> None:
    weights = {"w": np.array([1.0, 1.0])}
    adam = Adam(0.1)
    adam.step(weights, {"w": np.array([3.0, -0.001])})
    np.testing.assert_allclose(weights["w"], [0.9, 1.1], atol=1e-4)
    grown = {"w": np.append(weights["w"], 5.0)}
    adam.step(grown, {"w": np.zeros(3)})
    assert grown["w"][2] == 5.0, "what was added has no momentum"


def test_the_policy_moves_to_what_is_rewarded(towers: Space, accuracy: Objectives) -> None:
    """Networks with a kernel of 3 in their first block fare well: the policy comes to make them."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(160):
        text = towers.sample(rng).text
        trials.append(complete(number, text, 0.9 if "block1.kernel=3" in text else 0.1))
    strategy = Reinforce(towers, accuracy, 0, units=8)

    def share() -> float:
        walks = [strategy._walked(strategy._decide(0, np.random.default_rng((9, n)))) for n in range(60)]
        return float(np.mean(["block1.kernel=3" in walk.text for walk in walks]))

    assert 0.3 < share() < 0.7
    strategy.tell(trials)
    assert share() > 0.85


# Rewards and the order of learning


def test_relative_rewards_do_not_depend_on_the_scale() -> None:
    ranks = [(2, 0.1), (2, 0.2), (2, 0.4), (1, -0.5), (1, -3.0), (0, 0.0)]
    for scale in (1.0, 1e6, 1e-6):
        rewards = RelativeRewards()
        for kind, value in ranks:
            rewards.add((kind, value * scale))
        got = [rewards((kind, value * scale)) for kind, value in ranks]
        assert got == pytest.approx([1 / 6, 3 / 6, 5 / 6, -0.25, -0.75, -1.0])


def trials_of(numbers: Iterable[int]) -> list[Trial]:
    return [complete(number, FLAT, number / 100) for number in numbers]


def given(lessons: Lessons) -> list[tuple[int, list[int]]]:
    return [(batch, [trial.number for trial in trials]) for batch, trials in lessons.due()]


def test_a_batch_is_due_when_all_of_it_was_told() -> None:
    lessons = Lessons(size=3, patience=10)
    lessons.add(trials_of([0, 2, 3, 4]))
    assert given(lessons) == []
    lessons.add(trials_of([1]))
    assert given(lessons) == [(0, [0, 1, 2])]
    assert given(lessons) == []


def test_who_stays_out_holds_learning_back_for_a_bounded_while() -> None:
    lessons = Lessons(size=2, patience=4)
    lessons.add(trials_of([0, 2, 3, 4, 5]))
    assert given(lessons) == [], "5 is larger than 1 by 4"
    lessons.add(trials_of([6]))
    assert given(lessons) == [(0, [0]), (1, [2, 3]), (2, [4, 5])]
    assert lessons.add(trials_of([7])) is False
    assert lessons.add(trials_of([3])) is False, "told before"
    assert lessons.add([Trial(1, Architecture("towers", FLAT))]) is False, "still under way"
    assert lessons.add(trials_of([1])) is True
    lessons.restart()
    assert given(lessons) == [(0, [0, 1]), (1, [2, 3]), (2, [4, 5]), (3, [6, 7])]


@pytest.mark.parametrize("name", QUICK)
def test_a_late_answer_leads_to_where_an_early_one_would_have(
    name: str, towers: Space, accuracy: Objectives
) -> None:
    rng = np.random.default_rng(3)
    done = [pretend_trial(n, Proposal(towers.sample(rng)), towers, accuracy) for n in range(40)]
    asked = []
    for order in (done, [*done[:5], *done[6:], done[5]]):
        options = QUICK[name] | {"patience": 3, "walks": 1, "attempts": 1}
        strategy = make_strategy(name, towers, accuracy, seed=1, options=options)
        for trial in order:
            strategy.tell([trial])
        strategy.asked = 200
        asked.append([strategy.ask(5), strategy.ask(5)])
    assert asked[0] == asked[1]


# Whether it is worth it


def chain_with(goal: str) -> tuple[Space, Objectives, Callable[[int, Proposal], Trial]]:
    """The nearer to a hidden network, the better."""
    space = make_space("chain", {"max_depth": 5}, input_shape=(8, 8, 1), classes=10)
    objectives, hidden = (
        Objectives.parse(["maximize accuracy"], reward="accuracy"),
        Architecture("chain", goal),
    )

    def fare(number: int, proposal: Proposal) -> Trial:
        nearness = 1 / (1 + space.distance(proposal.architecture, hidden))
        return Trial(number, proposal.architecture, State.COMPLETE, values={"accuracy": nearness})

    return space, objectives, fare


def chain_with_limits() -> tuple[Space, Objectives, Callable[[int, Proposal], Trial]]:
    """Most networks are too slow or too large."""
    space = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    objectives = Objectives.parse(
        ["maximize accuracy"], ["latency_us <= 600 us", "ram_bytes <= 7 kB"], reward="accuracy"
    )
    return space, objectives, lambda number, proposal: pretend_trial(number, proposal, space, objectives)


@pytest.mark.parametrize(
    ("name", "problem", "seeds"),
    [
        ("metaqnn", lambda: chain_with("ds3-16 ir5-32x4 conv3-64/2 conv5-24"), 3),
        ("metaqnn", lambda: chain_with("ds3-24 ds3-24 ds3-24 ds3-24"), 3),
        ("block_qnn", lambda: chain_with("ds3-24 ds3-24 ds3-24 ds3-24"), 4),
        ("reinforce", lambda: chain_with("ds3-24 ds3-24 ds3-24 ds3-24"), 2),
        ("reinforce", chain_with_limits, 2),
    ],
    ids=[
        "metaqnn",
        "metaqnn-equal-blocks",
        "block_qnn-equal-blocks",
        "reinforce-equal-blocks",
        "reinforce-limits",
    ],
)
def test_three_hundred_trials_beat_random_search(
    name: str, problem: Callable[[], tuple[Space, Objectives, Callable[[int, Proposal], Trial]]], seeds: int
) -> None:
    """With the defaults; the best reward, and the mean of the last 100 trials (0 for what is infeasible)."""
    space, objectives, fare = problem()

    def search(strategy: str, seed: int) -> tuple[float, float]:
        searching, rewards = make_strategy(strategy, space, objectives, seed=seed), []
        for number in range(300):
            trial = fare(number, searching.ask(1)[0])
            searching.tell([trial])
            rank = objectives.rank(trial)
            rewards.append(rank[1] if rank[0] == 2 else 0.0)
        return max(rewards), float(np.mean(rewards[-100:]))

    learnt = np.mean([search(name, seed) for seed in range(seeds)], axis=0)
    drawn = np.mean([search("random", seed) for seed in range(6)], axis=0)
    assert learnt[0] > drawn[0]
    assert learnt[1] > 1.15 * drawn[1]
