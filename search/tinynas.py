"""Which space to search in, before any search: the one whose networks that fit do the most work.

The first of the two stages of TinyNAS (Lin et al. 2020, "MCUNet: Tiny Deep Learning on IoT Devices",
section 3.1 and figure 3).  A space is worth more the larger its networks may become before they break the
limits, as in one family of networks accuracy grows with the work that they do.  So some networks of each
space are drawn, those that do not fit are dropped, and spaces are compared by the distribution of MACs of
the rest.  Nothing is built or trained.

What differs from the paper: MACs stand for its FLOPs, and the analytic cost for the memory of its
scheduler: a lower bound, without the scratch of kernels.  The paper compares whole distributions; here
the mean decides, and between equal means the 80th percentile.  A space in which hardly any network fits
is not chosen: a handful of networks is no distribution (`least_share`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from search.space import make_space, space_options
from search.space.base import Cost, Space
from search.space.options import BadOption

# The options of a space that are fixed one by one: whole-network dials, each a list.
DIALS = ("resolutions", "width_multipliers")
SAMPLES = 1000
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Limits:
    """What a network has to keep; None: no limit.

    Attributes:
        activation_bytes: of the int8 tensors alive at once, without the kernels' scratch.  What else is in
            RAM (static data, stack) is not in it: it has to be taken off beforehand.
        weight_bytes: of int8 weights and int32 biases, likewise without code.
        macs, parameters: of one inference, and of the network.
        striped: the first layers may run in stripes.
    """

    activation_bytes: float | None = None
    weight_bytes: float | None = None
    macs: float | None = None
    parameters: float | None = None
    striped: bool = False

    def keeps(self, cost: Cost) -> bool:
        """Whether a network of this cost keeps all of them."""
        activations = cost.striped_activation_bytes if self.striped else cost.peak_activation_bytes
        pairs = (
            (activations, self.activation_bytes),
            (cost.weight_bytes, self.weight_bytes),
            (cost.macs, self.macs),
            (cost.parameters, self.parameters),
        )
        return all(limit is None or value <= limit for value, limit in pairs)


@dataclass(frozen=True)
class Candidate:
    """A space to be judged.

    Attributes:
        name: for people.
        fixed: options -> the one value that each has in this space, where it comes of `candidates`.
    """

    name: str
    space: Space
    fixed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SpaceScore:
    """What the sample says of a space.

    Attributes:
        sampled: how many networks were drawn.
        macs: of those that keep the limits, ascending.
        chosen: whether it is the best one.
    """

    candidate: Candidate
    sampled: int
    macs: tuple[int, ...]
    chosen: bool = False

    @property
    def share(self) -> float:
        """Of the networks that keep the limits, 0 to 1."""
        return len(self.macs) / self.sampled

    @property
    def mean_macs(self) -> float:
        """Of those; 0 where there are none."""
        return float(np.mean(self.macs)) if self.macs else 0.0

    def percentile_macs(self, percent: float) -> float:
        """The MACs that this share of those stay below; 0 where there are none."""
        return float(np.percentile(self.macs, percent)) if self.macs else 0.0


def rank_spaces(
    spaces: Sequence[Candidate],
    limits: Limits,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    least_share: float = LEAST_SHARE,
) -> tuple[SpaceScore, ...]:
    """Judge spaces.

    Args:
        samples: networks drawn of each.
        seed: of the draws; every space gets the same ones, so that their order means nothing.
        least_share: of the networks of a space that have to keep the limits before it may be chosen.

    Returns:
        One score for each space, the best one first; none of them is chosen where no space has enough
        networks that fit.

    Raises:
        BadOption: no space, or no samples.
    """
    if not spaces or samples < 1:
        raise BadOption(
            (), f"got {len(spaces)} spaces and {samples} samples of each, expected at least one of both"
        )
    scores = [_score(one, limits, samples, seed) for one in spaces]

    def worth(score: SpaceScore) -> tuple[bool, float, float, float]:
        enough = bool(score.macs) and score.share >= least_share
        return enough, score.mean_macs, score.percentile_macs(80), score.share

    best, *others = sorted(scores, key=worth, reverse=True)
    return (replace(best, chosen=worth(best)[0]), *others)


def candidates(
    name: str, options: Mapping[str, Any], *, input_shape: tuple[int, ...], classes: int
) -> tuple[Candidate, ...]:
    """A space once for each pair of a resolution and a width multiplier that its options list.

    Args:
        name, options: as in the table [space] of a study file.
        input_shape, classes: of the data.

    Raises:
        BadOption: the space has no such options, or others that are wrong.
    """
    known = space_options(name, options).to_dict()
    dials = [dial for dial in DIALS if dial in known]
    if not dials:
        raise BadOption(
            ("name",),
            f"space '{name}' has no {' or '.join(DIALS)} to choose from",
            remedy='write name = "stages"',
            near=f'"{name}"',
        )
    made = []
    for values in itertools.product(*(known[dial] for dial in dials)):
        fixed = dict(zip(dials, values, strict=True))
        narrowed = {**known, **{dial: [value] for dial, value in fixed.items()}}
        space = make_space(name, narrowed, input_shape=input_shape, classes=classes)
        label = ", ".join(f"{dial} {value:g}" for dial, value in fixed.items())
        made.append(Candidate(label, space, fixed))
    return tuple(made)


def _score(candidate: Candidate, limits: Limits, samples: int, seed: int) -> SpaceScore:
    rng, space = np.random.default_rng(seed), candidate.space
    costs = (space.cost(space.sample(rng)) for _ in range(samples))
    return SpaceScore(candidate, samples, tuple(sorted(cost.macs for cost in costs if limits.keeps(cost))))
