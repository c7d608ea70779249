"""A stand-in for boards and training: outcomes that follow from an architecture's cost, in microseconds.

It behaves like the real thing in what matters to a strategy: accuracy grows with capacity and
levels off, and grows with fidelity; latency grows with MACs; both carry a scatter of the architecture's own;
what breaks a constraint is infeasible.
"""

from __future__ import annotations

import hashlib
from math import exp

from search.objective import Objectives
from search.space.base import Space
from search.trial import Failure, Infeasibility, Proposal, Stage, State, Trial


def pretend_trial(
    number: int, proposal: Proposal, space: Space, objectives: Objectives, *, fails: bool = False
) -> Trial:
    """The outcome of one proposal; the same one always fares the same.

    Args:
        fails: the trial comes back as failed instead.
    """
    architecture, fidelity = proposal.architecture, proposal.fidelity
    if fails:
        failure = Failure(Stage.MEASURE, "DeviceTimeout", "no answer within 2 s", attempts=3)
        return Trial(number, architecture, State.FAILED, failure=failure, fidelity=fidelity)
    cost = space.cost(architecture)
    digest = hashlib.sha256(architecture.text.encode()).digest()
    scatter = digest[0] / 255 - 0.5
    values = {
        "accuracy": (0.98 - 0.6 * exp(-cost.parameters / 6000) + 0.01 * scatter) * fidelity**0.1,
        "latency_us": 300 + cost.macs / 25 * (1 + 0.1 * scatter),
        "ram_bytes": float(cost.peak_activation_bytes + 6000),
        "flash_bytes": float(cost.weight_bytes + 16000),
        "macs": float(cost.macs),
        "parameters": float(cost.parameters),
    }
    broken = objectives.violations(values)
    if broken:
        worst = broken[0]
        reason = Infeasibility(
            Stage.MEASURE, worst.constraint.metric, worst.value, worst.constraint.limit, str(worst)
        )
        known = {name: value for name, value in values.items() if name != "accuracy"}
        return Trial(
            number, architecture, State.INFEASIBLE, values=known, infeasibility=reason, fidelity=fidelity
        )
    return Trial(number, architecture, State.COMPLETE, values=values, fidelity=fidelity)
