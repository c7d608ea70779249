"""Whether a search has a chance: networks of the space against the limits, by analytic cost alone.

A space whose smallest networks break a limit would be searched for hours in vain.  Some are sampled, and from
the one that comes nearest to keeping all limits smaller ones are looked for, step by step, before any work
begins.
"""

from __future__ import annotations

import numpy as np

from search.cascade import Evaluator, Unfit, Work, judge
from search.errors import BadConfig
from search.objective import Objectives
from search.space.base import Architecture
from search.store import Store
from search.trial import Infeasibility, Stage

SAMPLES = 200
STEPS = 400  # from the nearest towards smaller ones


def must_have_a_chance(evaluator: Evaluator, store: Store, objectives: Objectives, *, seed: int) -> None:
    """Return at the first network that the analytic stage lets pass.

    Raises:
        BadConfig: none was found: with the limit that does it, and the figures of the smallest network.
    """
    space = evaluator.space
    rng = np.random.default_rng((seed, 0xFEA5))
    nearest: tuple[tuple[float, int], Architecture, Infeasibility] | None = None
    for step in range(SAMPLES + STEPS):
        descending = step >= SAMPLES and nearest is not None
        candidate = space.mutate(nearest[1], rng) if descending and nearest else space.sample(rng)
        broken = _broken(candidate, evaluator, store, objectives)
        if broken is None:
            return
        cost = space.cost(candidate)
        size = (
            broken.value / broken.limit if broken.limit else broken.value,
            cost.weight_bytes + cost.peak_activation_bytes,
        )
        if nearest is None or size < nearest[0]:
            nearest = (size, candidate, broken)
    if nearest is None:
        return
    _, smallest, broken = nearest
    cost, tried = space.cost(smallest), SAMPLES + STEPS
    raise BadConfig(
        f"no network of space '{space.name}' keeps the limits: of {tried} tried, the nearest still breaks "
        f"{broken.metric} by its layers alone: at least {broken.value:,.12g}, limit {broken.limit:,.12g}"
        f"\n  {smallest}: {cost.macs:,} MACs, {cost.parameters:,} parameters, activations of "
        f"{cost.peak_activation_bytes:,} bytes, weights of {cost.weight_bytes:,} bytes",
        remedy=f"raise the limit on {broken.metric}, or let the space have smaller networks (fewer filters, "
        "larger strides, less depth)",
    )


def _broken(
    candidate: Architecture, evaluator: Evaluator, store: Store, objectives: Objectives
) -> Infeasibility | None:
    work = Work(-1, candidate, {}, store)
    try:
        finding = evaluator.run(Stage.ANALYTIC, work)
    except Unfit as unfit:
        return Infeasibility(Stage.ANALYTIC, unfit.metric, unfit.value, unfit.limit, unfit.reason)
    return judge(Stage.ANALYTIC, {Stage.ANALYTIC: finding}, objectives)
