"""Pareto fronts: who dominates whom, how crowded a front is, and how much it covers.

| symbol    | shape | meaning                                                            |
|-----------|-------|--------------------------------------------------------------------|
| points    | n, m  | n candidates, m losses each; everything is to shrink               |
| reference | m     | a point worse than all that count, for the hypervolume             |
| ranks     | n     | index of the front that a point belongs to; 0 is non-dominated     |

p dominates q when it is nowhere larger and somewhere smaller.  Equal points do not dominate each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.errors import SearchError
from search.objective import Objectives
from search.trial import State, Trial

Points = NDArray[np.float64]

_FEW = 200
_BLOCK = 256


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other dominates.

    In lexicographic order no point dominates an earlier one: so each block of points is held against the
    front so far and against itself, and what is left belongs to the front for good.

    Args:
        points: (n, m), finite, to be minimized.

    Returns:
        (n,) mask.
    """
    values = _checked(points)
    mask = np.zeros(len(values), dtype=np.bool_)
    order = np.lexsort(values.T[::-1])
    front = np.empty((0, values.shape[1]))
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        block = block[~_dominating(front, values[block]).any(axis=0)]
        block = block[~_dominating(values[block], values[block]).any(axis=0)]
        mask[block] = True
        front = np.concatenate([front, values[block]])
    return mask


def non_dominated_sort(points: ArrayLike, *, fronts: int | None = None) -> NDArray[np.intp]:
    """Front of each point: 0 for those that none dominates, 1 for those that only front 0 dominates, and
    so on.

    A few points are compared all with all at once.  Of more, in lexicographic order, no point dominates an
    earlier one, so each is held only against points already
    placed, and the first front without a dominator is found by bisection: whoever is dominated in front k
    is so in front k - 1 too.

    Args:
        points: (n, m), finite, to be minimized.
        fronts: stop after that many fronts; the rest gets the number `fronts`.

    Source: Deb et al. 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", section III A,
        for the
    ranks; Zhang et al. 2015, "An Efficient Approach to Nondominated Sorting", for the way to them (ENS-BS).
    """
    values = _checked(points)
    if len(values) <= _FEW:
        return _peeled(values, len(values) if fronts is None else fronts)
    ranks = np.zeros(len(values), dtype=np.intp)
    members: list[Points] = []
    sizes: list[int] = []
    for index in np.lexsort(values.T[::-1]):
        point = values[index]
        low, high = 0, len(members)
        while low < high:
            middle = (low + high) // 2
            if _dominated(point, members[middle][: sizes[middle]]):
                low = middle + 1
            else:
                high = middle
        ranks[index] = low
        if low == fronts:
            continue
        if low == len(members):
            members.append(np.empty((16, values.shape[1])))
            sizes.append(0)
        elif sizes[low] == len(members[low]):
            members[low] = np.concatenate([members[low], np.empty_like(members[low])])
        members[low][sizes[low]] = point
        sizes[low] += 1
    return ranks


