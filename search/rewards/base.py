"""What rewards share: the protocol, the quality that they read, and limits to hold costs against.

A reward reads one quality metric (`quality`: accuracy, unless the study's objectives name another) and
metrics of what a network costs.  The quality enters as a number from 0 to 1 (`Metric.benefit`), so that a
reward that was thought out for accuracy serves F1 and errors too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from search.metrics import METRICS, find_cost, find_quality, read_amount
from search.space.options import BadOption, Options

SMALLEST = 1e-9  # what a cost of 0 counts as where it is divided by


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
class Wishes:
    """What the study file says besides the reward, from which it may take what is not written twice.

    Attributes:
        minimized: metrics of what a network costs that an objective shrinks, in order.
        limits: metric -> its upper limit among the constraints, likewise of costs alone.
        quality: the first quality metric among the objectives.
        least_quality: what a constraint asks of it, in its own unit; None where none does.
    """

    minimized: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    quality: str = "accuracy"
    least_quality: float | None = None


def benefit(values: Mapping[str, float], quality: str) -> float:
    """The quality as a number from 0 to 1, better when larger.  Raises KeyError where it is missing."""
    return METRICS[quality].benefit(values[quality])


def reaches(values: Mapping[str, float], quality: str, floor: float) -> bool:
    """Whether the quality is at least as good as `floor`, which is in its own unit."""
    metric = METRICS[quality]
    return metric.shortfall(values[quality]) <= metric.shortfall(floor)


def check_quality(name: str) -> None:
    """Refuse what is no quality metric.  Raises BadOption, key ("quality",)."""
    find_quality(name, key=("quality",))


def check_cost(name: str) -> None:
    """Refuse what is no metric of costs.  Raises BadOption, key ("metric",)."""
    find_cost(name, key=("metric",))


def check_limits(limits: Mapping[str, Any]) -> dict[str, float]:
    """Limits as numbers in their metrics' units, in the order in which they are written.

    Args:
        limits: metric of costs -> a number in its unit, or an amount such as "20 ms".

    Raises:
        BadOption: key ("limits", ...): none at all, an unknown metric, or an amount that is not above 0.
    """
    if not limits:
        raise BadOption(("limits",), 'got none, expected at least one, e.g. { latency_us = "20 ms" }')
    read: dict[str, float] = {}
    for name, amount in limits.items():
        metric = find_cost(name, key=("limits",))
        if isinstance(amount, str):
            try:
                amount = read_amount(metric, amount)
            except BadOption as error:
                raise error.below("limits", name) from None
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount < float("inf"):
            raise BadOption(("limits", name), f'got {amount!r}, expected a number > 0, or e.g. "20 ms"')
        read[name] = float(amount)
    return read


def with_quality(options: Mapping[str, Any], wishes: Wishes) -> dict[str, Any]:
    """Options, the quality filled in from the objectives."""
    return {"quality": wishes.quality} | dict(options)


def with_metric(options: Mapping[str, Any], wishes: Wishes, reward: str) -> dict[str, Any]:
    """Options, `metric` filled in: the first objective to shrink, else the first cost that is limited.

    Raises:
        BadOption: there is none.
    """
    candidates = [*wishes.minimized, *wishes.limits]
    if "metric" in options or candidates:
        return {"metric": options.get("metric", candidates[0] if candidates else None)} | dict(options)
    raise BadOption(
        (),
        f"reward '{reward}' weighs {wishes.quality} against a metric that an objective shrinks or a "
        "constraint limits",
        remedy='write reward = "accuracy", or add e.g. "minimize latency_us" to the objectives',
    )


def with_limits(options: Mapping[str, Any], wishes: Wishes, reward: str) -> dict[str, Any]:
    """Options, `limits` filled in from the constraints.

    Raises:
        BadOption: no constraint limits what a network costs.
    """
    if "limits" in options:
        return dict(options)
    if not wishes.limits:
        raise BadOption(
            ("limits",),
            f"missing; reward '{reward}' holds what a network costs against limits, and there are none",
            remedy='add limits = { latency_us = "20 ms" }, or a constraint such as "latency_us <= 20 ms"',
        )
    return {"limits": dict(wishes.limits)} | dict(options)
