"""Exported projects build by themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hil import firmware
from hil.board import load_board
from hil.errors import InputError
from hil.toolchain import run_platformio
from tests.support.firmware import conv_program, dk, needs_toolchain
from tests.support.flashed import flashed


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@needs_toolchain
def test_an_export_builds_to_the_very_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "cache"))
    project = tmp_path / "moved" / "project"
    firmware.write_project(conv_program(), dk(), project)
    run = run_platformio(["run", "-s"], folder=project, timeout_s=300.0)
    assert run.returncode == 0, run.stdout
    elf = firmware.build(conv_program(), dk()).elf
    assert elf is not None
    exported = project / ".pio" / "build" / "nrf52840_dk" / "firmware.elf"
    assert flashed(exported) == flashed(elf)


def test_an_export_holds_model_board_and_no_path_of_this_computer(tmp_path: Path) -> None:
    program = conv_program()
    firmware.write_project(program, dk(), tmp_path / "project")
    files = files_of(tmp_path / "project")
    assert files["src/model.c"].decode() == program.sources["model.c"]
    assert b"ram_bytes = 262144" in files["board.ini"]
    assert not [name for name, content in files.items() if str(Path.home()).encode() + b"/" in content]
    assert not [name for name in files if "__pycache__" in name]


def test_an_earlier_export_is_brought_up_to_date(tmp_path: Path) -> None:
    firmware.write_project(conv_program(), dk(), tmp_path)
    firmware.write_project(conv_program(seed=1), dk(), tmp_path)
    assert files_of(tmp_path)["src/model.c"].decode() == conv_program(seed=1).sources["model.c"]


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("do not touch")
    with pytest.raises(InputError, match="not empty"):
        firmware.write_project(conv_program(), dk(), tmp_path)
    assert files_of(tmp_path) == {"thesis.txt": b"do not touch"}
    with pytest.raises(InputError, match="is a file"):
        firmware.write_project(conv_program(), dk(), tmp_path / "thesis.txt")


def test_a_board_without_firmware_is_refused(tmp_path: Path) -> None:
    board = replace(dk(), build=replace(dk().build, environment="not_ours"))
    with pytest.raises(InputError, match="no environment 'not_ours'"):
        firmware.write_project(conv_program(), board, tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("board_id", ["nano33ble", "uno", "nucleo_u575zi"])
def test_plain_pio_run_in_an_export_builds_for_its_board(tmp_path: Path, board_id: str) -> None:
    board = load_board(board_id)
    firmware.write_project(conv_program(), board, tmp_path)
    run = run_platformio(["project", "config", "--json-output"], folder=tmp_path, timeout_s=60.0)
    settings = {section: dict(options) for section, options in json.loads(run.stdout)}
    assert settings["platformio"]["default_envs"] == [board.build.environment]
    assert f"env:{board.build.environment}" in settings
