"""The benchmark's text commands beside the frames, compiled for the host with sanitizers.

The words expected are those of benchmark/api/internally_implemented.cpp of github.com/mlcommons/tiny.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.mlperf.tasks import Task
from hil.protocol import (
    Decoder,
    Hello,
    Info,
    Output,
    ReadOutput,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)
from tests.firmware.host_protocol import RuntimeProcess, build_runtime, build_text_driver
from tests.hil.frame_streams import frames

KWS = {"HIL_MLPERF": 1, "HIL_MAX_PAYLOAD": 512, "TINY_BYTES": 490, "TINY_OUTPUT_BYTES": 12}
SPARE = {"HOST_SPARE_BYTES": 4096}
DATA = bytes((5 * k + 1) % 120 for k in range(490))
LAPS = re.compile(rb"m-lap-us-(\d+)\r\n")

Ask = Callable[[str], bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlperf")


@pytest.fixture(scope="module")
def kws(folder: Path) -> Path:
    """490 -> 12 bytes as kws01, with spare RAM."""
    return build_runtime(folder, **KWS, **SPARE)


@pytest.fixture(scope="module")
def ic(folder: Path) -> Path:
    """3072 -> 10 bytes as ic01, without a byte to spare."""
    return build_runtime(folder, HIL_MLPERF=1, TINY_BYTES=3072, TINY_OUTPUT_BYTES=10)


@pytest.fixture(scope="module")
def ad(folder: Path) -> Path:
    """640 -> 640 bytes as ad01, with spare RAM for the floats and nothing more."""
    return build_runtime(folder, HIL_MLPERF=1, TINY_BYTES=640, HOST_SPARE_BYTES=3200)


@pytest.fixture
def process(kws: Path) -> Iterator[RuntimeProcess]:
    with RuntimeProcess(kws) as process:
        yield process


def asking(process: RuntimeProcess) -> Ask:
    return lambda command: process.feed(f"{command}%".encode())


@pytest.fixture
def ask(process: RuntimeProcess) -> Ask:
    """Inside a conversation."""
    ask = asking(process)
    assert ask("name") == b"m-name-dut-[host]\r\nm-ready\r\n"
    return ask


def load(ask: Ask, data: bytes) -> None:
    assert ask(f"db load {len(data)}") == b"m-[Expecting %d bytes]\r\nm-ready\r\n" % len(data)
    pieces = [data[start : start + 31] for start in range(0, len(data), 31)]
    for piece in pieces[:-1]:
        assert ask(f"db {piece.hex()}") == b"m-ready\r\n"
    assert ask(f"db {pieces[-1].hex()}") == b"m-load-done\r\nm-ready\r\n"


def plus_one(data: bytes) -> bytes:
    """What the tiny model computes."""
    return bytes((byte + 1) % 256 for byte in data)


def task(**kind: int) -> Task:
    return Task("", kind.get("flip", 0), bool(kind.get("floats")), 0.25, 5, 1 / 256, -128)


def results(data: bytes, *, flip: int = 0, count: int = 12) -> bytes:
    """What the tiny model's results are for an input as the model takes it."""
    output = np.frombuffer(plus_one(data)[:count], np.int8)
    return b"m-results-[" + task().results(b"", output).encode() + b"]\r\n"


