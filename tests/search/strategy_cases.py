"""What the tests of several strategies share: made-up outcomes, a space that remembers, a reward by lot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from search.objective import Objectives
from search.space.base import Architecture, Space
from search.strategies import make_strategy
from search.testing.pretend import pretend_trial
from search.trial import Proposal, State, Trial


class SpaceWithMemory:
    """A space that remembers whose child is whose."""

    def __init__(self, inner: Space) -> None:
        self._inner = inner
        self.mutated: list[str] = []
        self.crossed: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def mutate(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        self.mutated.append(parent.text)
        return self._inner.mutate(parent, rng)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        self.crossed.append((a.text, b.text))
        return self._inner.crossover(a, b, rng)


@dataclass(frozen=True)
class RewardByLot:
    """Accuracy against latency, with a new weight for each choice."""

    weight: float = 0.5

    @property
    def metrics(self) -> tuple[str, ...]:
        return ("accuracy", "latency_us")

    def __call__(self, values: Mapping[str, float]) -> float:
        return self.weight * values["accuracy"] - (1 - self.weight) * values["latency_us"] / 8000

    def redrawn(self, rng: np.random.Generator) -> RewardByLot:
        return RewardByLot(float(rng.random()))


def by_lot(objectives: Objectives) -> Objectives:
    """These objectives with a reward that is drawn at random."""
    return replace(objectives, reward=RewardByLot())


def complete(
    number: int, text: str, accuracy: float, latency_us: float = 1000.0, *, fidelity: float = 1.0
) -> Trial:
    """A trial that is complete; it keeps constraints on latency that this one keeps."""
    values = {"accuracy": accuracy, "latency_us": latency_us}
    return Trial(number, Architecture("chain", text), State.COMPLETE, values=values, fidelity=fidelity)


def too_slow(number: int, text: str, latency_us: float, *, fidelity: float = 1.0) -> Trial:
    """A trial that is infeasible."""
    values = {"latency_us": latency_us}
    return Trial(number, Architecture("chain", text), State.INFEASIBLE, values=values, fidelity=fidelity)


def study(
    name: str,
    space: Space,
    objectives: Objectives,
    seed: int,
    *,
    trials: int | None = None,
    epochs: float = float("inf"),
    options: Mapping[str, object] | None = None,
) -> list[Trial]:
    """What a study makes of a strategy: repeated proposals are dropped, 20 in a row or none at all end it.

    Args:
        trials: budget.
        epochs: budget in trainings of full length; only complete trials have been trained.
    """
    strategy = make_strategy(name, space, objectives, seed=seed, options=options)
    done: list[Trial] = []
    seen: set[Proposal] = set()
    repeats = 0
    while len(done) != trials and epochs > 0 and repeats < 20:
        proposals = strategy.ask(1)
        if not proposals:
            break
        repeats = repeats + 1 if proposals[0] in seen else 0
        if repeats:
            continue
        seen.add(proposals[0])
        strategy.tell([Trial(len(done), proposals[0].architecture, fidelity=proposals[0].fidelity)])
        done.append(pretend_trial(len(done), proposals[0], space, objectives))
        strategy.tell(done[-1:])
        epochs -= done[-1].fidelity if done[-1].state is State.COMPLETE else 0
    return done
