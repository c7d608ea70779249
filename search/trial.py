"""A Trial: one architecture's way through the loop, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from search.space.base import Architecture


class State(Enum):
    """RUNNING until an outcome is known."""

    RUNNING = "running"
    COMPLETE = "complete"
    INFEASIBLE = "infeasible"
    FAILED = "failed"


class Stage(Enum):
    """The cascade, cheapest first (docs/DESIGN.md, decision 1)."""

    ANALYTIC = "analytic"
    QUANTIZE = "quantize"
    PLAN = "plan"
    BUILD = "build"
    MEASURE = "measure"
    TRAIN = "train"
    DEPLOY = "deploy"  # trained weights: int8 accuracy and, for the front, measured again


@dataclass(frozen=True)
class Infeasibility:
    """Which limit a candidate broke, by how much, and at which stage it was seen."""

    stage: Stage
    metric: str
    value: float
    limit: float
    reason: str


@dataclass(frozen=True)
class Failure:
    """Why a trial failed, and how often it was tried."""

    stage: Stage
    error: str
    message: str
    attempts: int


@dataclass(frozen=True)
class Proposal:
    """What a strategy wants to have tried.

    Attributes:
        fidelity: share of the study's epochs to train for, above 0 and at most 1.  Strategies of many
            fidelities (Hyperband) try many architectures for a few epochs and few of them for all.
    """

    architecture: Architecture
    fidelity: float = 1.0


@dataclass(frozen=True)
class Trial:
    """One architecture and what became of it.

    Attributes:
        number: from 0, in the order of asking.
        values: metric name -> value, e.g. {"accuracy": 0.97, "latency_us": 5120.0, "ram_bytes": 9216}; for an
            infeasible trial, whatever was known when it was given up.
        fidelity: as of `Proposal`.
        provenance: metric name -> "emulated", "hardware", "simulated", "estimated", "analytic" or "trained".
    """

    number: int
    architecture: Architecture
    state: State = State.RUNNING
    values: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    infeasibility: Infeasibility | None = None
    failure: Failure | None = None
    fidelity: float = 1.0

    @property
    def proposal(self) -> Proposal:
        """What was asked for."""
        return Proposal(self.architecture, self.fidelity)
