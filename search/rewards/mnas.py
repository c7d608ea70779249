"""MnasNet's reward: quality times a power of what the network costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from search.rewards.base import (
    SMALLEST,
    FixedReward,
    Reward,
    Wishes,
    benefit,
    check_cost,
    check_quality,
    with_metric,
    with_quality,
)
from search.space.options import BadOption, Bounds, build


@dataclass(frozen=True)
class Mnas(FixedReward):
    """accuracy * (metric / target) ** w, where w = alpha up to the target and beta above it.

    Tan et al. 2019, equation 2.  alpha = beta = -0.07 (their soft constraint) trades a doubling of latency
    for 5 % of accuracy, relatively; the target then scales all rewards alike and ranks nothing.  alpha = 0,
    beta = -1 is their hard constraint.

    Attributes:
        metric: what is traded against accuracy, e.g. "latency_us".
        target: in the metric's unit.
        quality: what stands for accuracy.

    Source: Tan et al. 2019, "MnasNet: Platform-Aware Neural Architecture Search for Mobile", equation 2.
    """

    metric: str
    target: Annotated[float, Bounds(above=0)]
    alpha: Annotated[float, Bounds(at_most=0)] = -0.07
    beta: Annotated[float, Bounds(at_most=0)] = -0.07
    quality: str = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cost(self.metric)
        check_quality(self.quality)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality, self.metric)

    def __call__(self, values: Mapping[str, float]) -> float:
        ratio = max(values[self.metric], SMALLEST) / self.target
        return float(benefit(values, self.quality) * ratio ** (self.alpha if ratio <= 1 else self.beta))


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Metric: the first objective to shrink, else the first one limited.  Target: its limit."""
    filled = with_quality(with_metric(options, wishes, "mnas"), wishes)
    if "target" not in filled and filled["metric"] in wishes.limits:
        filled["target"] = wishes.limits[filled["metric"]]
    # Without a target the reward has another common factor, which ranks nothing as long as alpha = beta.
    made = build(Mnas, {"target": 1.0} | filled)
    if "target" not in filled and made.alpha != made.beta:
        raise BadOption(
            ("target",),
            "missing; where alpha and beta differ, the target matters",
            remedy=f'add target = ..., or a constraint such as "{made.metric} <= 20000"',
        )
    return made
