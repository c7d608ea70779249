"""Records: what was told, metric by metric, on scales on which a Gaussian process fits.

A metric is what an objective or a constraint speaks of.  Every trial that knows it counts, complete or not:
one that broke a limit on latency still says something of RAM.  Where a stage refused a candidate by a bound
(an arena that cannot fit), that bound stands for the value.

Scales, all to be minimised:

| metric              | scale                 | why                                  |
|---------------------|-----------------------|--------------------------------------|
| a share to maximise | log(1 - share + 0.005) | 0.98 to 0.99 is as far as 0.8 to 0.9 |
| above 0, to minimise | log                  | double the work, double the time     |
| anything else       | as it is, signed      |                                      |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.objective import Objectives
from search.strategies.models.gaussian import Array
from search.trial import State, Trial

_ROUND = 0.005  # of an error: below, differences are chance
_BIG = 1e300


@dataclass(frozen=True)
class Scale:
    """From a metric's values to what is modelled; growing in the loss.

    Attributes:
        sign: 1 where less is better, -1 where more is.
        offset: added to the signed value before the logarithm; None: no logarithm.
    """

    sign: float
    offset: float | None

    def __call__(self, values: Array) -> Array:
        """The values on this scale.  What lies outside its domain is put at its end."""
        losses = self.sign * np.asarray(values, dtype=np.float64)
        if self.offset is None:
            return losses
        return np.asarray(np.log(np.maximum(losses + self.offset, 1e-9)))

    def losses(self, scaled: Array) -> Array:
        """Back to losses (the signed values)."""
        return scaled if self.offset is None else np.exp(scaled) - self.offset


def scale_of(values: Array, *, maximised: bool) -> Scale:
    """The scale that suits these values."""
    if maximised:
        inside = len(values) > 0 and bool(np.all((values >= 0) & (values <= 1)))
        return Scale(-1.0, 1.0 + _ROUND if inside else None)
    return Scale(1.0, 0.0 if bool(np.all(values > 0)) else None)


@dataclass(frozen=True)
class Record:
    """One metric.

    Attributes:
        trials: indices into the trials that were read.
        values: of the metric, in its own unit.
        scale: see the module.
    """

    trials: tuple[int, ...]
    values: Array
    scale: Scale

    @property
    def scaled(self) -> Array:
        """Values on the scale."""
        return self.scale(self.values)


def read(
    trials: Sequence[Trial], objectives: Objectives, *, constraints_only: bool = False
) -> dict[str, Record]:
    """Metric -> what is known of it, for all metrics of objectives and constraints that anything is known
    of.

    Args:
        constraints_only: leave out what only objectives speak of.
    """
    maximised = {o.metric for o in objectives.objectives if o.direction == "maximize"}
    maximised |= {c.metric for c in objectives.constraints if c.relation == ">="}
    goals = () if constraints_only else objectives.metrics
    metrics = dict.fromkeys([*goals, *[c.metric for c in objectives.constraints]])
    records: dict[str, Record] = {}
    for metric in metrics:
        known = [(at, value) for at, t in enumerate(trials) if (value := _value(t, metric)) is not None]
        if known:
            values = np.array([value for _, value in known])
            records[metric] = Record(
                tuple([at for at, _ in known]), values, scale_of(values, maximised=metric in maximised)
            )
    return records


def rewards(trials: Sequence[Trial], objectives: Objectives) -> Record | None:
    """The reward of all trials that know enough of themselves, feasible or not; None where none does."""
    needed = objectives.reward.metrics
    known = [at for at, t in enumerate(trials) if all(_value(t, metric) is not None for metric in needed)]
    values = np.array([objectives.reward(trials[at].values) for at in known])
    return Record(tuple(known), values, Scale(-1.0, None)) if known else None


def feasible(trials: Sequence[Trial], objectives: Objectives) -> list[Trial]:
    """Complete, within all constraints, and with a finite value for each objective."""
    return [
        trial
        for trial in trials
        if trial.state is State.COMPLETE
        and not objectives.violations(trial.values)
        and all(_value(trial, metric) is not None for metric in objectives.metrics)
    ]


def _value(trial: Trial, metric: str) -> float | None:
    value = trial.values.get(metric)
    if value is None and trial.infeasibility is not None and trial.infeasibility.metric == metric:
        value = trial.infeasibility.value
    return float(value) if value is not None and abs(value) < _BIG else None


def limits(objectives: Objectives, records: Mapping[str, Record]) -> dict[str, float]:
    """Metric -> the largest value on its scale that keeps its constraints; only those that have a record.

    A metric that is bounded on the side where it is better anyway gets no limit: it is not what decides.
    """
    found: dict[str, float] = {}
    for constraint in objectives.constraints:
        record = records.get(constraint.metric)
        if record is None or (record.scale.sign > 0) != (constraint.relation == "<="):
            continue
        limit = float(record.scale(np.array([constraint.limit]))[0])
        found[constraint.metric] = min(limit, found.get(constraint.metric, limit))
    return found
