"""The STM32 port on each of its chips, run on the emulator: serial line, identity, stack, faults, reset."""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath

import pytest

from hil.board import Board, load_board
from hil.emulator.machine import Machine
from hil.emulator.types import State
from hil.firmware.template import load_template, project_files, write_files
from hil.toolchain import run_platformio
from tests.support.firmware import conv_program, needs_toolchain

pytestmark = needs_toolchain

MAIN = Path(__file__).parent / "port" / "main.c"
BOARDS = ("disco_f746ng", "nucleo_u575zi", "nucleo_l4r5zi", "nucleo_f446re")
REGISTERS = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr", "cfsr", "hfsr", "mmfar", "bfar")
BUS_FAULT, USAGE_FAULT = 5, 6
RAM = 0x2000_0000


def build(board: Board, folder: Path) -> Path:
    """The port under a main of its own: no protocol, no model."""
    files = {
        path: content
        for path, content in project_files(load_template(), conv_program(), board).items()
        if path.suffix != ".c" or path.parts[:2] == ("lib", "port")
    }
    files[PurePosixPath("src/main.c")] = MAIN.read_bytes()
    write_files(files, folder)
    environment = board.build.environment
    run = run_platformio(["run", "-s", "-e", environment], folder=folder, timeout_s=300.0)
    assert run.returncode == 0, run.stdout
    return folder / ".pio" / "build" / environment / "firmware.elf"


class Firmware:
    """The running firmware; `say` returns what it answers until it sleeps again."""

    def __init__(self, board: Board, elf: Path) -> None:
        self.board = board
        self.machine = Machine(board)
        self.machine.load(elf)
        assert self.say(b"") == b""

    def say(self, data: bytes) -> bytes:
        self.machine.send(data)
        answer = b""
        while (state := self.machine.run(50_000_000)) is State.OUTPUT:
            answer += self.machine.take_output()
        assert state is State.ASLEEP
        return answer + self.machine.take_output()


@pytest.fixture(scope="module", params=BOARDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Path]:
    board = load_board(request.param)
    return board, build(board, tmp_path_factory.mktemp(board.id))


@pytest.fixture
def firmware(built: tuple[Board, Path]) -> Firmware:
    return Firmware(*built)


def fault_of(report: bytes) -> tuple[int, dict[str, int]]:
    assert report[:1] == b"F"
    assert len(report) == 50
    return report[1], dict(zip(REGISTERS, struct.unpack("<12I", report[2:]), strict=True))


def test_what_is_sent_comes_back(firmware: Firmware) -> None:
    assert firmware.say(b"hello") == b"hello"


def test_a_burst_longer_than_the_ring_loses_nothing(firmware: Firmware) -> None:
    burst = bytes(0x80 | n % 128 for n in range(5000))
    assert firmware.say(burst) == burst


def test_constants_in_flash_can_be_sent(firmware: Firmware) -> None:
    assert firmware.say(b"t").endswith(b"so that it is sent in two pieces")


def test_the_unit_says_that_it_is_emulated_and_that_its_cache_is_on(firmware: Firmware) -> None:
    unit, cache, clock_hz, stack_bytes = struct.unpack("<8sIII", firmware.say(b"i"))
    board = firmware.board
    assert (unit, cache) == (b"EMULATED", 1)
    assert (clock_hz, stack_bytes) == (board.core.clock_hz, board.build.stack_bytes)


def test_the_painted_stack_shows_the_deepest_use_since_it_was_painted(firmware: Firmware) -> None:
    shallow, deep = struct.unpack("<II", firmware.say(b"s"))
    again_shallow, _ = struct.unpack("<II", firmware.say(b"s"))
    assert again_shallow == shallow
    assert 16 * 64 <= deep - shallow <= 16 * 128
    assert deep < firmware.board.build.stack_bytes


def test_a_stack_overflow_faults_below_ram_and_harms_no_data(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"o"))
    assert kind == BUS_FAULT
    assert RAM - 256 <= registers["bfar"] < RAM
    assert registers["pc"] == 0  # there was no room to save it


def test_a_write_to_nowhere_tells_who_and_where(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"w"))
    assert kind == BUS_FAULT
    assert registers["bfar"] == 0x1FFF_FFF0
    assert firmware.board.flash.base < registers["pc"] < firmware.board.flash.base + 0x10000


def test_a_division_by_zero_is_a_fault(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"d"))
    assert kind == USAGE_FAULT
    assert registers["cfsr"] == 1 << 25


@pytest.mark.parametrize("order", [b"o", b"w"])
def test_after_a_fault_the_host_is_told_again_and_finds_a_fresh_firmware(
    firmware: Firmware, order: bytes
) -> None:
    """The second report answers a byte that no interrupt could fetch: the fault handler is in its way."""
    report = firmware.say(order)
    assert firmware.say(b"?") == report
    assert firmware.say(b"hello") == b"hello"


def test_a_reset_on_request_starts_anew(firmware: Firmware) -> None:
    assert firmware.say(b"R") == b""
    assert firmware.say(b"hello") == b"hello"
