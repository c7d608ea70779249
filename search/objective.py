"""What a study wants: a vector of objectives, constraints on metrics, and a named reward.

Written as text, in a study file and in Python alike: "maximize accuracy", "latency_us <= 20 ms"
(`search/metrics.py` has the units).  Constraints are judged on whatever is known of a candidate, so a
stage that knows the RAM alone can already refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import SearchError
from search.metrics import METRICS, QUALITIES, Direction, find_metric, read_amount
from search.reward import Accuracy, Reward, Wishes, make_reward
from search.space.options import BadOption, nearest
from search.trial import State, Trial

Relation: TypeAlias = Literal["<=", ">="]
_CONSTRAINT = re.compile(r"\s*(?P<metric>\w+)\s*(?P<relation>[<>=!]+)\s*(?P<amount>.*)")


@dataclass(frozen=True)
class Objective:
    """One metric and the direction in which it is to go."""

    metric: str
    direction: Direction

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Read "maximize accuracy".

        Raises:
            BadOption: not two words, an unknown word, or a direction in which the metric gets worse.
        """
        words = text.split()
        if len(words) != 2:
            raise BadOption(
                (), f'got "{text}", expected a direction and a metric, e.g. "minimize latency_us"'
            )
        if words[0] not in ("maximize", "minimize"):
            raise BadOption(
                (), f'"{text}": no direction "{words[0]}"', remedy=nearest(words[0], ["maximize", "minimize"])
            )
        metric = find_metric(words[1])
        if words[0] != metric.better:
            raise BadOption(
                (),
                f'"{text}": {metric.name} gets worse that way',
                remedy=f'write "{metric.better} {metric.name}"',
            )
        return cls(metric.name, metric.better)

    def __str__(self) -> str:
        return f"{self.direction} {self.metric}"