class TestDialogue:
    """As the EEMBC runner leads it: the log of any submission, e.g. closed/STMicroelectronics/results/
    NUCLEO_L4R5ZI/kws/performance/log.txt of github.com/mlcommons/tiny_results_v1.2."""

    def test_performance_mode_byte_for_byte(self, ask: Ask) -> None:
        assert ask("profile") == (
            b"m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[kws01]\r\nm-ready\r\n"
        )
        assert LAPS.sub(b"LAP ", ask("timestamp")) == b"LAP m-ready\r\n"
        load(ask, DATA)
        answer = ask("infer 300 1")
        assert LAPS.sub(b"LAP ", answer) == (
            b"m-warmup-start-1\r\nm-warmup-done\r\nm-infer-start-300\r\nLAP LAP m-infer-done\r\n"
            + results(DATA)
            + b"m-ready\r\n"
        )
        first, last = (int(lap) for lap in LAPS.findall(answer))
        assert last - first == pytest.approx(300 * 3000 / 64, abs=1)  # the tiny model's cycles at 64 MHz

    def test_input_lasts_for_any_number_of_inferences(self, ask: Ask) -> None:
        load(ask, DATA)
        for iterations in ("1 0", "7 3", "1 0"):
            assert results(DATA) in ask(f"infer {iterations}")

    def test_defaults_are_those_of_the_reference(self, ask: Ask) -> None:
        load(ask, DATA)
        answer = ask("infer")
        assert b"m-warmup-start-10\r\n" in answer
        assert b"m-infer-start-1\r\n" in answer

    def test_results_again(self, ask: Ask) -> None:
        assert ask("results").startswith(b"e-[")
        load(ask, DATA)
        ask("infer 1 0")
        assert ask("results") == results(DATA) + b"m-ready\r\n"

    def test_buffer_is_printed_as_it_was_sent(self, ask: Ask) -> None:
        ask("db load 10")
        ask("db 000102030405060708ff")
        assert ask("db print") == (b"m-buffer-00-01-02-03-04-05-06-07\r\nm-buffer-08-ff\r\n\r\nm-ready\r\n")

    def test_help_ends_ready(self, ask: Ask) -> None:
        answer = ask("help")
        assert answer.startswith(b"ULPMark for tinyML Firmware V0.0.1\r\n\r\n")
        assert answer.endswith(b"\r\nm-ready\r\n")


def test_clock_goes_on_where_the_counter_wraps(folder: Path) -> None:
    slow = build_runtime(folder, **KWS, **SPARE, TINY_CYCLES=1_000_000_000)
    with RuntimeProcess(slow) as process:
        ask = asking(process)
        ask("name")
        load(ask, DATA)
        first, last = (int(lap) for lap in LAPS.findall(ask("infer 5 1")))
    assert last - first == 5 * 3_000_000_000 // 64  # 234 s; 32 bits of cycles are 67 s


class TestRefusals:
    @pytest.mark.parametrize(
        ("command", "error"),
        [
            ("frobnicate", b"e-[Unknown command: frobnicate]"),
            ("db", b"e-[Command 'db' requires a subcommand]"),
            ("db load", b"e-[Command 'db load' requires the # of bytes]"),
            ("db load 0", b"e-[Command 'db load' must be >0 bytes]"),
            ("db load -4", b"e-[Command 'db load' must be >0 bytes]"),
            ("db load 99999999999", b"e-[Supplied buffer size 2147483647 exceeds maximum of 490]"),
            ("db 0", b"e-[Insufficent number of hex digits]"),
            ("db 0g", b"e-[Invalid hex digit '0g']"),
            ("db 00", b"e-[No bytes expected: begin with 'db load']"),
            ("infer 0", b"e-[Inference iterations must be >0]"),
            ("infer x", b"e-[Inference iterations must be >0]"),
            ("infer 1 -1", b"e-[Inference warmup must be >=0]"),
            ("infer 1 0", b"e-[Input db has 0 bytes, expected 490]"),
            ("db " + "0" * 78, b"e-[Command is too long]"),
        ],
    )
    def test_told_and_ready(self, ask: Ask, command: str, error: bytes) -> None:
        assert ask(command) == error + b"\r\nm-ready\r\n"

    def test_half_an_input_is_not_run(self, ask: Ask) -> None:
        ask("db load 490")
        ask("db 0102")
        assert ask("infer 1 0") == b"e-[Input db has 2 bytes, expected 490]\r\nm-ready\r\n"

    def test_longest_command_is_taken(self, ask: Ask) -> None:
        ask("db load 490")
        assert ask("db " + "0" * 76 + " ") == b"m-ready\r\n"


