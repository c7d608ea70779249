"""A weighted sum; the weights are the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.metrics import find_metric
from search.rewards.base import FixedReward, Reward, Wishes
from search.space.options import BadOption, build


@dataclass(frozen=True)
class Weighted(FixedReward):
    """Sum of weight * value, each value in its metric's unit.

    Attributes:
        weights: metric -> weight: positive for what is to grow, negative for what is to shrink.
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weights:
            raise BadOption(("weights",), "got none, expected at least one, e.g. { accuracy = 1.0 }")
        for name, weight in self.weights.items():
            sign = 1 if find_metric(name, key=("weights",)).better == "maximize" else -1
            if isinstance(weight, bool) or not isinstance(weight, int | float) or weight * sign <= 0:
                wanted = "a positive number" if sign > 0 else "a negative number, it is better when smaller"
                raise BadOption(("weights", name), f"got {weight!r}, expected {wanted}")

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.weights.items())))

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self.weights)

    def __call__(self, values: Mapping[str, float]) -> float:
        return float(sum(weight * values[name] for name, weight in self.weights.items()))


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """All of it is written."""
    return build(Weighted, options)
