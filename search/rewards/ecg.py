"""A normalised sum of accuracy and of exponentials that fade as costs grow.

    symbol   meaning
    A        quality, 0 to 1, with weight w_a > 0
    P_i      cost i relative to its limit: usage (cost / limit), or excess (what is above 1 of it, else 0)
    w_i      weight of cost i, negative

    reward = (w_a * A + sum_i |w_i| * exp(w_i * P_i)) / (w_a + sum_i |w_i|)

It lies in 0..1, and is 1 for a perfect network that costs nothing.  A heavier weight counts twice: its term
has a larger share, and fades faster.

Named after the use that it was asked for: searching ECG classifiers for the nRF52840, with a reward of the
form R = (w_a ACC + sum w exp(w_i P_i)) / sum |w|.  That leaves open the signs of the weights and what P_i is.
This reading takes the factor as |w_i| and the exponent's weight as negative, so that a cost lowers the reward
and R keeps to 0..1; `penalty` chooses P_i.  It was not held against a publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, isfinite
from typing import Annotated, Any, Literal

from search.rewards.base import (
    FixedReward,
    Reward,
    Wishes,
    benefit,
    check_limits,
    check_quality,
    with_limits,
    with_quality,
)
from search.space.options import BadOption, Bounds, build


@dataclass(frozen=True)
class Ecg(FixedReward):
    """See the module.

    Attributes:
        limits: metric -> its limit, in its unit or as an amount such as "20 ms".
        weights: metric -> weight, below 0; -1 where none is given.
        quality_weight: weight of the quality.
        penalty: what P_i is: "usage" or "excess".
        quality: what stands for accuracy.
    """

    limits: Mapping[str, Any]
    weights: Mapping[str, float] = field(default_factory=dict)
    quality_weight: Annotated[float, Bounds(above=0)] = 1.0
    penalty: Literal["usage", "excess"] = "usage"
    quality: str = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "limits", check_limits(self.limits))
        check_quality(self.quality)
        for name, weight in self.weights.items():
            if name not in self.limits:
                raise BadOption(
                    ("weights",),
                    f"'{name}' has a weight, but no limit to hold it against",
                    remedy=f"limited are: {', '.join(self.limits)}",
                )
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not isfinite(weight) or weight >= 0:
                raise BadOption(("weights", name), f"got {weight!r}, expected a number < 0")

    def __hash__(self) -> int:
        return hash((tuple(self.limits.items()), self.quality_weight, self.penalty, self.quality))

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality, *self.limits)

    def __call__(self, values: Mapping[str, float]) -> float:
        total, weights = self.quality_weight * benefit(values, self.quality), self.quality_weight
        for name, limit in self.limits.items():
            weight, usage = self.weights.get(name, -1.0), values[name] / limit
            part = usage if self.penalty == "usage" else max(0.0, usage - 1.0)
            total += abs(weight) * exp(weight * part)
            weights += abs(weight)
        return total / weights


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Limits: those of the constraints."""
    return build(Ecg, with_limits(with_quality(options, wishes), wishes, "ecg"))
