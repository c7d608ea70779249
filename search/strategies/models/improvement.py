"""Expected improvement of the hypervolume, for any number of objectives and independent predictions.

| symbol   | shape | meaning                                                                            |
|----------|-------|------------------------------------------------------------------------------------|
| front    | f, m  | losses that were reached, scaled so that the reference is 1 and the ideal 0         |
| u        | p, m  | points between ideal and reference that no point of the front dominates             |
| w        | p     | their weights: volume that each of them stands for                                  |
| P_j(u)   |       | probability that a candidate's loss j is at most u_j                                |

A candidate with losses y adds the volume of all u with y <= u that nothing covers yet.  So its expectation is

    EHVI = integral over the uncovered u of prod_j P_j(u_j)                                       (*)

which needs no cutting of the region into boxes: the integral is taken over weighted points.  They are drawn
cell by cell of the grid that the front spans (half of them; the rest anywhere), because all that is to be
gained late in a search lies in narrow cells.  What is under way covers u with the probability that it will
reach it; the weights are multiplied by what remains.

Source: Emmerich, Giannakoglou and Naujoks 2006, "Single- and Multiobjective Evolutionary Optimization
Assisted by Gaussian Random Field Metamodels", section IV (expected improvement of the hypervolume, by
sampling).  What differs: they sample outcomes of a candidate; here the points of (*) are sampled, once for
all candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.objective import Objectives
from search.pareto import non_dominated
from search.strategies.models.gaussian import Array
from search.strategies.models.records import Record, feasible
from search.trial import Trial

# The normal distribution function, to 0.00014, in a tenth of its time: Bowling et al. 2009, "A Logistic
# Approximation to the Cumulative Normal Distribution", equation 10.
_LINEAR, _CUBIC = 1.5976, 0.07056
_FAR = 5.0  # deviations; beyond, nothing counts

MARGIN = 0.1  # of the range, by which the reference lies behind the worst that was seen


def uncovered(front: Array, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points of the unit box that no point of the front dominates, and their weights.

    Args:
        front: (f, m), may be empty.
        count: how many are drawn; those covered are left out.

    Returns:
        u (p, m) and w (p,); the sum of w is about the volume that is not covered.
    """
    size = front.shape[1]
    drawn = rng.random((count, size))
    density = np.ones(count)
    celled = rng.random((count, size)) < 0.5
    for column in range(size):
        edges = np.unique(np.clip(np.concatenate([[0.0, 1.0], front[:, column]]), 0.0, 1.0))
        widths, cells = np.diff(edges), len(edges) - 1
        at = rng.integers(cells, size=count)
        drawn[:, column] = np.where(
            celled[:, column], edges[at] + widths[at] * drawn[:, column], drawn[:, column]
        )
        found = np.clip(np.searchsorted(edges, drawn[:, column], side="right") - 1, 0, cells - 1)
        density *= 0.5 + 0.5 / (cells * widths[found])
    covered = np.zeros(count, dtype=bool)
    for point in front:
        covered |= (point <= drawn).all(axis=1)
    return drawn[~covered], 1.0 / (density[~covered] * count)


def reached(points: Array, means: Array, deviations: Array) -> Array:
    """Probability that a candidate's losses are all at most u, for each candidate and u.

    Args:
        points: (p, m), on the scale of the predictions.
        means, deviations: (N, m).

    Returns:
        (N, p).
    """
    inverse = np.ones((len(means), len(points)), dtype=np.float32)
    for column in range(points.shape[1]):
        away = (points[None, :, column] - means[:, column, None]) / deviations[:, column, None]
        away = np.clip(away, -_FAR, _FAR).astype(np.float32)
        inverse *= 1 + np.exp(-away * (_LINEAR + _CUBIC * away * away))
    return np.asarray(1.0 / inverse, dtype=np.float64)


def probability_below(bound: float, means: Array, deviations: Array) -> Array:
    """Of an observation to be at most `bound`."""
    from scipy.special import ndtr

    return np.asarray(ndtr((bound - means) / deviations))


def leading(trials: Sequence[Trial], objectives: Objectives) -> list[Trial]:
    """Those feasible ones that no other dominates."""
    able = feasible(trials, objectives)
    if not able:
        return []
    mask = non_dominated([objectives.losses(trial.values) for trial in able])
    return [trial for trial, keep in zip(able, mask, strict=True) if keep]


class Box:
    """What counts as improvement: losses between the best that is thinkable and the worst that was seen.

    Args:
        objectives: at least one.
        records: of each of their metrics.
        able: feasible trials, at least one.
        bounds: metric -> limit on its scale.
    """

    def __init__(
        self,
        objectives: Objectives,
        records: Mapping[str, Record],
        able: Sequence[Trial],
        bounds: Mapping[str, float],
    ) -> None:
        self._scales = [records[metric].scale for metric in objectives.metrics]
        losses = np.array([objectives.losses(trial.values) for trial in able])
        ideal, reference = [], []
        for column, (metric, scale) in enumerate(zip(objectives.metrics, self._scales, strict=True)):
            seen = scale.sign * records[metric].values
            low, high = float(seen.min()), float(losses[:, column].max())
            wide = max(high - low, 1e-9 * (1 + abs(low)))
            # A logarithm has a natural end; without one, as much again as was seen may be won.
            ideal.append(-scale.offset if scale.offset is not None else low - wide)
            high += MARGIN * wide
            if metric in bounds:
                high = min(high, float(scale.losses(np.array(bounds[metric]))))
            reference.append(high)
        self._ideal, self._wide = np.array(ideal), np.array(reference) - np.array(ideal)
        front = losses[non_dominated(losses)]
        self._front = (front - self._ideal) / self._wide

    def uncovered(self, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """As the function of that name, of this front; the points on the scales of the metrics."""
        points, weights = uncovered(self._front, count, rng)
        losses = self._ideal + points * self._wide
        columns = [scale(scale.sign * losses[:, at]) for at, scale in enumerate(self._scales)]
        return np.stack(columns, axis=1), weights
