"""An installed wheel works outside the checkout: boards and firmware travel inside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.cli.test_bad_model import conv_model

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
    ]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("hilnas-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; what it depends on is taken from the environment of this test."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder),
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # A folder named in a .pth file is searched, but its own .pth files (an editable hilnas) are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_wheel_holds_boards_and_firmware_and_nothing_that_was_built(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "hil/_data/boards/nrf52840_dk.toml",
        "hil/_data/firmware/platformio.ini",
        "hil/_data/firmware/src/main.c",
        "hil/emulator/counter.c",
        "hil/emulator/avr/host.c",
        "search/report/page.html.jinja",
    ):
        assert needed in names
    assert not [name for name in names if "/.pio/" in name or name.endswith((".o", ".elf"))]


@pytest.mark.parametrize(
    "device",
    [
        "simulated:nrf52840_dk",
        pytest.param(
            "emulated:nrf52840_dk",
            marks=pytest.mark.skipif(
                shutil.which("arm-none-eabi-gcc") is None,
                reason="needs arm-none-eabi-gcc (make setup installs it)",
            ),
        ),
    ],
)
def test_installed_wheel_measures_a_model_from_another_folder(
    installed: Path, tmp_path: Path, device: str
) -> None:
    (tmp_path / "model.tflite").write_bytes(conv_model())
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env["HILNAS_CACHE"] = str(tmp_path / "cache")
    command = [str(installed / "bin" / "hilnas"), "measure", "model.tflite", "--device", device, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["origin"]["device"] == device
    assert measured["check"]["max_difference"] == 0
    where = subprocess.run(
        [str(installed / "bin" / "python"), "-c", "import hil; print(hil.__file__)"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed)), "the installed package was tested, not the checkout"
