"""Models that cannot be measured, at the command line."""

from __future__ import annotations

import os
import pty
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import assert_clear, environment, hilnas
from tests.support.tflite_builder import Builder

SIMULATED = ("--device", "simulated:nrf52840_dk")
needs_toolchain = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc (make setup installs it)"
)


def conv_model(side: int = 8, channels: int = 4, filters: int = 8) -> bytes:
    rng = np.random.default_rng(1)
    build = Builder()
    x = build.input((1, side, side, channels), scale=0.05, zero_point=-3)
    weights = rng.integers(-127, 128, (filters, 3, 3, channels), dtype=np.int8)
    y = build.conv2d(
        x,
        weights,
        np.zeros(filters, np.int32),
        weight_scales=[0.01] * filters,
        out_scale=0.1,
        out_zero_point=4,
        name="stem",
    )
    return build.finish(y)


def dense_model(inputs: int, outputs: int) -> bytes:
    build = Builder()
    x = build.input((1, inputs), scale=0.05, zero_point=0)
    weights = np.random.default_rng(2).integers(-127, 128, (outputs, inputs), dtype=np.int8)
    y = build.fully_connected(
        x,
        weights,
        np.zeros(outputs, np.int32),
        weight_scales=[0.01],
        out_scale=0.1,
        out_zero_point=0,
        name="wide",
    )
    return build.finish(y)


def test_missing_model(tmp_path: Path) -> None:
    assert_clear(hilnas("measure", "no.tflite", *SIMULATED, folder=tmp_path), 2, "no.tflite")


@pytest.mark.parametrize("data", [b"", b"not a model at all", b"\x18\x00\x00\x00TFL3" + b"\xff" * 200])
def test_corrupt_model(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "broken.tflite").write_bytes(data)
    assert_clear(hilnas("measure", "broken.tflite", *SIMULATED, folder=tmp_path), 2, "broken.tflite")


def test_truncated_model(tmp_path: Path) -> None:
    model = conv_model()
    (tmp_path / "half.tflite").write_bytes(model[: len(model) // 2])
    assert_clear(hilnas("measure", "half.tflite", *SIMULATED, folder=tmp_path), 2, "half.tflite")


def test_corrupt_keras_model(tmp_path: Path) -> None:
    (tmp_path / "broken.keras").write_bytes(b"PK nothing")
    assert_clear(hilnas("measure", "broken.keras", *SIMULATED, folder=tmp_path), 2, "broken.keras")


def test_float_model(tmp_path: Path) -> None:
    build = Builder()
    x = build.input((1, 8), dtype="float32")
    y = build.tensor((1, 8), dtype="float32")
    build.operator("RELU", [x], [y])
    (tmp_path / "float.tflite").write_bytes(build.finish(y))
    assert_clear(hilnas("measure", "float.tflite", *SIMULATED, folder=tmp_path), 2, "float32", "int8")


def test_unsupported_operator(tmp_path: Path) -> None:
    build = Builder()
    x = build.input((1, 8), scale=0.1, zero_point=0)
    y = build.tensor((1, 8), scale=1 / 128, zero_point=0, name="squash")
    build.operator("ELU", [x], [y])
    (tmp_path / "elu.tflite").write_bytes(build.finish(y))
    assert_clear(hilnas("measure", "elu.tflite", *SIMULATED, folder=tmp_path), 2, "ELU", "squash")


@pytest.mark.parametrize("kind", ["simulated", pytest.param("emulated", marks=needs_toolchain)])
def test_model_too_large_for_ram_says_how_much_and_why(tmp_path: Path, kind: str) -> None:
    (tmp_path / "huge.tflite").write_bytes(conv_model(side=128, channels=8, filters=16))
    result = hilnas("measure", "huge.tflite", "--device", f"{kind}:nrf52840_dk", folder=tmp_path)
    # 128 x 128 x 16 bytes of output, which lies over the input, and a line of 128 x 8 bytes and some scratch
    assert_clear(result, 3, "ram", "arena 263,", "262,144", "CONV_2D", "stem")


@pytest.mark.parametrize("kind", ["simulated", pytest.param("emulated", marks=needs_toolchain)])
def test_model_too_large_for_flash_says_how_much(tmp_path: Path, kind: str) -> None:
    (tmp_path / "heavy.tflite").write_bytes(dense_model(2048, 600))
    result = hilnas("measure", "heavy.tflite", "--device", f"{kind}:nrf52840_dk", folder=tmp_path)
    assert_clear(result, 3, "flash", "weights 1,2", "1,048,576")


def test_unknown_board_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    result = hilnas("measure", "m.tflite", "--board", "nrf52480_dk", folder=tmp_path)
    assert_clear(result, 2, "nrf52480_dk", "nrf52840_dk")


def test_unknown_kind_of_device_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    result = hilnas("measure", "m.tflite", "--device", "emulted:nrf52840_dk", folder=tmp_path)
    assert_clear(result, 2, "emulted", "emulated")


def test_no_device_named(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    assert_clear(hilnas("measure", "m.tflite", folder=tmp_path), 2, "--board")


def test_without_toolchain_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    env = environment(PATH=str(tmp_path), HILNAS_CACHE=str(tmp_path / "cache"))
    result = hilnas("measure", "m.tflite", "--device", "emulated:nrf52840_dk", folder=tmp_path, env=env)
    assert_clear(result, 4, "arm-none-eabi-gcc", "apt-get install")


def test_without_toolchain_a_board_is_simulated_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    env = environment(PATH=str(tmp_path), HILNAS_CACHE=str(tmp_path / "cache"))
    result = hilnas("measure", "m.tflite", "--board", "nrf52840_dk", folder=tmp_path, env=env)
    assert result.code == 0, result.err
    assert "simulat" in result.err
    assert "doctor" in result.err
    assert "simulated" in result.out


@needs_toolchain
def test_port_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    device = ("--device", "serial:/dev/ttyNOTHING", "--board", "nrf52840_dk")
    assert_clear(hilnas("measure", "m.tflite", *device, folder=tmp_path), 5, "/dev/ttyNOTHING")


@needs_toolchain
def test_port_that_is_busy(tmp_path: Path) -> None:
    import serial

    (tmp_path / "m.tflite").write_bytes(conv_model())
    _, slave = pty.openpty()
    port = os.ttyname(slave)
    with serial.Serial(port, exclusive=True):
        device = ("--device", f"serial:{port}", "--board", "nrf52840_dk")
        assert_clear(hilnas("measure", "m.tflite", *device, folder=tmp_path), 5, port, "in use")


def test_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(conv_model())
    (tmp_path / "file").write_text("in the way")
    env = environment(HILNAS_CACHE=str(tmp_path / "file" / "cache"))
    result = hilnas("measure", "m.tflite", "--device", "emulated:nrf52840_dk", folder=tmp_path, env=env)
    assert_clear(result, 4, "cache")
