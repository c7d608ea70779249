"""Rewards: named ways to make one number of a trial's values, for strategies that climb a single one.

A reward ranks; it does not replace the objectives, whose Pareto front is what a study reports.  Each is a
file in `search/rewards/`, with its formula and source; docs/objectives.md says when to take which.

| name      | reward                                                   | source                              |
|-----------|----------------------------------------------------------|-------------------------------------|
| mnas      | accuracy * (metric / target) ** exponent                 | Tan et al. 2019, MnasNet, eq. 2     |
| accuracy  | accuracy                                                 |                                     |
| weighted  | sum of weight * value                                    | the weights are the user's own      |
| monas     | alpha * accuracy - (1 - alpha) * energy, or with a limit | Hsu et al. 2018, MONAS              |
| unas      | -max (error or cost / its bound / a random weight)       | Liberis et al. 2021, uNAS           |
| ecg       | normalised sum of accuracy and exponentials of costs     | search/rewards/ecg.py               |
| two_stage | accuracy up to a floor, then limit / cost                |                                     |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from search.rewards import accuracy, ecg, mnas, monas, two_stage, unas, weighted
from search.rewards.accuracy import Accuracy
from search.rewards.base import FixedReward, Reward, Wishes
from search.rewards.ecg import Ecg
from search.rewards.mnas import Mnas
from search.rewards.monas import Monas
from search.rewards.two_stage import TwoStage
from search.rewards.unas import Unas
from search.rewards.weighted import Weighted
from search.space.options import BadOption, nearest

# One line per reward: how to make it of its options and of what the study wishes for besides.
REWARDS: dict[str, Callable[[Mapping[str, Any], Wishes], Reward]] = {
    "mnas": mnas.make,
    "accuracy": accuracy.make,
    "weighted": weighted.make,
    "monas": monas.make,
    "unas": unas.make,
    "ecg": ecg.make,
    "two_stage": two_stage.make,
}


def make_reward(name: str, options: Mapping[str, Any], wishes: Wishes) -> Reward:
    """The reward called `name`.

    Raises:
        BadOption: unknown name or option, wrong value, or a reward that these wishes do not suit.
    """
    if name not in REWARDS:
        raise BadOption(("name",), f"no reward is called '{name}'", remedy=nearest(name, REWARDS))
    return REWARDS[name](options, wishes)


__all__ = [
    "REWARDS",
    "Accuracy",
    "Ecg",
    "FixedReward",
    "Mnas",
    "Monas",
    "Reward",
    "TwoStage",
    "Unas",
    "Weighted",
    "Wishes",
    "make_reward",
]
