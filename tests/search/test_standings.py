"""Front, best and hypervolume kept trial by trial: the same as found from all trials at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import pareto
from search.errors import SearchError
from search.objective import Objectives
from search.space.base import Architecture
from search.standings import Standings
from search.trial import State, Trial

GOALS = Objectives.parse(
    ["maximize accuracy", "minimize latency_us"], ["latency_us <= 6", "ram_bytes <= 3"], reward="accuracy"
)


def trial(number: int, accuracy: float, latency_us: float, **other: object) -> Trial:
    values = {"accuracy": accuracy, "latency_us": latency_us, "ram_bytes": float(number % 5)}
    known = {"state": State.COMPLETE, "provenance": dict.fromkeys(values, "pretend"), **other}
    return Trial(number, Architecture("chain", str(number)), values=values, **known)  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([1.0, 0.5]), st.booleans()),
        max_size=25,
    ),
    st.integers(0, 25),
    st.randoms(use_true_random=False),
)
def test_they_are_those_of_all_trials(
    rows: list[tuple[int, int, float, bool]], before: int, random: object
) -> None:
    trials = [
        trial(n, a / 8, float(t), fidelity=f, state=State.COMPLETE if whole else State.INFEASIBLE)
        for n, (a, t, f, whole) in enumerate(rows)
    ]
    shuffled = list(trials)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    standings = Standings(GOALS, shuffled[:before])
    for one in shuffled[before:]:
        standings.add(one)
    assert list(standings.front) == pareto.front(trials, GOALS)
    assert standings.best == pareto.best(trials, GOALS)
    assert standings.done == len(trials)
    losses = [(-t.values["accuracy"], t.values["latency_us"] / 6) for t in standings.front]
    assert standings.hypervolume() == pytest.approx(pareto.hypervolume(losses, (0, 1)) if losses else 0.0)


def test_hypervolume_is_a_share_of_what_the_limits_leave() -> None:
    standings = Standings(GOALS)
    assert standings.hypervolume() == 0.0
    standings.add(trial(0, 1.0, 0.0))
    assert standings.hypervolume() == 1.0
    unlimited = Objectives.parse(["maximize accuracy", "minimize latency_us"], reward="accuracy")
    assert Standings(unlimited).hypervolume() is None


def test_figures_of_different_origin_are_not_ranked_together() -> None:
    standings = Standings(GOALS, [trial(0, 0.5, 1.0)])
    with pytest.raises(SearchError, match="cannot be ranked together"):
        standings.add(trial(1, 0.9, 0.5, provenance={"latency_us": "hardware"}))
