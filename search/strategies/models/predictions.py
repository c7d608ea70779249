"""Predictions: one Gaussian process for each metric, over cost, traits and genes; and a first design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.space.base import Architecture
from search.strategies.models.describe import Describer
from search.strategies.models.gaussian import Array, Fitter, Posterior, Prior, Term
from search.strategies.models.records import Record
from search.trial import Trial

# A trend in the analytic cost, a smooth correction by traits, and what is alike by its genes.
TERMS = (
    Term("linear", Prior(0.3, 1.0)),
    Term("matern", Prior(0.5, 1.0), Prior(1.0, 0.7)),
    Term("exponential", Prior(0.5, 1.0), Prior(1.5, 0.7)),
)
NOISE = Prior(0.05, 1.5)


def make_fitter() -> Fitter:
    """Finds the parameters of these kernels."""
    return Fitter(TERMS, NOISE)


class Predictions:
    """Models of what was told.

    Args:
        describe: architectures as numbers.
        like: candidates that cost and traits are scaled by.
        fitter: as `make_fitter`, kept from proposal to proposal.
        trials: what to learn from.
        records: of these trials.
    """

    def __init__(
        self,
        describe: Describer,
        like: Sequence[Architecture],
        fitter: Fitter,
        trials: Sequence[Trial],
        records: Mapping[str, Record],
    ) -> None:
        self.trials, self.records = trials, records
        self._describe, self._fitter = describe, fitter
        cost, traits, _ = describe.table(like)
        self._centre = cost.mean(axis=0), traits.mean(axis=0)
        self._spread = _deviation(cost), _deviation(traits)

    def of(self, architectures: Sequence[Architecture]) -> dict[str, tuple[Array, Array]]:
        """Metric -> mean and deviation of an observation of each architecture, on the metric's scale."""
        from scipy.spatial.distance import cdist

        told = [trial.architecture for trial in self.trials]
        cost, traits, genes = self._describe.table([*told, *architectures])
        cost = (cost - self._centre[0]) / self._spread[0]
        traits = (traits - self._centre[1]) / self._spread[1] / np.sqrt(traits.shape[1])
        n = len(told)
        # (told and asked for, told): inner products by cost, distances by traits, by genes.
        matrices = (
            cost @ cost[:n].T,
            cdist(traits, traits[:n]),
            cdist(genes, genes[:n], "cityblock") if genes.shape[1] else np.zeros((len(genes), n)),
        )
        own = np.einsum("ij,ij->i", cost[n:], cost[n:])
        found: dict[str, tuple[Array, Array]] = {}
        for metric, record in self.records.items():
            at = list(record.trials)
            values = record.scaled
            among = [matrix[np.ix_(at, at)] for matrix in matrices]
            keys = [(told[i].text, value) for i, value in zip(at, values.tolist(), strict=True)]
            theta = self._fitter(metric, keys, among, values)
            posterior = Posterior(TERMS, theta, among, values)
            between = [matrix[n:][:, at] for matrix in matrices]
            found[metric] = posterior.marginals(
                between, posterior.own_variance([own, None, None], len(architectures))
            )
        return found


def spread(describe: Describer, candidates: Sequence[Architecture], seed: int, count: int = 64) -> list[Architecture]:
    """Candidates that cover the range of analytic cost: each as far as possible from all before it.

    The first one is drawn among the cheaper half.

    Source: Kennard and Stone 1969, "Computer Aided Design of Experiments" (the far-point rule).
    """
    cost = describe.table(candidates)[0]
    cost = (cost - cost.mean(axis=0)) / _deviation(cost)
    rng = np.random.default_rng((seed, 0, 2))
    chosen = [int(rng.integers(len(cost)))]
    nearest = np.linalg.norm(cost - cost[chosen[0]], axis=1)
    while len(chosen) < min(count, len(cost)):
        far = np.where(np.isin(np.arange(len(cost)), chosen), -1.0, nearest)
        chosen.append(int(np.argmax(far)))
        nearest = np.minimum(nearest, np.linalg.norm(cost - cost[chosen[-1]], axis=1))
    return [candidates[at] for at in chosen]


def _deviation(rows: Array) -> Array:
    deviation = rows.std(axis=0)
    return np.where(deviation > 1e-9, deviation, 1.0)
