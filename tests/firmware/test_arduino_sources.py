"""The Arduino port on an nRF52840: its sources and flags, with a stand-in for the core's header.

The cores themselves come from PlatformIO's registry and are not here.
"""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

from hil import toolchain
from hil.resources import firmware_dir
from tests.support.firmware import needs_toolchain

pytestmark = needs_toolchain

MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
BOARD = {"baud": "115200", "id": "nano33ble", "stack_bytes": "4096", "power_sensor": "1"}


def environment() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read(firmware_dir() / "platformio.ini")
    return parser["arduino_nrf52"]


def sources(suffix: str) -> list[Path]:
    """Files that the section's build_src_filter takes, but for the generated model."""
    root, taken = firmware_dir(), []
    for rule in environment()["build_src_filter"].split():
        folder = root / rule[2:-1]
        if rule.startswith("+") and folder.name != "src":
            taken += sorted(folder.glob(f"*{suffix}"))
    return taken


@pytest.mark.parametrize(
    ("suffix", "standard"), [(".c", "-std=gnu99"), (".cpp", "-std=gnu++11")], ids=["c", "cpp"]
)
def test_sources_compile_for_the_chip_without_a_warning(suffix: str, standard: str) -> None:
    flags = f"{environment()['build_flags']} {environment()['build_src_flags']}"
    for name, value in BOARD.items():
        flags = flags.replace(f"${{board.{name}}}", value)
    assert sources(suffix)
    stand_in = Path(__file__).parent / "fake_arduino"
    command = [
        str(toolchain.find_compiler().path),
        *(*MACHINE, standard, "-fsyntax-only", "-Werror", "-DARDUINO=10819", "-DFAKE_NRF52", f"-I{stand_in}"),
        *(flag for flag in flags.split() if not flag.startswith("-Wl,")),
        *map(str, sources(suffix)),
    ]
    done = subprocess.run(command, cwd=firmware_dir(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
