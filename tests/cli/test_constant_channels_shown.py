"""`hilnas measure --drop-constant-channels`: what a user sees of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import assert_clear, environment, hilnas
from tests.support.tflite_builder import Builder

DEVICE = ("--device", "simulated:nrf52840_dk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds m.tflite: 12 channels of which 8 are constant, then 2."""
    random = np.random.default_rng(5)
    b = Builder()
    x = b.input((1, 10, 10, 3), scale=0.05, zero_point=0)
    bias = np.array([-(1 << 24)] * 8 + [0] * 4)
    for outputs, biases in ((12, bias), (2, None)):
        x = b.conv2d(
            x,
            random.integers(1, 128, (outputs, 1, 1, x.shape[3])),
            biases,
            weight_scales=[0.01],
            out_scale=0.1,
            out_zero_point=-128,
            activation="RELU",
        )
    (tmp_path / "m.tflite").write_bytes(b.finish(x))
    return tmp_path


def test_the_table_says_how_much_was_removed(folder: Path) -> None:
    done = hilnas("measure", "m.tflite", *DEVICE, "--drop-constant-channels", folder=folder)
    assert done.code == 0, done.err
    assert "removed 8 of 14 channels, MACs 6.00 k -> 2.00 k" in done.out
    assert "2,000 MACs" in done.out


def test_without_the_option_all_channels_are_measured(folder: Path) -> None:
    done = hilnas("measure", "m.tflite", *DEVICE, folder=folder)
    assert "channels" not in done.out
    assert "6,000 MACs" in done.out


def test_the_option_is_part_of_the_origin(folder: Path) -> None:
    done = hilnas("measure", "m.tflite", *DEVICE, "--drop-constant-channels", "--json", folder=folder)
    settings = json.loads(done.out)["origin"]["settings"]
    assert settings["constant_channels"] == 1
    assert (settings["channels_before"], settings["channels_after"]) == (14, 6)
    assert (settings["macs_before"], settings["macs_after"]) == (6000, 2000)


def test_the_table_tells_stripes_of_what_is_left_too(folder: Path) -> None:
    """The smaller network is what is planned, and what runs in stripes; whole it would take 448 bytes."""
    done = hilnas(
        "measure", "m.tflite", *DEVICE, "--drop-constant-channels", "--arena-limit", "400", folder=folder
    )
    assert done.code == 0, done.err
    assert "removed 8 of 14 channels, MACs 6.00 k -> 2.00 k" in done.out
    assert "operators 0-1 in 5 stripes, +0.0% MACs" in done.out


def test_a_keras_model_without_data_is_refused(folder: Path) -> None:
    """Its ranges would be random, and so would be what they prove."""
    pytest.importorskip("keras")
    code = "from keras import *; Sequential([Input((6, 6, 1)), layers.Conv2D(4, 3)]).save('m.keras')"
    subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, env=environment()
    )
    done = hilnas("measure", "m.keras", *DEVICE, "--drop-constant-channels", folder=folder)
    assert_clear(done, 2, "representative data", ".tflite")
