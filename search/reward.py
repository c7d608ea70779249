"""Rewards: named ways to make one number of a trial's values, for strategies that climb a single one.

A reward ranks; it does not replace the objectives, whose Pareto front is what a study reports.

| name     | reward                                   | source                                             |
|----------|------------------------------------------|----------------------------------------------------|
| mnas     | accuracy * (metric / target) ** exponent | Tan et al. 2019, "MnasNet", equation 2             |
| accuracy | accuracy                                 |                                                    |
| weighted | sum of weight * value                    | weighted sum; the weights are the user's own       |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Self

import numpy as np

from search.metrics import find_metric
from search.space.options import BadOption, Bounds, Options, build, nearest


class Reward(Protocol):
    """One number from a complete trial's values; larger is better.

    Attributes:
        metrics: what it needs in the values.
    """

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the values that it reads."""

    def __call__(self, values: Mapping[str, float]) -> float:
        """The reward.  Raises KeyError where a metric is missing."""

    def redrawn(self, rng: np.random.Generator) -> Reward:
        """The reward to judge the next choice with: itself, unless its weights are random."""


@dataclass(frozen=True)
class FixedReward(Options):
    """Base of those that judge all choices alike."""

    def redrawn(self, rng: np.random.Generator) -> Self:
        """Itself."""
        return self


@dataclass(frozen=True)
class Accuracy(FixedReward):
    """Accuracy of the int8 network alone; constraints keep the rest in bounds."""

    @property
    def metrics(self) -> tuple[str, ...]:
        return ("accuracy",)

    def __call__(self, values: Mapping[str, float]) -> float:
        return values["accuracy"]


@dataclass(frozen=True)
class Mnas(FixedReward):
    """accuracy * (metric / target) ** w, where w = alpha up to the target and beta above it.

    Tan et al. 2019, equation 2.  alpha = beta = -0.07 (their soft constraint) trades a doubling of latency
    for 5 % of accuracy, relatively; the target then scales all rewards alike and ranks nothing.  alpha = 0,
    beta = -1 is their hard constraint.

    Attributes:
        metric: what is traded against accuracy, e.g. "latency_us".
        target: in the metric's unit.
    """

    metric: str
    target: Annotated[float, Bounds(above=0)]
    alpha: Annotated[float, Bounds(at_most=0)] = -0.07
    beta: Annotated[float, Bounds(at_most=0)] = -0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        if find_metric(self.metric, key=("metric",)).better != "minimize":
            raise BadOption(
                ("metric",), f"got '{self.metric}', expected a metric that is better when smaller"
            )

    @property
    def metrics(self) -> tuple[str, ...]:
        return ("accuracy", self.metric)

    def __call__(self, values: Mapping[str, float]) -> float:
        ratio = max(values[self.metric], 1e-9) / self.target
        return float(values["accuracy"] * ratio ** (self.alpha if ratio <= 1 else self.beta))


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


@dataclass(frozen=True)
class Wishes:
    """What the study file says besides the reward, from which it may take what is not written twice.

    Attributes:
        minimized: metrics of the objectives that are to shrink, in order.
        limits: metric -> its upper limit among the constraints.
    """

    minimized: Sequence[str]
    limits: Mapping[str, float]


def _make_mnas(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """Metric: the first objective to shrink, else the first one limited.  Target: its limit."""
    filled = dict(options)
    candidates = [*wishes.minimized, *wishes.limits]
    if "metric" not in filled and candidates:
        filled["metric"] = candidates[0]
    if "metric" not in filled:
        raise BadOption(
            (),
            "reward 'mnas' weighs accuracy against a metric that an objective shrinks or a constraint limits",
            remedy='write reward = "accuracy", or add e.g. "minimize latency_us" to the objectives',
        )
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


_Maker = Callable[[Mapping[str, Any], Wishes], Reward]
REWARDS: dict[str, _Maker] = {
    "mnas": _make_mnas,
    "accuracy": lambda options, _: build(Accuracy, options),
    "weighted": lambda options, _: build(Weighted, options),
}


def make_reward(name: str, options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """The reward called `name`.

    Raises:
        BadOption: unknown name or option, wrong value, or a reward that these wishes do not suit.
    """
    if name not in REWARDS:
        raise BadOption(("name",), f"no reward is called '{name}'", remedy=nearest(name, REWARDS))
    return REWARDS[name](options, wishes)