class TestOtherTasks:
    def test_images_lose_128_and_need_no_spare_ram(self, ic: Path) -> None:
        image = bytes((11 * k) % 256 for k in range(3072))
        with RuntimeProcess(ic) as process:
            ask = asking(process)
            assert b"m-model-[ic01]" in ask("profile")
            for _ in range(2):
                load(ask, image)
                assert ask("infer 2 0").startswith(b"e-[No RAM")
                assert ask("db print").startswith(b"m-buffer-00-0b-16")
                assert results(bytes(byte ^ 0x80 for byte in image), count=10) in ask("infer 1 0")
                assert ask("infer 1 0") == b"e-[Input db has 0 bytes, expected 3072]\r\nm-ready\r\n"

    def test_floats_are_quantized_and_the_error_is_given(self, ad: Path) -> None:
        values = np.linspace(-40, 40, 640, dtype="<f4")
        values[:4] = 0.125, -0.125, 1e30, -1e30  # ties away from zero, and beyond the range
        quantized = np.clip(np.trunc(values * 4 + np.sign(values) * 0.5) + 5, -128, 127).astype(np.int8)
        output = np.frombuffer(plus_one(quantized.tobytes()), np.int8)
        with RuntimeProcess(ad) as process:
            ask = asking(process)
            assert b"m-model-[ad01]" in ask("profile")
            for data in (np.linspace(-30, 30, 640, dtype="<f4"), values):
                load(ask, data.tobytes())
                answer = ask("infer 3 1")
            values[2:4] = 0
            assert b"m-results-[" in answer
            process.feed(encode(to_frame(ReadOutput(0, 640), 1)))
            (frame,) = Decoder().feed(process.feed(encode(to_frame(ReadOutput(0, 640), 1))))
            assert from_frame(frame) == Output(0, output.tobytes())
            load(ask, values.tobytes())
            quantized[2:4] = 5
            output = np.frombuffer(plus_one(quantized.tobytes()), np.int8)
            expected = task(floats=1).results(values.tobytes(), output)
            assert f"m-results-[{expected}]\r\n".encode() in ask("infer 1 0")


class TestBesideFrames:
    def test_frame_that_may_touch_the_input_unloads_it(self, process: RuntimeProcess, ask: Ask) -> None:
        load(ask, DATA)
        process.feed(encode(to_frame(Hello(2, 2), 3)))
        assert results(DATA) in ask("infer 1 0")
        (frame,) = Decoder().feed(process.feed(encode(to_frame(WriteInput(0, b"abc"), 3))))
        assert from_frame(frame) == Written(0, 3)
        assert ask("infer 1 0") == b"e-[Input db has 0 bytes, expected 490]\r\nm-ready\r\n"

    def test_what_infer_left_can_be_read_by_frames(self, process: RuntimeProcess, ask: Ask) -> None:
        load(ask, DATA)
        ask("infer 2 0")
        (frame,) = Decoder().feed(process.feed(encode(to_frame(ReadOutput(0, 12), 3))))
        assert from_frame(frame) == Output(0, plus_one(DATA)[:12])

    def test_text_in_a_frame_is_data(self, process: RuntimeProcess) -> None:
        answer = process.feed(encode(to_frame(WriteInput(0, b"name%infer 1 0%"), 3)))
        (frame,) = Decoder().feed(answer)
        assert from_frame(frame) == Written(0, 15)
        assert b"m-" not in answer

    def test_nothing_but_queries_is_heard_outside_of_a_conversation(self, process: RuntimeProcess) -> None:
        ask = asking(process)
        for command in ("", "frobnicate", "db load 490", "infer 1 0", "x" * 200):
            assert ask(command) == b""
        ask("name")
        assert ask("") == b"m-ready\r\n"
        assert process.feed(b"\x00") == b""
        assert ask("db load 490") == b""

    def test_line_ends_of_a_terminal_do_not_matter(self, process: RuntimeProcess) -> None:
        assert process.feed(b"\r\nname%\r\n") == b"m-name-dut-[host]\r\nm-ready\r\n"
        assert process.feed(b"profile\r\n%").endswith(b"m-ready\r\n")


