"""A firmware that tries a Cortex-M port and nothing else (tests/firmware/port/main.c), on the emulator."""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath

from hil.board import Board
from hil.emulator.machine import Machine
from hil.emulator.types import State
from hil.firmware.template import load_template, project_files, write_files
from hil.toolchain import run_platformio
from tests.support.firmware import conv_program

# As hil_runtime_report_fault hands them over.
REGISTERS = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr", "cfsr", "hfsr", "mmfar", "bfar")
HARD_FAULT, BUS_FAULT, USAGE_FAULT = 3, 5, 6
RAM = 0x2000_0000
_MAIN = Path(__file__).parents[1] / "firmware" / "port" / "main.c"


def build(board: Board, folder: Path) -> Path:
    """The port under that main: no protocol, no model."""
    files = {
        path: content
        for path, content in project_files(load_template(), conv_program(), board).items()
        if path.suffix != ".c" or path.parts[:2] == ("lib", "port")
    }
    files[PurePosixPath("src/main.c")] = _MAIN.read_bytes()
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
        while (state := self.machine.run(100_000_000)) is State.OUTPUT:
            answer += self.machine.take_output()
        assert state is State.ASLEEP
        return answer + self.machine.take_output()


def fault_of(report: bytes) -> tuple[int, dict[str, int]]:
    """Kind and registers of a reported fault."""
    assert report[:1] == b"F"
    assert len(report) == 50
    return report[1], dict(zip(REGISTERS, struct.unpack("<12I", report[2:]), strict=True))
