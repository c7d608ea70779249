"""Predictions: one Gaussian process for each metric, over cost, traits and genes; and a first design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.metrics import find_metric
from search.pareto import non_dominated
from search.space.base import Architecture
from search.strategies.models.describe import PARAMETERS, WORK, WORKING_SET, Describer
from search.strategies.models.gaussian import Array, Fitter, Posterior, Prior, Term
from search.strategies.models.records import Record
from search.trial import Trial

# A trend in the analytic cost, a smooth correction by traits, and what is alike by its genes.  Cost of the
# deployed network is nearly a function of the analytic one; how well it learns is not.
COST = (
    (
        Term("linear", Prior(0.3, 1.0)),
        Term("matern", Prior(0.15, 1.0), Prior(1.5, 0.7)),
        Term("exponential", Prior(0.15, 1.0), Prior(1.5, 0.7)),
    ),
    Prior(0.005, 1.5),
)
QUALITY = (
    (
        Term("linear", Prior(0.05, 1.0)),
        Term("matern", Prior(0.4, 1.0), Prior(1.5, 0.7)),
        Term("exponential", Prior(0.3, 1.0), Prior(1.5, 0.7)),
    ),
    Prior(0.03, 1.5),
)

_DESIGN = 64
_SHIFT = 0.04  # of the front's length


class Models:
    """One Gaussian process for each metric; their parameters are kept from proposal to proposal.

    Args:
        describe: architectures as numbers.
    """

    def __init__(self, describe: Describer) -> None:
        self._describe = describe
        self._fitters = {False: Fitter(*COST), True: Fitter(*QUALITY)}

    def predict(
        self, trials: Sequence[Trial], records: Mapping[str, Record], architectures: Sequence[Architecture]
    ) -> dict[str, tuple[Array, Array]]:
        """Metric -> mean and deviation of an observation of each architecture, on the metric's scale.

        Args:
            trials: what to learn from.
            records: of these trials.
            architectures: what to say something of.
        """
        told = [trial.architecture for trial in trials]
        known, asked = self._describe(told), self._describe(architectures)
        among, between = known.between(known), asked.between(known)
        own = np.einsum("ij,ij->i", asked.cost, asked.cost)
        found: dict[str, tuple[Array, Array]] = {}
        for metric, record in records.items():
            fitter = self._fitters[find_metric(metric).task is not None]
            at, values = list(record.trials), record.scaled
            keys = [(told[i].text, value) for i, value in zip(at, values.tolist(), strict=True)]
            inner = [matrix[np.ix_(at, at)] for matrix in among]
            posterior = Posterior(fitter.terms, fitter(metric, keys, inner, values), inner, values)
            found[metric] = posterior.marginals(
                [matrix[:, at] for matrix in between],
                posterior.own_variance([own, None, None], len(architectures)),
            )
        return found


def first_design(describe: Describer, candidates: Sequence[Architecture], seed: int) -> list[Architecture]:
    """What to try before anything is known: candidates along the front of the analytic cost.

    Capacity is what accuracy grows with, all else being equal; so what has most parameters for its work and
    its memory is likely to lie near the front that is sought.  It is ordered by work and halved again and
    again: the middle first, then the quarters, the eighths (van der Corput's sequence), each shifted a
    little at random.
    """
    cost = describe(candidates).cost
    parameters, work, memory = cost[:, PARAMETERS], cost[:, WORK], cost[:, WORKING_SET]
    front = np.flatnonzero(non_dominated(np.stack([-parameters, work, memory], axis=1)))
    ordered = front[np.argsort(work[front], kind="stable")].tolist()
    rng = np.random.default_rng((seed, 0, 2))
    chosen: list[int] = []
    for number in range(1, min(_DESIGN, len(ordered)) + 1):
        share = _van_der_corput(number) + _SHIFT * rng.standard_normal()
        at = int(np.clip(share * len(ordered), 0, len(ordered) - 1))
        while ordered[at] in chosen:
            at = (at + 1) % len(ordered)
        chosen.append(ordered[at])
    return [candidates[at] for at in chosen]


def _van_der_corput(number: int) -> float:
    """The binary digits of `number`, mirrored at the point: 1/2, 1/4, 3/4, 1/8, 5/8, ..."""
    digits = f"{number:b}"
    return int(digits[::-1], 2) / (1 << len(digits))