# Without '%' there is no command; bytes from the whole range otherwise.
NOISE = st.binary(max_size=40).map(lambda data: data.replace(b"%", b"&") + b"\x00")


@settings(max_examples=25, deadline=None)
@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from(["name%", "timestamp%", "profile%"]).map(str.encode),
            frames(max_payload=60).map(lambda frame: encode(to_frame(Hello(2, 2), frame.sequence))),
            NOISE.filter(lambda data: b"H" not in data),
        ),
        max_size=12,
    ),
    size=st.sampled_from([1, 7, 64]),
)
def test_each_of_text_and_frames_is_answered_once(kws: Path, pieces: list[bytes], size: int) -> None:
    stream = b"".join(pieces)
    with RuntimeProcess(kws) as process:
        answers = b"".join(
            process.feed(stream[start : start + size]) for start in range(0, len(stream), size)
        )
    hellos = sum(piece.startswith(b"HL") for piece in pieces)
    commands = sum(piece.endswith(b"%") and not piece.startswith(b"HL") for piece in pieces)
    found = Decoder().feed(answers)
    assert [type(from_frame(frame)) for frame in found] == [Info] * hellos
    for frame in found:
        answers = answers.replace(encode(frame), b"", 1)
    assert answers.count(b"m-ready\r\n") == commands
    assert len(re.findall(rb"m-name-|m-lap-us-|m-profile-", answers)) == commands


@settings(max_examples=30, deadline=None)
@given(stream=st.lists(st.one_of(st.binary(max_size=60), frames(max_payload=60).map(encode)), max_size=20))
def test_nothing_breaks_it_and_no_noise_is_answered_in_text(kws: Path, stream: list[bytes]) -> None:
    """A sanitizer's finding ends the process, which RuntimeProcess tells."""
    with RuntimeProcess(kws) as process:
        decoder = Decoder()
        for data in stream:
            decoder.feed(process.feed(data))
        assert decoder.skipped_bytes == 0
        process.feed(bytes(600))
        assert process.feed(b"name%") == b"m-name-dut-[host]\r\nm-ready\r\n"


WORDS = st.sampled_from(
    ["db", "load", "print", "infer", "results", "490", "1", "0", "-1", "2147483648", "00" * 38, "zz", ""]
)


@settings(max_examples=25, deadline=None)
@given(lines=st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=25))
def test_every_line_of_a_conversation_ends_ready(kws: Path, lines: list[str]) -> None:
    short = [line for line in lines if not re.search(r"infer +2147483648| +2147483648 *$", line)]
    with RuntimeProcess(kws) as process:
        ask = asking(process)
        ask("name")
        for line in short:
            answer = ask(line)
            assert answer.endswith(b"m-ready\r\n")
            assert answer.count(b"m-ready") == 1


def test_numbers_are_written_as_printf_does(folder: Path) -> None:
    """Every int8 output at scales from tiny to large, against Python's exact formatting."""
    rng = np.random.default_rng(4)
    steps = np.arange(-255, 256, dtype=np.float32)
    scales = np.concatenate([[1 / 256, 1 / 128, 0.0625, 0.3, 1, 7.5], 10 ** rng.uniform(-9, 3, 30)])
    values = (scales.astype(np.float32)[:, None] * steps).ravel()
    done = subprocess.run(
        [build_text_driver(folder)], input=values.tobytes(), capture_output=True, check=True
    )
    assert done.stdout.decode().split() == [f"{float(value):.3f}" for value in values]
