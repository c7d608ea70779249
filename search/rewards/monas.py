"""MONAS' rewards: accuracy against energy, mixed, or one of them as long as the other keeps a limit.

    symbol   meaning
    A        quality, 0 to 1
    E        metric / reference: energy, 1 where it is as much as the reference

    form     reward                                  in the paper
    mixed    alpha * A - (1 - alpha) * E             mixed reward
    limit    A where metric <= limit, else 0         power constraint
    floor    1 - E where quality >= floor, else 0    accuracy constraint

Differs from the paper: any cost may stand for energy or power; the paper's energy is normalised to 0..1, here
a reference says what counts as 1.  In the form `floor` E counts as 1 at most, so that no network that reaches
the floor falls behind one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from search.rewards.base import (
    FixedReward,
    Reward,
    Wishes,
    benefit,
    check_cost,
    check_quality,
    reaches,
    with_metric,
    with_quality,
)
from search.space.options import BadOption, Bounds, build

Positive = Annotated[float, Bounds(above=0)]


@dataclass(frozen=True)
class Monas(FixedReward):
    """See the module.

    Attributes:
        metric: what stands for energy, e.g. "energy_uj".
        form: "mixed", "limit" or "floor".
        alpha: weight of the quality, 0 to 1; form "mixed".
        reference: amount of the metric that counts as 1, in its unit; forms "mixed" and "floor".
        limit: what the metric may be, in its unit; form "limit".
        floor: what the quality must be, in its unit; form "floor".
        quality: what stands for accuracy.

    Source: Hsu et al. 2018, "MONAS: Multi-Objective Neural Architecture Search using Reinforcement Learning",
        arXiv:1806.10332, its reward functions.
    """

    metric: str
    form: Literal["mixed", "limit", "floor"] = "mixed"
    alpha: Annotated[float, Bounds(at_least=0, at_most=1)] = 0.5
    reference: Positive | None = None
    limit: Positive | None = None
    floor: float | None = None
    quality: str = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cost(self.metric)
        check_quality(self.quality)
        needed = {"mixed": ("reference",), "limit": ("limit",), "floor": ("reference", "floor")}[self.form]
        for name in needed:
            if getattr(self, name) is None:
                aim = self.quality if name == "floor" else self.metric
                relation = ">=" if name == "floor" else "<="
                raise BadOption(
                    (name,),
                    f'missing; the form "{self.form}" of reward monas needs it',
                    remedy=f'add {name} = ..., or a constraint such as "{aim} {relation} ..."',
                )

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality, self.metric)

    def __call__(self, values: Mapping[str, float]) -> float:
        quality, cost = benefit(values, self.quality), values[self.metric]
        if self.form == "limit":
            return quality if cost <= (self.limit or 0.0) else 0.0
        energy = cost / (self.reference or 1.0)
        if self.form == "mixed":
            return self.alpha * quality - (1 - self.alpha) * energy
        return 1.0 - min(energy, 1.0) if reaches(values, self.quality, self.floor or 0.0) else 0.0


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Metric as in mnas.  Reference and limit: the metric's limit.  Floor: the limit on the quality."""
    filled = with_quality(with_metric(options, wishes, "monas"), wishes)
    known = wishes.limits.get(filled["metric"])
    if known is not None:
        filled = {"reference": known, "limit": known} | filled
    if wishes.least_quality is not None and filled["quality"] == wishes.quality:
        filled = {"floor": wishes.least_quality} | filled
    return build(Monas, filled)