def crowding_distance(points: ArrayLike) -> NDArray[np.float64]:
    """How far the neighbours of each point of one front are; infinite at the ends.

    Args:
        points: (n, m), one front.

    Returns:
        (n,): sum over the objectives of the gap between the neighbours, relative to the front's extent.

    Source: Deb et al. 2002, section III B.
    """
    values = _checked(points)
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        extent = column[order[-1]] - column[order[0]] if len(order) else 0.0
        distance[order[:1]] = distance[order[-1:]] = np.inf
        if extent > 0 and len(order) > 2:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / extent
    return distance


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume between the points and `reference`, exactly.  Points not below the reference everywhere add
    nothing.

    Two objectives are swept in O(n log n).  More are sliced along the last one, down to two: O(n^(m-1) log
    n), which is meant for fronts of hundreds of points and up to four objectives.

    Args:
        points: (n, m), to be minimized.
        reference: (m,).

    Source: While et al. 2006, "A Faster Algorithm for Calculating Hypervolume" (slicing, HSO).
    """
    values = _checked(points)
    if len(values) == 0:
        return 0.0
    corner = np.asarray(reference, dtype=np.float64)
    if corner.shape != values.shape[1:] or not np.isfinite(corner).all():
        raise ValueError(f"reference of shape {corner.shape}, expected {values.shape[1:]} finite numbers")
    return _volume(values[(values < corner).all(axis=1)], corner)


def counts(trial: Trial, objectives: Objectives) -> bool:
    """Whether a trial is a result: complete, trained for all epochs, and within all constraints."""
    whole = trial.state is State.COMPLETE and trial.fidelity == 1.0
    return whole and not objectives.violations(trial.values)


def front(trials: Sequence[Trial], objectives: Objectives) -> list[Trial]:
    """The trials that count and that no other such trial dominates, by number.

    Raises:
        SearchError: a value is missing, or figures of different provenance would be ranked together.
    """
    feasible = [trial for trial in trials if counts(trial, objectives)]
    for metric in objectives.metrics:
        kinds = sorted({trial.provenance[metric] for trial in feasible if metric in trial.provenance})
        if len(kinds) > 1:
            raise SearchError(
                f"{metric} is {' in some trials and '.join(kinds)} in others: they cannot be ranked together",
                remedy="measure all of them on the same kind of device",
            )
    if not feasible:
        return []
    mask = non_dominated([objectives.losses(trial.values) for trial in feasible])
    return sorted([t for t, keep in zip(feasible, mask, strict=True) if keep], key=lambda t: t.number)


def _checked(points: ArrayLike) -> Points:
    values = np.asarray(points, dtype=np.float64)
    if values.size == 0 and values.ndim < 2:
        values = values.reshape(0, 1)
    if values.ndim != 2 or values.shape[1] < 1:
        raise ValueError(f"points of shape {values.shape}, expected (candidates, objectives)")
    if not np.isfinite(values).all():
        raise ValueError("points hold NaN or infinity, expected finite numbers")
    return values


def _peeled(values: Points, fronts: int) -> NDArray[np.intp]:
    """Ranks of few points, from the matrix of who dominates whom, front by front."""
    dominates = _dominating(values, values)
    ranks = np.full(len(values), fronts, dtype=np.intp)
    left = np.arange(len(values))
    for rank in range(fronts):
        if not len(left):
            break
        free = ~dominates[np.ix_(left, left)].any(axis=0)
        ranks[left[free]] = rank
        left = left[~free]
    return ranks


def _dominating(points: Points, others: Points) -> NDArray[np.bool_]:
    """Shape (points, others): whether the one dominates the other.  Objective by objective, as reducing a
    last axis of two or three numbers costs several times as much."""
    nowhere_larger = np.ones((len(points), len(others)), dtype=np.bool_)
    somewhere_smaller = np.zeros_like(nowhere_larger)
    for first, second in zip(points.T, others.T, strict=True):
        nowhere_larger &= first[:, np.newaxis] <= second
        somewhere_smaller |= first[:, np.newaxis] < second
    return nowhere_larger & somewhere_smaller


def _dominated(point: Points, others: Points) -> bool:
    return bool(((others <= point).all(axis=1) & (others < point).any(axis=1)).any())


def _volume(points: Points, corner: Points) -> float:
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(corner[0] - points.min())
    if points.shape[1] == 2:
        return _area(points, corner)
    # Between two neighbouring depths the cross-section is that of all points above it.
    ordered = points[np.argsort(points[:, -1], kind="stable")]
    depths = np.append(ordered[:, -1], corner[-1])
    return sum(
        float(depths[size] - depths[size - 1]) * _volume(ordered[:size, :-1], corner[:-1])
        for size in range(1, len(ordered) + 1)
        if depths[size] > depths[size - 1]
    )


def _area(points: Points, corner: Points) -> float:
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
    lowest = np.minimum.accumulate(ordered[:, 1])
    widths = np.diff(np.append(ordered[:, 0], corner[0]))
    return float(np.sum(widths * (corner[1] - lowest)))


def best(trials: Sequence[Trial], objectives: Objectives) -> Trial | None:
    """The complete trial of the highest reward that keeps all constraints; None where there is none.

    Of equal rewards the earlier trial wins.
    """
    able = [trial for trial in trials if counts(trial, objectives)]
    return max(able, key=lambda trial: (objectives.rank(trial), -trial.number), default=None)
