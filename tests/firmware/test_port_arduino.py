"""The Arduino port against the documented API: with and without the registers of an nRF52840.

On AVR it is built by avr-gcc with the real core and runs on simavr (test_digits_avr.py, the conformance
suite); the cores of the other boards cannot be had without PlatformIO's registry.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil.protocol import (
    PROTOCOL_VERSION,
    Decoder,
    Error,
    ErrorCode,
    Hello,
    Info,
    Message,
    Output,
    Ran,
    RanWindow,
    ReadOutput,
    ReadSensor,
    Reset,
    Resetting,
    Run,
    RunWindow,
    Sensor,
    StartSensor,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)
from hil.resources import firmware_dir
from tests.firmware.host import compile_c

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")

FAKE = Path(__file__).parent / "fake_arduino"
LIBRARY = firmware_dir() / "lib"
STACK_BYTES = 2048
HELLO = Hello(oldest=PROTOCOL_VERSION, newest=PROTOCOL_VERSION)
DEFINES = (
    "-DHIL_BAUD=115200",
    "-DHIL_BOARD=fake",
    f"-DHIL_STACK_BYTES={STACK_BYTES}",
    "-DHIL_POWER_SENSOR=1",
)
INCLUDE = [f"-I{LIBRARY / name}" for name in ("kernels", "protocol", "runtime", "energy", "port")]
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror")


def build(folder: Path, *defines: str) -> Path:
    """Port, runtime and fake core as one program."""
    objects = []
    for source in (
        *sorted((LIBRARY / "runtime").glob("*.c")),
        LIBRARY / "protocol" / "hil_frame.c",
        LIBRARY / "energy" / "hil_power_sensor.c",
        FAKE / "model.c",
    ):
        objects.append(folder / f"{source.stem}.o")
        compile_c("-std=gnu99", "-O1", *WARNINGS, *DEFINES, *INCLUDE, "-c", source, "-o", objects[-1])
    program = folder / "firmware"
    cpp = (LIBRARY / "port" / "arduino" / "port.cpp", FAKE / "core.cpp")
    compile_c(
        *("-std=gnu++11", "-O1", *WARNINGS, *DEFINES, *defines, *INCLUDE, f"-I{FAKE}"),
        *(*cpp, *objects, "-o", program),
        compiler="g++",
    )
    return program


@pytest.fixture(scope="module", params=[("-DFAKE_NRF52",), ()], ids=["nRF52840", "other"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    return build(tmp_path_factory.mktemp("arduino"), *request.param), bool(request.param)


def ask(program: Path, *questions: Message) -> tuple[list[Message], str]:
    """The answers, and what the fake core has noted."""
    stream = b"".join(encode(to_frame(question, number)) for number, question in enumerate(questions))
    done = subprocess.run([program], input=stream, capture_output=True, timeout=60, check=True)
    return [from_frame(frame) for frame in Decoder().feed(done.stdout)], done.stderr.decode()


def test_says_who_it_is(program: tuple[Path, bool]) -> None:
    path, is_nrf52 = program
    (info,), _ = ask(path, HELLO)
    assert isinstance(info, Info)
    assert info.board == "fake"
    assert info.stack_size == STACK_BYTES
    if is_nrf52:
        assert (info.clock_hz, info.instruction_cache) == (64_000_000, True)
        assert info.unit_id == bytes.fromhex("1122334455667788")
    else:
        assert (info.clock_hz, info.instruction_cache, info.unit_id) == (1_000_000, None, bytes(8))


def test_runs_and_counts_the_stack(program: tuple[Path, bool]) -> None:
    path, is_nrf52 = program
    answers, _ = ask(path, WriteInput(0, bytes(range(40))), Run(0), ReadOutput(0, 40))
    written, ran, output = answers
    assert isinstance(written, Written)
    assert isinstance(ran, Ran)
    assert output == Output(0, bytes(range(1, 41)))
    assert ran.cycles == (0 if is_nrf52 else 10)  # the fake counter stands still, the fake clock does not
    assert 500 < ran.stack_used <= STACK_BYTES


def test_trigger_pin_is_an_output_that_is_high_in_a_window(program: tuple[Path, bool]) -> None:
    answers, noted = ask(program[0], WriteInput(0, bytes(40)), RunWindow(3))
    assert isinstance(answers[-1], RanWindow)
    pins = [line for line in noted.splitlines() if line.startswith("pin")]
    assert pins[-2:] == ["pin 2 is high", "pin 2 is low"]


def test_reads_a_power_sensor_on_the_i2c_bus(program: tuple[Path, bool]) -> None:
    answers, _ = ask(program[0], StartSensor(StartSensor.INA226, 0x40), ReadSensor())
    assert answers[-1] == Sensor(samples=1, shunt_sum=1000, bus=2400)


def test_tells_where_no_power_sensor_answers(program: tuple[Path, bool]) -> None:
    (answer,), _ = ask(program[0], StartSensor(StartSensor.INA226, 0x41))
    assert isinstance(answer, Error)
    assert answer.code == ErrorCode.NO_SENSOR


def test_answers_before_it_resets(program: tuple[Path, bool]) -> None:
    answers, noted = ask(program[0], Reset(), HELLO)
    assert answers == [Resetting()]
    assert noted.splitlines()[-1] == "reset"
