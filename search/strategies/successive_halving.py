"""Successive halving: train many architectures for a few epochs, the best part of them for more, and so on.

Source: Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
    Algorithm 1 (Successive Halving), in the form of Li et al. 2018, "Hyperband", in which 1/eta of a rung and
    not the half is kept.
What differs from the papers: a bracket that has ended is followed by another with new samples, until the
budget is used up; and see `search/strategies/rungs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from search.objective import Objectives
from search.space.base import Space
from search.space.options import Bounds, build
from search.strategies.rungs import Bracket, Halving, RungOptions


@dataclass(frozen=True)
class SuccessiveHalvingOptions(RungOptions):
    """As `RungOptions`, and:

    Attributes:
        bracket: how many architectures begin on the lowest rung.
    """

    bracket: Annotated[int, Bounds(at_least=1)] = 9


class SuccessiveHalving(Halving):
    """See the module.

    Args:
        space: what to sample.
        objectives: rank the trials.
        seed: of all choices.
        options: as `SuccessiveHalvingOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        checked = build(SuccessiveHalvingOptions, options)
        bracket = Bracket(checked.bracket, checked.fidelities)
        super().__init__(space, objectives, seed, checked, plan=lambda _: bracket)
