"""Accuracy first, then hardware: below a floor only the quality counts, from there on what the network costs.

    reward = A - 1                                below the floor: never above 0
    reward = A + mean_i (limit_i / cost_i)        from the floor on: always above 0

A is the quality, 0 to 1.  So every network that reaches the floor ranks before every one that does not; among
the former half the cost is worth as much as one more time the limit, and the quality settles what is close.

Source: none; a lexicographic order as one number, made for this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.rewards.base import (
    SMALLEST,
    FixedReward,
    Reward,
    Wishes,
    benefit,
    check_limits,
    check_quality,
    reaches,
    with_limits,
    with_quality,
)
from search.space.options import BadOption, build


@dataclass(frozen=True)
class TwoStage(FixedReward):
    """See the module.

    Attributes:
        limits: metric -> its limit, in its unit or as an amount such as "20 ms".
        floor: what the quality must be, in its unit.
        quality: what stands for accuracy.
    """

    limits: Mapping[str, Any]
    floor: float
    quality: str = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "limits", check_limits(self.limits))
        check_quality(self.quality)

    def __hash__(self) -> int:
        return hash((tuple(self.limits.items()), self.floor, self.quality))

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality, *self.limits)

    def __call__(self, values: Mapping[str, float]) -> float:
        spare = [limit / max(values[name], SMALLEST) for name, limit in self.limits.items()]
        quality = benefit(values, self.quality)
        if not reaches(values, self.quality, self.floor):
            return quality - 1.0
        return float(quality + sum(spare) / len(spare))


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Limits: those of the constraints.  Floor: the limit on the quality."""
    filled = with_limits(with_quality(options, wishes), wishes, "two_stage")
    if "floor" not in filled:
        if wishes.least_quality is None or filled["quality"] != wishes.quality:
            raise BadOption(
                ("floor",),
                f"missing; it says from which {filled['quality']} on hardware counts",
                remedy=f'add floor = ..., or a constraint on {filled["quality"]} such as "accuracy >= 0.9"',
            )
        filled["floor"] = wishes.least_quality
    return build(TwoStage, filled)
