"""docs/boards.md: its commands are there, its study can be read, its tables name every board."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main

from hil.board import list_boards, load_board
from hil.errors import ToolMissing
from hil.firmware import registry
from hil.firmware.environments import environments
from search import config as study_config
from search.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "boards.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def hilnas_lines() -> list[str]:
    lines = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("hilnas ")]


@pytest.mark.parametrize("line", hilnas_lines())
def test_command_and_options_are_there(line: str) -> None:
    commands = typer.main.get_command(app)
    _, name, *arguments = shlex.split(line, comments=True)
    command = commands.get_command(None, name)  # type: ignore[attr-defined,arg-type]
    assert command is not None, name
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


def test_the_page_has_the_steps_of_a_newcomer() -> None:
    assert {shlex.split(line)[1] for line in hilnas_lines()} >= {
        "doctor",
        "boards",
        "measure",
        "search",
        "report",
        "export",
    }


def test_the_study_that_the_page_makes_is_one(tmp_path: Path) -> None:
    (script,) = (block for block in BLOCKS if "sed -e" in block)
    edit, search_it = script.rsplit("hilnas", 1)
    assert search_it.strip() == "search study.toml"
    subprocess.run(
        ["sh", "-ec", edit.replace("study.toml", str(tmp_path / "study.toml"))], cwd=ROOT, check=True
    )
    config = study_config.load(tmp_path / "study.toml")
    assert (config.device, config.board) == ("serial:/dev/ttyACM0", "nano33ble")
    assert config.name == "digits_nano33ble"
    assert config.budget.minutes == 60


def test_what_is_said_without_the_internet_is_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path))
    with pytest.raises(ToolMissing) as error:
        registry.provide(environments()["nano33ble"], "arm-none-eabi-", reachable=lambda: False)
    assert f"error: {error.value.message}\n  -> {error.value.remedy}\n" in PAGE


@pytest.mark.parametrize("page", ["docs/boards.md", "boards/README.md"])
def test_the_table_names_every_board_and_its_environment(page: str) -> None:
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
    for board_id in list_boards():
        board = load_board(board_id)
        assert any(f"`{board_id}`" in row and board.build.environment in row for row in rows), board_id


def test_the_firmwares_table_names_every_environment() -> None:
    text = (ROOT / "firmware" / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for name in environments():
        assert any(re.search(rf"\b{name}\b", row.split("|")[1]) for row in rows), name
