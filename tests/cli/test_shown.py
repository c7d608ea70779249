"""What commands show: on narrow terminals, when stopped, and when nothing was found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, assert_clear, environment, hilnas
from tests.cli.test_bad_study import STUDY


@pytest.mark.parametrize("width", [60, 80, 200])
def test_boards_are_listed_whole_on_terminals_of_all_widths(tmp_path: Path, width: int) -> None:
    listed = hilnas("boards", folder=tmp_path, env=environment(COLUMNS=str(width)))
    assert "nrf52840_dk" in listed.out
    assert "simulated" in listed.out
    assert "…" not in listed.out


def test_doctor_shows_commands_in_one_piece(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    env = environment(COLUMNS="80", PATH=str(tmp_path / "none"))
    found = hilnas("doctor", folder=tmp_path, env=env)
    assert found.code == 4
    assert "-> sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi" in found.out
    assert "…" not in found.out


def test_a_board_whose_chip_is_not_modelled_is_not_served(tmp_path: Path) -> None:
    served = hilnas("emulate", "nano33ble", folder=tmp_path)
    assert_clear(served, 2, "nano33ble", "nrf52840_dk", "simulated:nano33ble")


def own_board(folder: Path) -> dict[str, str]:
    """A copy of the board that has firmware, under another name; returns the environment that knows it."""
    (folder / "boards").mkdir()
    text = (ROOT / "boards" / "nrf52840_dk.toml").read_text()
    (folder / "boards" / "mine.toml").write_text(text)
    return environment(HILNAS_BOARDS=str(folder / "boards"))


def test_a_board_of_ones_own_with_a_chip_that_is_modelled_is_emulated(tmp_path: Path) -> None:
    listed = hilnas("boards", "--json", folder=tmp_path, env=own_board(tmp_path))
    devices = {board["id"]: board["devices"] for board in json.loads(listed.out)["boards"]}
    assert devices["mine"] == devices["nrf52840_dk"]


def nothing_fits() -> str:
    """The small study with a limit that no network keeps, as is seen once it is planned."""
    return STUDY.replace("latency_us <= 20 ms", "ram_bytes <= 1 kB")


def test_where_no_network_fits_the_limit_and_the_nearest_miss_are_named(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(nothing_fits())
    done = hilnas("search", "study.toml", folder=tmp_path)
    assert done.code == 1, done.err
    assert "RAM <= 1.00 KiB refused 1 trial; nearest: trial 0 with" in done.out
    assert "1 trial;" in done.out


def test_limits_that_the_layers_alone_break_are_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY.replace("latency_us <= 20 ms", "ram_bytes <= 60 B"))
    done = hilnas("search", "study.toml", folder=tmp_path)
    assert done.code == 2, done.err
    assert "no network of space 'chain' keeps the limits" in done.err
    assert "raise the limit on ram_bytes" in done.err
    assert done.out == ""


def test_another_device_brings_its_own_board(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(nothing_fits())
    done = hilnas("search", "study.toml", "--device", "simulated:nano33ble", folder=tmp_path)
    assert done.code == 1, done.err
    assert "simulated:nano33ble" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_search_that_is_stopped_before_it_began_says_so(tmp_path: Path, number: signal.Signals) -> None:
    # Reading the study file waits for a writer: a moment before anything has begun that can be hit surely.
    os.mkfifo(tmp_path / "study.toml")
    code = "from search.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "search", "study.toml"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (tmp_path / "study.toml").open("w"):  # opens once the other side reads
        process.send_signal(number)
    # The file ends after the signal has come: one that came just before the reading is noticed behind it.
    out, err = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in out + err


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    code = "from search.cli import main; main()"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code, "boards"],
        cwd=tmp_path,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert done.returncode == 0
    assert done.stderr == ""
