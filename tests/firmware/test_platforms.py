"""The project's own PlatformIO platforms: what they ask of the registry, and what they upload."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

from hil import toolchain
from hil.resources import firmware_dir
from hil.toolchain import run_platformio
from tests.support.firmware import needs_toolchain


def asked_of_the_registry(name: str, targets: list[str]) -> dict[str, str]:
    """Package -> version that PlatformIO would fetch if it were not installed, for a run with `targets`."""
    from platformio.platform.factory import PlatformFactory

    platform: Any = PlatformFactory.new(str(firmware_dir() / "platforms" / name))
    platform.configure_default_packages({}, targets)
    return {
        package: facts["version"] for package, facts in platform.packages.items() if not facts.get("optional")
    }


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one folder, empty as yet, in a folder without a project."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    monkeypatch.chdir(tmp_path)
    return folder


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def test_without_an_arm_compiler_the_registry_is_asked_for_one(programs: Path) -> None:
    assert asked_of_the_registry("hil_arm", []) == {"toolchain-gccarmnoneeabi": "~1.120301.0"}


def test_with_an_arm_compiler_the_registry_is_asked_for_nothing(programs: Path) -> None:
    install(programs, "arm-none-eabi-gcc")
    assert asked_of_the_registry("hil_arm", []) == {}
    assert asked_of_the_registry("hil_arm", ["nobuild", "upload"]) == {}


def test_without_avr_tools_the_registry_is_asked_for_them(programs: Path) -> None:
    asked = asked_of_the_registry("hil_avr", [])
    assert "toolchain-atmelavr" in asked
    assert "tool-avrdude" not in asked
    assert "tool-avrdude" in asked_of_the_registry("hil_avr", ["upload"])


def test_with_avr_tools_the_registry_is_asked_for_none_of_them(programs: Path) -> None:
    install(programs, "avr-gcc", "avrdude")
    for targets in ([], ["upload"], ["nobuild", "upload"]):
        assert set(asked_of_the_registry("hil_avr", targets)) <= {"framework-arduino-avr"}


@pytest.mark.parametrize("name", ["hil_arm", "hil_avr"])
def test_the_compiler_is_the_one_that_the_remedy_of_a_missing_one_names(name: str) -> None:
    packages = json.loads((firmware_dir() / "platforms" / name / "platform.json").read_text())["packages"]
    fetched = {package: facts["version"] for package, facts in packages.items() if "toolchain" in package}
    assert fetched.items() <= dict(toolchain.PACKAGES.values()).items()


@pytest.mark.parametrize(
    ("board_id", "has", "has_not"),
    [
        ("nrf52840_dk", "nrfjprog", "st-flash"),
        ("bbcmicrobit_v2", "pyocd", "nrfjprog"),  # its probe is a DAPLink, which nrfjprog does not know
        ("pico", "openocd", "JLinkExe"),
        ("nucleo_f446re", "st-flash", "nrfjprog"),
    ],
)
def test_a_board_is_flashed_with_tools_for_its_probe(board_id: str, has: str, has_not: str) -> None:
    from platformio.platform.board import PlatformBoardConfig

    platform = firmware_dir() / "platforms" / "hil_arm"
    tools = runpy.run_path(str(platform / "builder" / "upload.py"))["_tools"]
    offered = tools(PlatformBoardConfig(str(platform / "boards" / f"{board_id}.json")))
    assert has in offered
    assert has_not not in offered


@needs_toolchain
def test_a_given_elf_is_uploaded_as_if_it_had_been_built(tmp_path: Path) -> None:
    project, given, noted = tmp_path / "project", tmp_path / "given.elf", tmp_path / "noted"
    shutil.copytree(firmware_dir() / "platforms" / "hil_arm", project / "hil_arm")
    shutil.copy(firmware_dir() / "lib" / "port" / "arduino" / "given_elf.py", project)
    (project / "platformio.ini").write_text(
        "[env:board]\nplatform = symlink://hil_arm\nboard = nrf52840_dk\nextra_scripts = pre:given_elf.py\n"
    )
    given.write_bytes(b"the very image")
    command = tmp_path / "flash"
    command.write_text(f'#!/bin/sh\necho "$@" > "{noted}"\n')
    command.chmod(0o755)
    run = run_platformio(
        ["run", "-s", "-e", "board", "-t", "upload", "--upload-port", "/dev/some"],
        folder=project,
        timeout_s=120.0,
        variables={"HILNAS_UPLOAD_ELF": str(given), "HILNAS_UPLOAD_COMMAND": str(command)},
    )
    assert run.returncode == 0, run.stdout
    assert noted.read_text().split() == [str(given), "/dev/some"]
