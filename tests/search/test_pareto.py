"""Fronts, ranks, crowding and hypervolume, against brute force and Monte Carlo."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from search.errors import SearchError
from search.objective import Objectives
from search.pareto import crowding_distance, front, hypervolume, non_dominated, non_dominated_sort
from search.space.base import Architecture
from search.trial import State, Trial

# A coarse grid, so that ties and equal points are frequent.
clouds = st.integers(1, 4).flatmap(
    lambda m: hnp.arrays(
        np.float64, st.tuples(st.integers(1, 24), st.just(m)), elements=st.integers(0, 5).map(float)
    )
)


def dominates(p: np.ndarray, q: np.ndarray) -> bool:
    return all(a <= b for a, b in zip(p, q, strict=True)) and any(a < b for a, b in zip(p, q, strict=True))


def peeled(points: np.ndarray) -> list[int]:
    """Ranks by definition: take the non-dominated away, again and again."""
    ranks, left, rank = [-1] * len(points), set(range(len(points))), 0
    while left:
        layer = {i for i in left if not any(dominates(points[j], points[i]) for j in left)}
        for i in layer:
            ranks[i] = rank
        left, rank = left - layer, rank + 1
    return ranks


@settings(max_examples=150)
@given(clouds)
def test_ranks_are_those_of_peeling(points: np.ndarray) -> None:
    ranks = peeled(points)
    assert non_dominated_sort(points).tolist() == ranks
    assert non_dominated(points).tolist() == [rank == 0 for rank in ranks]
    assert non_dominated_sort(points, fronts=2).tolist() == [min(rank, 2) for rank in ranks]


def grid_volume(points: np.ndarray, reference: np.ndarray) -> float:
    """Volume by counting unit cells: exact on whole-numbered points."""
    cells = itertools.product(*[range(int(r)) for r in reference])
    return float(sum(any(all(p <= np.array(cell)) for p in points) for cell in cells))


@settings(max_examples=80)
@given(clouds)
def test_hypervolume_is_the_number_of_covered_cells(points: np.ndarray) -> None:
    reference = np.full(points.shape[1], 5.0)
    assert hypervolume(points, reference) == pytest.approx(grid_volume(points, reference))


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_hypervolume_agrees_with_monte_carlo(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    points = rng.random((30, objectives))
    darts = rng.random((40_000, objectives))
    hit = (points[:, None, :] <= darts[None, :, :]).all(axis=2).any(axis=0).mean()
    error = 4 * np.sqrt(hit * (1 - hit) / len(darts))
    assert hypervolume(points, np.ones(objectives)) == pytest.approx(hit, abs=error)


@given(clouds)
def test_dominated_points_add_no_volume(points: np.ndarray) -> None:
    reference = np.full(points.shape[1], 6.0)
    assert hypervolume(points[non_dominated(points)], reference) == pytest.approx(
        hypervolume(points, reference)
    )


def test_hypervolume_by_hand() -> None:
    assert hypervolume([[1, 3], [2, 1]], [4, 4]) == 3 * 1 + 2 * 3 - 2 * 1
    assert hypervolume([[0, 0, 0]], [2, 3, 4]) == 24
    assert hypervolume([[5, 0], [0, 5]], [5, 5]) == 0
    assert hypervolume([], [5, 5]) == 0


def test_crowding_by_hand() -> None:
    points = [[0, 10], [1, 6], [3, 4], [10, 0]]
    distance = crowding_distance(points)
    assert np.isinf(distance[[0, 3]]).all()
    assert distance[1:3] == pytest.approx([3 / 10 + 6 / 10, 9 / 10 + 6 / 10])


@given(clouds)
def test_crowding_keeps_the_extremes_and_knows_no_order(points: np.ndarray) -> None:
    distance = crowding_distance(points)
    assert (distance >= 0).all()
    for column in points.T:
        assert np.isinf(distance[column == column.min()]).any()
        assert np.isinf(distance[column == column.max()]).any()


@given(st.permutations(range(8)))
def test_crowding_follows_its_points(order: list[int]) -> None:
    points = np.array([[k, (7 - k) ** 2] for k in range(8)], dtype=float)
    shuffled = crowding_distance(points[order])
    assert shuffled == pytest.approx(crowding_distance(points)[order])


def test_objectives_without_extent_give_no_distance() -> None:
    assert crowding_distance([[1, 5], [1, 5], [1, 5]])[1] == 0


@pytest.mark.parametrize("points", [[[np.nan, 1]], [[np.inf, 1]], [1.0, 2.0]])
def test_points_that_are_none_are_refused(points: list[object]) -> None:
    with pytest.raises(ValueError, match=r"points"):
        non_dominated_sort(points)


def test_a_reference_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="reference of shape"):
        hypervolume([[1, 2]], [3, 3, 3])


def test_no_points_have_no_front() -> None:
    assert non_dominated([]).tolist() == []
    assert crowding_distance([]).tolist() == []


WANTED = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 100"])


def trial(number: int, accuracy: float, latency: float, origin: Mapping[str, str] | None = None) -> Trial:
    values = {"accuracy": accuracy, "latency_us": latency}
    return Trial(
        number, Architecture("chain", f"conv3-{number + 1}"), State.COMPLETE, values, provenance=origin or {}
    )


def test_the_front_of_a_study() -> None:
    trials = [
        trial(3, 0.9, 50),
        trial(0, 0.8, 20),
        trial(1, 0.85, 60),  # dominated by 3
        trial(2, 0.99, 101),  # too slow
        Trial(4, Architecture("chain", "conv3-64"), State.INFEASIBLE, {"latency_us": 1.0}),
        Trial(5, Architecture("chain", "conv3-48"), State.RUNNING),
    ]
    assert [one.number for one in front(trials, WANTED)] == [0, 3]
    assert front([], WANTED) == []


def test_figures_of_different_provenance_are_not_ranked_together() -> None:
    mixed = [
        trial(0, 0.9, 50, {"latency_us": "hardware"}),
        trial(1, 0.8, 40, {"latency_us": "simulated"}),
    ]
    with pytest.raises(SearchError, match="hardware in some trials and simulated in others"):
        front(mixed, WANTED)
    assert len(front(mixed[:1], WANTED)) == 1
