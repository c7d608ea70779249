"""Environments of firmware/platformio.ini, and fetching what some of them need from the registry."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from hil.board import list_boards, load_board, parse_board
from hil.errors import HostError, InputError, ToolMissing
from hil.firmware import registry
from hil.firmware.environments import (
    Environment,
    can_build,
    environment_of,
    environments,
    read_environments,
)
from hil.resources import boards_dir
from hil.toolchain import core_dir

NORDIC = Environment("nano33ble", "nordicnrf52@^10")


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "cache"))
    return core_dir()


def ini(folder: Path, text: str) -> Path:
    path = folder / "platformio.ini"
    path.write_text(text)
    return path


@pytest.mark.parametrize("board_id", list_boards())
def test_every_board_that_ships_names_an_environment_that_there_is(board_id: str) -> None:
    assert environment_of(load_board(board_id)).name == load_board(board_id).build.environment


def test_every_environment_builds_for_a_board_that_ships() -> None:
    named = {load_board(board_id).build.environment for board_id in list_boards()}
    assert set(environments()) == named


def test_platforms_of_this_project_and_of_the_registry_are_told_apart() -> None:
    local = {name for name, environment in environments().items() if environment.is_local}
    assert {"nrf52840_dk", "uno"} <= local
    assert set(environments()) - local == {
        "nano33ble",
        "adafruit_feather_nrf52840",
        "adafruit_itsybitsy_nrf52840",
    }


def test_an_option_is_inherited_and_the_last_parent_wins_as_in_platformio(tmp_path: Path) -> None:
    text = """
[far]
platform = symlink://far
[near]
extends = far
[first]
platform = first@^1
[env:a]
extends = first, near
[env:b]
extends = first, near
platform = own  ; a comment
"""
    found = read_environments(ini(tmp_path, text))
    assert {name: environment.platform for name, environment in found.items()} == {
        "a": "symlink://far",
        "b": "own",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[env:a]\nboard = x\n", "no 'platform'"),
        ("[env:a]\nextends = b\n[b]\nextends = env:a\n", "extends itself"),
        ("platform = x\n", "section"),
    ],
)
def test_a_file_that_cannot_be_understood_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(HostError, match=said):
        read_environments(ini(tmp_path, text))


def test_a_profile_that_names_no_environment_of_ours_is_told_the_nearest() -> None:
    text = (boards_dir() / "nano33ble.toml").read_text().replace('"nano33ble"', '"nano33bel"')
    board = parse_board(text, board_id="mine", where="mine.toml")
    assert not can_build(board)
    with pytest.raises(InputError, match="'nano33bel'") as error:
        environment_of(board)
    assert "did you mean nano33ble" in (error.value.remedy or "")


def test_without_platform_and_registry_one_sentence_says_so(core: Path) -> None:
    with pytest.raises(ToolMissing, match=r"nano33ble.*not installed.*cannot be reached") as error:
        registry.provide(NORDIC, "arm-none-eabi-", reachable=lambda: False)
    assert "connect this computer to the internet once" in (error.value.remedy or "")
    assert "pio pkg install -e nano33ble" in (error.value.remedy or "")


def fetched(core: Path, version: str) -> None:
    """The state that a fetch leaves behind."""
    for name, facts in {
        "platforms/nordicnrf52/platform.json": {"name": "nordicnrf52", "version": version},
        "fetched/nano33ble.json": {
            "name": "nordicnrf52",
            "platform": NORDIC.platform,
            "version": "nordicnrf52 10.6.0",
        },
    }.items():
        (core / name).parent.mkdir(parents=True, exist_ok=True)
        (core / name).write_text(json.dumps(facts))


def never() -> bool:
    raise AssertionError("the registry is asked although everything is here")


def test_what_was_fetched_is_not_asked_for_again(core: Path) -> None:
    fetched(core, "10.6.0")
    compiler = registry.provide(NORDIC, "arm-none-eabi-", reachable=never)
    assert compiler.version == "of nordicnrf52 10.6.0"


@pytest.mark.parametrize(
    "lost", ["platforms/nordicnrf52/platform.json", "fetched/nano33ble.json"], ids=["platform", "note"]
)
def test_what_was_removed_since_is_fetched_again(core: Path, lost: str) -> None:
    fetched(core, "10.6.0")
    (core / lost).unlink()
    with pytest.raises(ToolMissing, match="cannot be reached"):
        registry.provide(NORDIC, "arm-none-eabi-", reachable=lambda: False)


def test_another_version_of_the_platform_is_not_taken_for_the_one_fetched(core: Path) -> None:
    fetched(core, "10.7.0")
    with pytest.raises(ToolMissing, match="cannot be reached"):
        registry.provide(NORDIC, "arm-none-eabi-", reachable=lambda: False)


def test_a_host_that_never_answers_does_not_hold_up_one_that_does() -> None:
    stuck = threading.Event()

    def probe(host: str, _: float) -> bool:
        return host == "quick" or stuck.wait(60)

    assert registry.any_answers(["stuck", "quick"], probe, within_s=30.0)
    assert not registry.any_answers(["stuck"], probe, within_s=0.05)
    assert not registry.any_answers(["one", "two"], lambda host, _: False, within_s=30.0)
    stuck.set()
