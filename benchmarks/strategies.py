"""What a strategy costs between two trials: one ask and one tell, with 10,000 trials behind it.  Target:
20 ms.

    python benchmarks/strategies.py
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from search.objective import Objectives
from search.space import make_space
from search.space.base import Space
from search.strategies import STRATEGIES, make_strategy
from search.testing.pretend import pretend_trial
from search.trial import Proposal, Trial

TARGET_MS = 20.0
HISTORY = 10_000
ROUNDS = 200
MOST_S = 20.0  # of one strategy
LEFT_OUT = ("exhaustive", "keras_tuner")  # learns nothing; replays all trials into an oracle of KerasTuner


def own_history(name: str, space: Space, objectives: Objectives) -> list[Trial]:
    """As many trials as the strategy asks for itself."""
    strategy = make_strategy(name, space, objectives, seed=0)
    trials: list[Trial] = []
    for number in range(HISTORY):
        trials.append(pretend_trial(number, strategy.ask(1)[0], space, objectives))
        strategy.tell(trials[-1:])
    return trials


@dataclass(frozen=True)
class Figures:
    """Milliseconds of CPU: of ask(1) + tell(1), and of taking up a study."""

    median_ms: float
    slowest_ms: float
    resume_ms: float


def measured() -> dict[str, Figures]:
    """Name -> figures, for all strategies that learn from trials in this process."""
    space = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    objectives = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 8 ms"])
    rng = np.random.default_rng(0)
    history = [
        pretend_trial(number, Proposal(space.sample(rng)), space, objectives) for number in range(HISTORY)
    ]
    return {name: one(name, space, objectives, history) for name in STRATEGIES if name not in LEFT_OUT}


def one(name: str, space: Space, objectives: Objectives, history: list[Trial]) -> Figures:
    """Figures of one strategy."""
    strategy = make_strategy(name, space, objectives, seed=0)
    # Strategies of many fidelities make nothing of trials that they have not planned.
    behind = own_history(name, space, objectives) if strategy.ask(1)[0].fidelity < 1 else history
    start = time.process_time()
    strategy.tell(behind)
    strategy.asked = HISTORY - 1
    strategy.ask(1)  # what is folded over all trials is folded at the first question
    resume_ms = (time.process_time() - start) * 1e3
    spent_ms: list[float] = []
    while len(spent_ms) < ROUNDS and sum(spent_ms) < MOST_S * 1e3:
        number = HISTORY + len(spent_ms)
        start = time.process_time()
        (proposal,) = strategy.ask(1)
        asked = time.process_time()
        outcome: list[Trial] = [pretend_trial(number, proposal, space, objectives)]
        told = time.process_time()
        strategy.tell(outcome)
        spent_ms.append((asked - start + time.process_time() - told) * 1e3)
    return Figures(float(np.median(spent_ms)), max(spent_ms), resume_ms)


def show(figures: dict[str, Figures]) -> None:
    """As a table."""
    table = Table(
        title=f"CPU of ask(1) + tell(1) after {HISTORY:,} trials (target of evolution: {TARGET_MS:g} ms)"
    )
    table.add_column("strategy")
    for column in ("median, ms", "slowest, ms", "resume, ms"):
        table.add_column(column, justify="right")
    table.add_column("below the target")
    for name, found in figures.items():
        met = "yes" if found.slowest_ms <= TARGET_MS else "no"
        table.add_row(
            name, f"{found.median_ms:.3f}", f"{found.slowest_ms:.3f}", f"{found.resume_ms:.0f}", met
        )
    Console().print(table)


if __name__ == "__main__":
    show(measured())
