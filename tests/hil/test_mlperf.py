"""The MLPerf Tiny dialogue: the host's side, and the emulated board as the benchmark's runner meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serial

import hil
from hil.api import compile_model
from hil.device import Device
from hil.devices import open_device
from hil.emulator.control import FLASH, socket_of
from hil.emulator.control import ask as control
from hil.errors import DeviceError, DeviceTimeout
from hil.interpreter import truth
from hil.link import Link
from hil.mlperf import Dialogue, Performance, Window, measure_performance, task_of
from hil.mlperf.performance import iterations_for
from hil.mlperf.session import run_session
from hil.program import Program
from tests.hil.small_models import small_cnn
from tests.support.firmware import dk, needs_toolchain

KWS = Path(hil.__file__).resolve().parents[2] / "shared" / "models" / "kws.tflite"
BOARD = "nrf52840_dk"
HZ = 64_000_000
LAPS = re.compile(rb"m-lap-us-(\d+)\r\n")


class Script:
    """A transport whose board answers each command by a table, in pieces of any size."""

    def __init__(self, answers: Callable[[str], str], piece: int = 7) -> None:
        self.asked: list[str] = []
        self._answers = answers
        self._piece = piece
        self._waiting = b""

    def write(self, data: bytes) -> None:
        assert data.endswith(b"%")
        self.asked.append(data[:-1].decode())
        self._waiting += self._answers(self.asked[-1]).encode()

    def read(self, timeout_s: float) -> bytes:
        given, self._waiting = self._waiting[: self._piece], self._waiting[self._piece :]
        return given

    def close(self) -> None:
        pass


class Ticks:
    """A clock that moves whenever it is looked at."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 0.1
        return self.now_s


def board_of_13_ms(command: str) -> str:
    """Answers as the reference does; an inference takes 13 ms, and the laps wrap at 2^32."""
    if not command.startswith("infer"):
        return {"name": "m-name-dut-[a]\r\n", "db 0a0b": "m-load-done\r\n"}.get(command, "") + "m-ready\r\n"
    n = int(command.split()[1])
    laps = (2**32 - 500, (2**32 - 500 + 13_000 * n + 90) % 2**32)
    return "".join(f"m-lap-us-{lap}\r\n" for lap in laps) + "m-results-[0.5]\r\nm-ready\r\n"


class TestHost:
    def test_windows_are_as_long_as_the_rules_want(self) -> None:
        script = Script(board_of_13_ms)
        measured = measure_performance(Dialogue(script, "a"), [b"\x0a\x0b"])
        assert len(measured.windows) == 5
        assert all(window.elapsed_us >= 10e6 for window in measured.windows)
        assert measured.inferences_per_s == pytest.approx(1e6 / 13_000, rel=1e-4)
        assert script.asked.count("db load 2") == 6  # once to see how long it takes
        assert measured.results == "0.5"

    def test_slow_models_run_ten_times(self) -> None:
        assert iterations_for(3_000_000) == 10
        assert iterations_for(900_000) == 12

    def test_median_of_a_published_log(self) -> None:
        """closed/STMicroelectronics/results/NUCLEO_L4R5ZI/kws/performance of mlcommons/tiny_results_v1.2."""
        laps = [
            (39_580_997, 52_544_608),
            (52_760_211, 65_716_182),
            (65_919_252, 78_867_406),
            (79_098_878, 92_062_569),
            (92_266_464, 105_203_257),
        ]
        published = Performance(tuple(Window(300, last - first) for first, last in laps), "")
        assert f"{published.inferences_per_s:.3f}" == "23.155"

    def test_errors_of_the_board_are_raised(self) -> None:
        dialogue = Dialogue(Script(lambda _: "e-[Unknown command: db]\r\nm-ready\r\n"), "a")
        with pytest.raises(DeviceError, match="Unknown command: db"):
            dialogue.load(b"ab")

    def test_load_that_does_not_end_is_an_error(self) -> None:
        with pytest.raises(DeviceError, match="m-load-done"):
            Dialogue(Script(lambda _: "m-ready\r\n"), "a").load(b"ab")

    def test_silence_is_told(self) -> None:
        dialogue = Dialogue(Script(lambda _: "m-name-dut-[a]\r\n"), "a", clock=Ticks())
        with pytest.raises(DeviceTimeout, match="name%"):
            dialogue.name()


@pytest.fixture(scope="module")
def program() -> Program:
    """kws01 where the benchmark's models are, else a small model of no task."""
    return compile_model(KWS if KWS.exists() else small_cnn(), board=dk())


