"""Hyperband: successive halving with every trade between many architectures and long trainings in turn.

Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018, "Hyperband: A Novel Bandit-Based Approach to
    Hyperparameter Optimization", Algorithm 1.
What differs from the paper: after the last bracket (s = 0) comes the first again, with new samples, until the
budget is used up; and see `search/strategies/rungs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from search.objective import Objectives
from search.space.base import Space
from search.space.options import build
from search.strategies.rungs import Bracket, Halving, RungOptions


@dataclass(frozen=True)
class HyperbandOptions(RungOptions):
    """As `RungOptions`; the paper's R is 1 / `min_fidelity`."""


def brackets(options: RungOptions) -> tuple[Bracket, ...]:
    """The brackets of Algorithm 1, from s_max down to 0.

    Bracket s begins with n = ceil(B/R * eta**s / (s + 1)) architectures, where B/R = s_max + 1, at 1/eta**s
    of the epochs; each has about the same epochs to spend.
    """
    fidelities = options.fidelities
    count = len(fidelities)  # s_max + 1
    return tuple(
        [
            Bracket(-(-count * options.eta**s // (s + 1)), fidelities[count - 1 - s :])
            for s in reversed(range(count))
        ]
    )


class Hyperband(Halving):
    """See the module.

    Args:
        space: what to sample.
        objectives: rank the trials.
        seed: of all choices.
        options: as `HyperbandOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        checked = build(HyperbandOptions, options)
        planned = brackets(checked)
        super().__init__(space, objectives, seed, checked, plan=lambda number: planned[number % len(planned)])
