"""A Finding: what one finished stage of the cascade has found out about a trial.  JSON-able, so it is
durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from search.trial import Stage


@dataclass(frozen=True)
class Finding:
    """What one stage found.

    Attributes:
        stage: which one.
        values: metric name -> exact value, e.g. {"latency_us": 5120.0}.
        provenance: metric name -> where it comes from, for each of `values`.
        at_least: metric name -> lower bound of a metric that only a later stage knows exactly; it can break a
            limit, but never stands in a report.
        detail: facts that later stages and reports need: digests, artifacts (paths relative to the study's
            folder), a whole measurement.  JSON types only.
        seconds: wall clock that the stage took.
        reused: True where the figures were found in the store instead of being made again.
    """

    stage: Stage
    values: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    reused: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "stage": self.stage.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        return cls(**{**data, "stage": Stage(data["stage"])})


def merged(findings: Mapping[Stage, Finding]) -> tuple[dict[str, float], dict[str, str]]:
    """All values and their provenance, later stages over earlier ones.

    DEPLOY is left out: what it measures again stands beside the figures that the search saw, not in their
        place.
    """
    values: dict[str, float] = {}
    provenance: dict[str, str] = {}
    for stage in Stage:
        if stage in findings and stage is not Stage.DEPLOY:
            values.update(findings[stage].values)
            provenance.update(findings[stage].provenance)
    return values, provenance


def bounds(findings: Mapping[Stage, Finding]) -> dict[str, float]:
    """Values where they are known, else the best lower bound: what a limit is held against."""
    known: dict[str, float] = {}
    for finding in findings.values():
        for metric, bound in finding.at_least.items():
            known[metric] = max(bound, known.get(metric, bound))
    known.update(merged(findings)[0])
    return known
