"""Deployment as a part of the search: board, clock and stripes in front of any space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search.errors import BadArchitecture
from search.space import make_space
from search.space.base import Architecture, Deployment, Space
from search.space.deploy import CLOCK, DeployedSpace, DeployOptions, undeployed
from search.space.options import BadOption
from search.testing.space_suite import SpaceSuite

BOARDS = ("nrf52840_dk", "nucleo_f446re")
CLOCKS = {"nrf52840_dk": (64_000_000,), "nucleo_f446re": (180_000_000, 84_000_000)}


def chain() -> Space:
    return make_space("chain", {"max_depth": 3}, input_shape=(8, 8, 1), classes=4)


def deployed(**options: Any) -> DeployedSpace:
    return DeployedSpace(chain(), **{"boards": BOARDS, "clocks": CLOCKS, "patches": (False, True), **options})


class TestDeployed(SpaceSuite):
    @pytest.fixture(params=["boards, clocks, patches", "clocks", "nothing"])
    def space(self, request: pytest.FixtureRequest) -> Space:
        if request.param == "boards, clocks, patches":
            return deployed()
        one = ("nucleo_f446re",)
        return (
            deployed(boards=one, patches=())
            if request.param == "clocks"
            else deployed(boards=one, clocks={}, patches=(True,))
        )


def of(text: str) -> Architecture:
    return Architecture("chain, deployed", text)


def test_the_text_says_how_it_is_deployed() -> None:
    space = deployed()
    found = of("board=nucleo_f446re clock=84MHz patches=yes | conv3-16 ds3-24")
    assert space.deployment(found) == Deployment("nucleo_f446re", 84_000_000, patches=True)
    assert space.network(found) == Architecture("chain", "conv3-16 ds3-24")
    assert space.layers(found) == chain().layers(Architecture("chain", "conv3-16 ds3-24"))


def test_what_has_one_option_is_no_decision_and_known_all_the_same() -> None:
    space = deployed(patches=(False,))
    found = of("board=nrf52840_dk | conv3-16")
    assert space.deployment(found) == Deployment("nrf52840_dk", 64_000_000, patches=False)
    assert space.choice((0,)) == chain().choice(())


def test_clocks_are_offered_as_the_board_has_them() -> None:
    space = deployed()
    clock = space.choice((1,))
    assert clock is not None
    assert (clock.gene, clock.options) == (CLOCK, (180_000_000, 84_000_000))
    after_the_other_board = space.choice((0,))
    assert after_the_other_board is not None
    assert after_the_other_board.kind == "patches"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conv3-16 ds3-24", "board=nrf52840_dk"),
        ("board=pico patches=no | conv3-16", "board=pico"),
        ("board=nrf52840_dk clock=64MHz patches=no | conv3-16", "clock=64MHz"),
        ("board=nucleo_f446re clock=90MHz patches=no | conv3-16", "clock=180MHz, clock=84MHz"),
        ("board=nrf52840_dk patches=no twice=1 | conv3-16", "valid is|written"),
        ("board=nrf52840_dk patches=no | wat", "wat"),
    ],
)
def test_what_is_no_architecture_says_what_was_expected(text: str, told: str) -> None:
    assert not deployed().contains(of(text))
    with pytest.raises(BadArchitecture, match=told):
        deployed().layers(of(text))


def test_mutation_reaches_every_board_and_clock_and_keeps_the_network_then() -> None:
    space, rng = deployed(), np.random.default_rng(1)
    parent = of("board=nrf52840_dk patches=no | conv3-16 ds3-24")
    children = [space.mutate(parent, rng) for _ in range(300)]
    moved = [c for c in children if space.deployment(c) != space.deployment(parent)]
    assert {space.deployment(c).clock_hz for c in moved} == {64_000_000, 84_000_000, 180_000_000}
    assert all(space.network(c).text == "conv3-16 ds3-24" for c in moved)
    assert len(moved) < len(children)


def test_a_child_is_deployed_as_one_of_its_parents() -> None:
    space, rng = deployed(), np.random.default_rng(2)
    a = of("board=nrf52840_dk patches=no | conv3-16 ds3-24")
    b = of("board=nucleo_f446re clock=84MHz patches=yes | conv3-8")
    found = {space.deployment(space.crossover(a, b, rng)) for _ in range(50)}
    assert found == {space.deployment(a), space.deployment(b)}


def test_a_clock_twice_as_fast_is_nearer_than_another_board() -> None:
    space = deployed()
    base = of("board=nucleo_f446re clock=84MHz patches=no | conv3-16")
    faster = of("board=nucleo_f446re clock=180MHz patches=no | conv3-16")
    elsewhere = of("board=nrf52840_dk patches=no | conv3-16")
    assert 0 < space.distance(base, faster) < space.distance(base, elsewhere)


def test_the_network_alone_is_what_is_trained() -> None:
    found = of("board=nrf52840_dk patches=no | conv3-16")
    assert undeployed(deployed(), found) == Architecture("chain", "conv3-16")
    assert undeployed(chain(), Architecture("chain", "conv3-16")) == Architecture("chain", "conv3-16")


def test_clocks_are_taken_of_what_a_board_offers() -> None:
    offered = (180_000_000, 120_000_000, 84_000_000)
    assert DeployOptions(clocks="all").clocks_of("x", offered) == offered
    assert DeployOptions(clocks=("84 MHz", "64 MHz")).clocks_of("x", offered) == (84_000_000,)
    with pytest.raises(BadOption, match="board 'x' has none of 64 MHz") as caught:
        DeployOptions(clocks=("64 MHz",)).clocks_of("x", offered)
    assert "180MHz, 120MHz, 84MHz" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"boards": ["pico", "pico"]}, "twice"),
        ({"boards": ["pico@48MHz"]}, "expected the id"),
        ({"clocks": ["fast"]}, '"fast", expected a frequency'),
        ({"clocks": "some"}, "all"),
        ({"patches": ["sometimes"]}, "patches"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        DeployOptions(**options)  # type: ignore[arg-type]
