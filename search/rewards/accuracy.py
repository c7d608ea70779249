"""The quality alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.rewards.base import FixedReward, Reward, Wishes, benefit, check_quality, with_quality
from search.space.options import build


@dataclass(frozen=True)
class Accuracy(FixedReward):
    """Accuracy of the int8 network alone, or another quality; constraints keep the rest in bounds.

    Attributes:
        quality: a quality metric of `search/metrics.py`.
    """

    quality: str = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_quality(self.quality)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.quality,)

    def __call__(self, values: Mapping[str, float]) -> float:
        return benefit(values, self.quality)


def make(options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """The quality is the first one among the objectives."""
    return build(Accuracy, with_quality(options, wishes))
