"""What is served behind a port: a board that takes bytes and images, and does its work slice by slice."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Protocol

from hil.board import Board
from hil.emulator.control import Failure, Reply
from hil.emulator.elf import BadElf
from hil.emulator.open import open_machine
from hil.emulator.types import Emulator, State
from hil.errors import EmulationError, HilError

_SLICE_CYCLES = 2_000_000


class Served(Protocol):
    """A board as its server sees it."""

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""

    def step(self) -> bytes:
        """Work for a moment; returns bytes for the host."""

    def wait_s(self) -> float | None:
        """How long the server may wait before the next `step`; None: until something comes from outside."""

    def flash(self, elf: bytes) -> str | None:
        """Take a new image; returns why that failed, None where it did not."""

    def status(self) -> Reply:
        """How it is."""


class ServedMachine:
    """An emulated board.  Without an image it takes bytes and says nothing.

    Attributes:
        machine: what runs; None without an image.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.machine: Emulator | None = None
        self._failure: Failure | None = None
        self._asleep = True

    def receive(self, data: bytes) -> None:
        """Put `data` on the line to the firmware."""
        if self.machine is not None:
            self.machine.send(data)
            self._asleep = False

    def step(self, cycles: int = _SLICE_CYCLES) -> bytes:
        """Run the firmware for at most so many cycles."""
        if self.machine is None or self._failure is not None:
            return b""
        try:
            state = self.machine.run(cycles)
        except EmulationError as error:
            self._failure = Failure(self.machine.failure_reason, error.address, error.pc)
            print(error.message, file=sys.stderr, flush=True)
            return b""
        self._asleep = state is State.ASLEEP
        return self.machine.take_output()

    def wait_s(self) -> float | None:
        """0 while the core is awake."""
        idle = self.machine is None or self._failure is not None or self._asleep
        return None if idle else 0.0

    def flash(self, elf: bytes) -> str | None:
        """A fresh machine with `elf` in its flash, running."""
        with tempfile.NamedTemporaryFile(suffix=".elf") as file:
            file.write(elf)
            file.flush()
            try:
                machine = open_machine(self._board, f"emulated+pty:{self._board.id}")
                machine.load(Path(file.name))
            except BadElf as error:
                return str(error).replace(file.name, "the file")
            except HilError as error:
                return error.message
        self.machine, self._failure, self._asleep = machine, None, False
        return None

    def erase(self) -> None:
        """Leave no image on it."""
        self.machine, self._failure, self._asleep = None, None, True

    def reset(self) -> None:
        """Press the reset button; RAM keeps its bytes."""
        if self.machine is not None:
            self.machine.reset()
            self._failure, self._asleep = None, False

    def status(self) -> Reply:
        """Why it stopped, and the instructions of the last inference."""
        instructions = self.machine.inference_instructions if self.machine is not None else None
        return Reply(None, self._failure, instructions)
