"""uNAS' random scalarization: the worst of all goals counts, under weights that are drawn for each choice.

    symbol     meaning
    x_i        how much of its bound goal i takes: the error or a cost, divided by its bound; at most `CAP`
    lambda_i   its weight, uniform in (0, 1]

    reward = -max_i  x_i / lambda_i

A choice (a tournament of aging evolution) is judged by one draw; over many draws all trade-offs get their
turn, so that the population spreads along the front.  Reports need one order: there all lambda are 1.

Differs from uNAS: a constraint of the study refuses a network before it is trained, and what breaks one ranks
behind all that keep them (docs/objectives.md).  For uNAS' soft bounds give `limits` here, and no constraints.
A lambda of exactly 0 is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np

from search.metrics import METRICS
from search.rewards.base import Reward, Wishes, check_limits, check_quality, with_limits, with_quality
from search.space.options import BadOption, Bounds, Options, build

CAP = 10.0


@dataclass(frozen=True)
class Unas(Options):
    """See the module.

    Attributes:
        limits: metric -> its bound, in its unit or as an amount such as "20 ms".
        error_bound: bound of the error: of 1 - accuracy, or of an error metric in its unit.
        quality: what stands for accuracy.
        weights: the lambda, of the error first, then of the limits in their order; empty: all 1.

    Source: Liberis, Dudziak and Lane 2021, "uNAS: Constrained Neural Architecture Search for
        Microcontrollers", arXiv:2010.14246; `get_mo_fitness_fn` in search_algorithms/aging_evolution.py of
        github.com/eliberis/uNAS.
    """

    limits: Mapping[str, Any]
    error_bound: Annotated[float, Bounds(above=0)]
    quality: str = "accuracy"
    weights: tuple[float, ...] = field(default=(), metadata={"written": False})

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "limits", check_limits(self.limits))
        check_quality(self.quality)

    def __hash__(self) -> int:
        return hash((tuple(self.limits.items()), self.error_bound, self.quality, self.weights))

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality, *self.limits)

    def __call__(self, values: Mapping[str, float]) -> float:
        error = METRICS[self.quality].shortfall(values[self.quality])
        used = [error / self.error_bound, *(values[name] / limit for name, limit in self.limits.items())]
        weights = self.weights or (1.0,) * len(used)
        return -float(max(min(share, CAP) / weight for share, weight in zip(used, weights, strict=True)))

    def redrawn(self, rng: np.random.Generator) -> Unas:
        """With other weights."""
        return replace(self, weights=tuple((1.0 - rng.random(1 + len(self.limits))).tolist()))


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Limits: those of the constraints.  Error bound: from the limit on the quality."""
    filled = with_limits(with_quality(options, wishes), wishes, "unas")
    if "error_bound" not in filled:
        known = wishes.least_quality if filled["quality"] == wishes.quality else None
        bound = None if known is None else METRICS[wishes.quality].shortfall(known)
        if not bound:
            raise BadOption(
                ("error_bound",),
                "missing; it says which error weighs as much as a cost at its limit",
                remedy='add error_bound = 0.1, or a constraint such as "accuracy >= 0.9"',
            )
        filled["error_bound"] = bound
    return build(Unas, filled)
