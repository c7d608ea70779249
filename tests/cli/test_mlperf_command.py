"""`hilnas mlperf` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import assert_clear, hilnas
from tests.hil.small_models import small_cnn
from tests.support.firmware import needs_toolchain


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_cnn())
    return path


@needs_toolchain
def test_five_windows_their_median_and_the_verdict(model: Path, tmp_path: Path) -> None:
    done = hilnas("mlperf", model, "--device", "emulated:nrf52840_dk", "--window", "0.001", folder=tmp_path)
    assert done.code == 0, done.err
    rates = [float(line.split()[4]) for line in done.out.splitlines() if line.strip().startswith("window ")]
    assert len(rates) == 5
    median = next(line for line in done.out.splitlines() if "median" in line)
    assert float(median.split()[1]) == sorted(rates)[2]
    assert "emulated" in median
    assert "results equal to those of" in done.out
    assert "not by the rules" in done.out


def test_a_simulated_board_cannot(model: Path, tmp_path: Path) -> None:
    done = hilnas("mlperf", model, "--device", "simulated:nrf52840_dk", folder=tmp_path)
    assert_clear(done, 2, "text commands")