@dataclass(frozen=True)
class Constraint:
    """A limit on one metric, in the metric's own unit."""

    metric: str
    relation: Relation
    limit: float

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read "ram_bytes <= 64 kB".

        Raises:
            BadOption: no relation, an unknown metric, or an amount that does not fit the metric.
        """
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            raise BadOption(
                (), f'got "{text}", expected a metric, <= or >=, and an amount: "latency_us <= 20 ms"'
            )
        metric = find_metric(match["metric"])
        if match["relation"] not in ("<=", ">="):
            raise BadOption((), f'"{text}": no relation "{match["relation"]}"', remedy="write <= or >=")
        relation: Relation = "<=" if match["relation"] == "<=" else ">="
        limit = read_amount(metric, match["amount"])
        if relation == "<=" and limit == 0:
            raise BadOption((), f'"{text}": nothing can meet a limit of 0', remedy="give a limit above 0")
        return cls(metric.name, relation, limit)

    def excess(self, value: float) -> float:
        """By how much `value` breaks the limit, relative to the limit; 0 where it holds."""
        over = value - self.limit if self.relation == "<=" else self.limit - value
        return max(0.0, over / abs(self.limit)) if self.limit else max(0.0, over)

    def __str__(self) -> str:
        return f"{self.metric} {self.relation} {self.limit:.12g}"


@dataclass(frozen=True)
class Violation:
    """A constraint that a value breaks, and by how much relative to its limit."""

    constraint: Constraint
    value: float
    excess: float

    def __str__(self) -> str:
        wanted = f"{self.constraint.relation} {self.constraint.limit:,.12g}"
        return f"{self.constraint.metric} is {self.value:,.6g}, wanted {wanted} ({self.excess:.1%} off)"


@dataclass(frozen=True)
class Objectives:
    """All that a study wants.

    Attributes:
        objectives: at least one; the Pareto front is taken over them.
        constraints: what a candidate must keep.
        reward: for strategies that climb one number.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    reward: Reward = Accuracy()  # noqa: RUF009  # frozen, without state

    def __post_init__(self) -> None:
        if not self.objectives:
            raise BadOption(("objectives",), 'got none, expected at least one, e.g. "maximize accuracy"')
        _refuse_twice("objectives", [objective.metric for objective in self.objectives])
        _refuse_twice("constraints", [f"{c.metric} {c.relation}" for c in self.constraints])
        _refuse_contradictions(self.constraints)

    @classmethod
    def parse(
        cls,
        objectives: Sequence[str],
        constraints: Sequence[str] = (),
        *,
        reward: str = "mnas",
        reward_options: Mapping[str, Any] | None = None,
    ) -> Objectives:
        """Read texts such as "maximize accuracy" and "ram_bytes <= 64 kB".

        Args:
            reward: a name in `search.reward.REWARDS`.
            reward_options: what that reward takes.

        Raises:
            BadOption: key ("objectives",), ("constraints",) or ("reward", ...); what was received and
                expected.
        """
        goals = tuple([_parsed("objectives", Objective.parse, text) for text in objectives])
        limits = tuple([_parsed("constraints", Constraint.parse, text) for text in constraints])
        try:
            made = make_reward(reward, reward_options or {}, _wishes(goals, limits))
        except BadOption as error:
            raise error.below("reward") from None
        return cls(goals, limits, made)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of the objectives, in order."""
        return tuple([objective.metric for objective in self.objectives])

    @property
    def needed_metrics(self) -> tuple[str, ...]:
        """All metrics that objectives, constraints and reward read, in the order of `METRICS`."""
        used = {*self.metrics, *self.reward.metrics, *(c.metric for c in self.constraints)}
        return tuple([name for name in METRICS if name in used])

    def redrawn(self, rng: np.random.Generator) -> Objectives:
        """These, with a reward drawn anew where it is a random one (search.reward); else the same object."""
        reward = self.reward.redrawn(rng)
        return self if reward is self.reward else replace(self, reward=reward)

    def violations(self, values: Mapping[str, float]) -> tuple[Violation, ...]:
        """The constraints that `values` break.  A metric that is not known yet breaks nothing."""
        return tuple(
            [
                Violation(constraint, values[constraint.metric], excess)
                for constraint in self.constraints
                if constraint.metric in values
                and (excess := constraint.excess(values[constraint.metric])) > 0
            ]
        )

    def losses(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """The objectives as a vector that is to shrink; what is maximized changes its sign.

        Returns:
            Shape (objectives,).

        Raises:
            SearchError: a value is missing.
        """
        try:
            signed = [
                (-1.0 if o.direction == "maximize" else 1.0) * values[o.metric] for o in self.objectives
            ]
        except KeyError as missing:
            raise SearchError(f"a trial has no value {missing}, which an objective needs") from None
        return np.array(signed, dtype=np.float64)

    def box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Perfection and the worst that is allowed, as `losses`: what a hypervolume can be a share of.

        A share that is to grow goes from its lower limit (or 0) to 1, what is to shrink from its upper limit
        to 0.  None where an objective has no such bound.
        """
        perfect, worst = [], []
        for objective in self.objectives:
            limits = {c.relation: c.limit for c in self.constraints if c.metric == objective.metric}
            if objective.direction == "maximize" and METRICS[objective.metric].unit == "share":
                perfect.append(-1.0)
                worst.append(-limits.get(">=", 0.0))
            elif objective.direction == "minimize" and "<=" in limits:
                perfect.append(0.0)
                worst.append(limits["<="])
            else:
                return None
        return np.array(perfect), np.array(worst)

    def rank(self, trial: Trial) -> tuple[int, float]:
        """How good a trial is, as a key to sort by; larger is better.

        Complete trials that keep all constraints come first, by their reward; then those known to break
        one, least violation first (the sum of all excesses, each relative to its limit: Deb 2002's
        constrained domination); failed trials, of which nothing is known, come last.

        Raises:
            SearchError: the trial is still running, or lacks a value that the reward needs.
        """
        if trial.state is State.RUNNING:
            raise SearchError(f"trial {trial.number} is still running: it has no rank yet")
        if trial.state is State.FAILED:
            return (0, 0.0)
        excess = self._total_excess(trial)
        if trial.state is State.INFEASIBLE or excess > 0:
            return (1, -excess)
        try:
            return (2, self.reward(trial.values))
        except KeyError as missing:
            raise SearchError(
                f"trial {trial.number} has no value {missing}, which the reward needs"
            ) from None

    def _total_excess(self, trial: Trial) -> float:
        broken: dict[str, float] = {}
        for constraint in self.constraints:
            value = trial.values.get(constraint.metric)
            if value is not None and (excess := constraint.excess(value)) > 0:
                broken[constraint.metric] = excess
        known = trial.infeasibility
        if known is not None and known.metric not in broken and known.limit:
            broken[known.metric] = abs(known.value - known.limit) / abs(known.limit)
        return sum(broken.values())


# What is a part of something else takes no more than the whole.
_PART_OF = {"arena_bytes": "ram_bytes", "weight_bytes": "flash_bytes"}


def _refuse_contradictions(constraints: Sequence[Constraint]) -> None:
    """Two constraints that no network can keep together.  Raises BadOption."""
    for floor in (c for c in constraints if c.relation == ">="):
        for limit in (c for c in constraints if c.relation == "<="):
            if limit.metric in (floor.metric, _PART_OF.get(floor.metric)) and floor.limit > limit.limit:
                raise BadOption(
                    ("constraints",),
                    f'"{limit}" contradicts "{floor}"',
                    remedy="nothing can keep both: change one of them",
                )


def _wishes(goals: Sequence[Objective], limits: Sequence[Constraint]) -> Wishes:
    """What a reward may take from objectives and constraints."""
    qualities = [goal.metric for goal in goals if goal.metric in QUALITIES]
    quality = qualities[0] if qualities else "accuracy"
    towards: Relation = ">=" if QUALITIES[quality].better == "maximize" else "<="
    least = [c.limit for c in limits if c.metric == quality and c.relation == towards]
    return Wishes(
        minimized=[
            g.metric for g in goals if g.direction == "minimize" and find_metric(g.metric).task is None
        ],
        limits={
            c.metric: c.limit for c in limits if c.relation == "<=" and find_metric(c.metric).task is None
        },
        quality=quality,
        least_quality=least[0] if least else None,
    )


def _parsed(key: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except BadOption as error:
        raise BadOption((key,), error.detail, remedy=error.remedy, near=text) from None


def _refuse_twice(key: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise BadOption(
                (key,), f"'{name}' stands there {names.count(name)} times", remedy="keep one of them"
            )
