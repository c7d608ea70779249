"""Choosing a space by the work of its networks that fit, and limits that a study leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.board import load_board
from search.cli.spaces import limits_of
from search.config import StudyConfig
from search.space import make_space
from search.space.base import Cost
from search.space.options import BadOption
from search.tinynas import Candidate, Limits, SpaceScore, candidates, rank_spaces

FREE = Limits()
BOARD = load_board("nrf52840_dk")


def perceptrons(*units: int) -> Candidate:
    space = make_space("mlp", {"units": units, "max_depth": 2}, input_shape=(4, 4, 1), classes=2)
    return Candidate(f"mlp {units}", space)


def cost(**other: int) -> Cost:
    figures = {
        "parameters": 10,
        "macs": 20,
        "weight_bytes": 30,
        "peak_activation_bytes": 40,
        "striped_activation_bytes": 35,
    }
    return Cost(**{**figures, **other})


@pytest.mark.parametrize(
    ("limits", "keeps"),
    [
        (Limits(), True),
        (Limits(40, 30, 20, 10), True),
        (Limits(activation_bytes=39), False),
        (Limits(activation_bytes=39, striped=True), True),
        (Limits(weight_bytes=29), False),
        (Limits(macs=19), False),
        (Limits(parameters=9), False),
    ],
)
def test_each_limit_is_kept_or_broken_for_itself(limits: Limits, keeps: bool) -> None:
    assert limits.keeps(cost()) is keeps


def test_where_all_fit_the_space_of_more_work_is_chosen() -> None:
    spaces = [perceptrons(4, 8), perceptrons(32, 64), perceptrons(8, 16)]
    scores = rank_spaces(spaces, FREE, samples=50)
    assert [score.candidate for score in scores] == [spaces[1], spaces[2], spaces[0]]
    assert [score.chosen for score in scores] == [True, False, False]
    assert all(score.share == 1 for score in scores)


def test_only_networks_that_fit_count() -> None:
    """All of one space fit; of the other only the smallest, which do less work than those of the first."""
    modest, vast = perceptrons(12, 16), perceptrons(4, 512)
    limits = Limits(weight_bytes=700)
    assert rank_spaces([modest, vast], FREE, samples=80)[0].candidate is vast
    first, second = rank_spaces([modest, vast], limits, samples=80)
    assert first.candidate is modest
    assert first.share == 1
    assert 0 < second.share < 1
    assert max(second.macs) < min(first.macs)


def test_a_space_in_which_nothing_fits_comes_last_and_is_not_chosen() -> None:
    small, vast = perceptrons(4), perceptrons(512)
    first, last = rank_spaces([vast, small], Limits(weight_bytes=500), samples=20)
    assert (first.candidate, first.chosen) == (small, True)
    assert (last.share, last.mean_macs, last.percentile_macs(80), last.chosen) == (0, 0, 0, False)
    assert not any(score.chosen for score in rank_spaces([vast], Limits(weight_bytes=500), samples=20))


def test_a_handful_of_networks_is_not_enough_to_be_chosen() -> None:
    rare = perceptrons(*range(4, 64, 4))
    small = perceptrons(4)
    limits = Limits(weight_bytes=400)
    assert rank_spaces([rare, small], limits, samples=200, least_share=0.0)[0].candidate is rare
    first, second = rank_spaces([rare, small], limits, samples=200, least_share=0.5)
    assert first.candidate is small
    assert 0 < second.share < 0.5
    assert second.mean_macs > first.mean_macs


def test_the_seed_decides_and_the_order_of_spaces_does_not() -> None:
    spaces = [perceptrons(4, 8, 16, 32), perceptrons(8, 16, 24)]

    def macs(seed: int, spaces: list[Candidate]) -> dict[str, tuple[int, ...]]:
        return {s.candidate.name: s.macs for s in rank_spaces(spaces, FREE, samples=30, seed=seed)}

    assert macs(1, spaces) == macs(1, spaces[::-1])
    assert macs(1, spaces) != macs(2, spaces)


def test_figures_are_those_of_the_networks_that_fit() -> None:
    score = SpaceScore(perceptrons(4), sampled=10, macs=(100, 200, 300, 400, 1000))
    assert (score.share, score.mean_macs) == (0.5, 400)
    assert score.percentile_macs(50) == 300
    assert score.percentile_macs(80) == pytest.approx(520)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(BadOption, match="0 spaces"):
        rank_spaces([], FREE)


def test_candidates_are_all_pairs_of_resolution_and_width() -> None:
    options = {"resolutions": [1.0, 0.5], "width_multipliers": [1.0, 0.5], "max_stages": 2}
    found = candidates("stages", options, input_shape=(16, 16, 3), classes=4)
    assert {tuple(one.fixed.values()) for one in found} == {(1.0, 1.0), (1.0, 0.5), (0.5, 1.0), (0.5, 0.5)}
    scores = rank_spaces(found, FREE, samples=30)
    assert scores[0].candidate.fixed == {"resolutions": 1.0, "width_multipliers": 1.0}
    assert scores[-1].candidate.fixed == {"resolutions": 0.5, "width_multipliers": 0.5}


def test_a_space_without_dials_is_refused() -> None:
    with pytest.raises(BadOption, match="'chain' has no resolutions"):
        candidates("chain", {}, input_shape=(8, 8, 1), classes=4)


def study(*constraints: str, **other: object) -> StudyConfig:
    return StudyConfig(name="s", constraints=constraints, **other)  # type: ignore[arg-type]


def test_without_constraints_the_board_is_the_limit() -> None:
    limits = limits_of(study(), BOARD)
    static, stack = BOARD.simulator.static_bytes, BOARD.build.stack_bytes
    assert limits.activation_bytes == BOARD.ram.size_bytes - static - stack
    assert limits.weight_bytes == BOARD.flash.size_bytes - BOARD.simulator.code_bytes
    assert (limits.macs, limits.parameters, limits.striped) == (None, None, False)


def test_constraints_are_limits_less_what_the_firmware_takes() -> None:
    config = study(
        "ram_bytes <= 32 kB", "flash_bytes <= 64 kB", "macs <= 2 M", "accuracy >= 50 %", patches="auto"
    )
    limits = limits_of(config, BOARD)
    firmware = BOARD.simulator
    assert limits.activation_bytes == 32 * 1024 - firmware.static_bytes - firmware.stack_bytes
    assert limits.weight_bytes == 64 * 1024 - firmware.code_bytes
    assert limits.macs == 2e6
    assert limits.striped
    tighter = replace(config, constraints=("arena_bytes <= 1 kB", "weight_bytes <= 3 kB"))
    assert limits_of(tighter, BOARD).activation_bytes == 1024
    assert limits_of(tighter, BOARD).weight_bytes == 3072