@pytest.fixture(scope="module")
def flashed(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    device = open_device(f"emulated:{BOARD}")
    device.flash(device.build(program), timeout_s=60)
    yield device
    device.close()


@pytest.fixture
def sample(program: Program) -> bytes:
    rng = np.random.default_rng(8)
    return rng.integers(-128, 128, program.graph.input_tensor.size_bytes, dtype=np.int8).tobytes()


def expected(program: Program, sample: bytes) -> str:
    output = np.frombuffer(truth(program.graph).run(sample), np.int8)
    return task_of(program.graph).results(sample, output)


@needs_toolchain
class TestEmulatedBoard:
    def test_dialogue_of_the_runner_byte_for_byte(
        self, flashed: Device, program: Program, sample: bytes
    ) -> None:
        transport = flashed.connect()

        def ask(command: str) -> bytes:
            transport.write(f"{command}%".encode())
            answer = b""
            while not answer.endswith(b"m-ready\r\n"):
                piece = transport.read(5)
                assert piece, f"silence after {answer!r}"
                answer += piece
            return answer

        model = task_of(program.graph).name or program.digest[:8]
        assert ask("name") == b"m-name-dut-[nrf52840_dk]\r\nm-ready\r\n"
        assert ask("profile") == (
            b"m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-["
            + model.encode()
            + b"]\r\nm-ready\r\n"
        )
        assert re.fullmatch(LAPS.pattern + b"m-ready\r\n", ask("timestamp"))
        size = len(sample)
        assert ask(f"db load {size}") == b"m-[Expecting %d bytes]\r\nm-ready\r\n" % size
        pieces = [sample[start : start + 31] for start in range(0, size, 31)]
        answers = [ask(f"db {piece.hex()}") for piece in pieces]
        assert answers == [b"m-ready\r\n"] * (len(pieces) - 1) + [b"m-load-done\r\nm-ready\r\n"]
        assert LAPS.sub(b"LAP ", ask("infer 2 1")) == (
            b"m-warmup-start-1\r\nm-warmup-done\r\nm-infer-start-2\r\nLAP LAP m-infer-done\r\nm-results-["
            + expected(program, sample).encode()
            + b"]\r\nm-ready\r\n"
        )

    def test_laps_are_the_cycles_of_the_frames(self, flashed: Device, sample: bytes) -> None:
        transport = flashed.connect()
        link = Link(transport, flashed.name)
        for _ in range(2):  # the second finds the cache as the first has left it
            link.write_input(sample)
            cycles = link.run().cycles
        dialogue = Dialogue(transport, flashed.name)
        assert dialogue.name() == BOARD
        dialogue.load(sample)
        few, more = (dialogue.infer(n, 1, timeout_s=60).elapsed_us for n in (1, 4))
        frame_us = cycles * 1e6 / HZ
        copy_us = 2 * len(sample) * 1e6 / HZ + 5  # the input, and the loop
        assert 0.998 * frame_us - 1 <= (more - few) / 3 <= 1.002 * frame_us + copy_us
        line_us = 22 * 10 * 1e6 / 1_000_000  # "m-lap-us-4294967295\r\n" at 1 Mbaud is within the first lap
        assert few <= 1.002 * frame_us + copy_us + line_us + 50

    def test_session(self, program: Program) -> None:
        device = open_device(f"emulated:{BOARD}")
        session = run_session(program, device, window_s=0.001)
        device.close()
        assert (session.board, session.task) == (BOARD, task_of(program.graph).name or program.digest[:8])
        assert [window.iterations for window in session.performance.windows] == [10] * 5
        assert not session.exact or session.right

    def test_pyserial_on_a_pseudo_terminal(
        self, flashed: Device, program: Program, sample: bytes, tmp_path: Path
    ) -> None:
        """As the runner of mlcommons/tiny opens it: 115200 baud, lines up to "m-ready"."""
        elf = flashed.build(program).elf
        assert elf is not None
        server = subprocess.Popen(
            [sys.executable, "-m", "hil.emulator.serve", "--board", BOARD, "--until-stdin-closes", tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            port = json.loads(server.stdout.readline())["port"]
            assert control(socket_of(port), FLASH, elf.read_bytes(), timeout_s=20).error is None
            with serial.Serial(port, 115200, timeout=5) as line:

                def ask(command: str) -> list[str]:
                    line.write(f"{command}%".encode())
                    return line.read_until(b"m-ready\r\n").decode().split("\r\n")

                assert ask("name") == ["m-name-dut-[nrf52840_dk]", "m-ready", ""]
                ask(f"db load {len(sample)}")
                for start in range(0, len(sample), 31):
                    ask(f"db {sample[start : start + 31].hex()}")
                answer = ask("infer 1 0")
        finally:
            server.communicate(timeout=20)
        assert answer[-4:] == ["m-infer-done", f"m-results-[{expected(program, sample)}]", "m-ready", ""]


@needs_toolchain
@pytest.mark.skipif(not KWS.exists(), reason="the benchmark's models are not in ../shared/models")
def test_small_networks_have_no_task_and_run_all_the_same() -> None:
    program = compile_model(small_cnn(), board=dk())
    device = open_device(f"emulated:{BOARD}")
    session = run_session(program, device, window_s=0.001)
    device.close()
    assert session.task == program.digest[:8]
    assert not session.exact or session.right
