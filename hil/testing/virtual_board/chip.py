"""The chip of a virtual board: an emulated one that can be hit while it computes."""

from __future__ import annotations

import random

from hil.board import Board
from hil.emulator.control import Reply
from hil.emulator.machine import Machine
from hil.emulator.served import ServedMachine
from hil.testing.virtual_board.rehearsal import SLICE_CYCLES, Rehearsal, rehearse

_NO_CODE_HERE = 0xE000_0001  # the private peripheral bus: an instruction fetched from there faults


class Chip:
    """An emulated board with an image in its flash.

    Attributes:
        image: the ELF file that was flashed; b"" where there is none.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._served = ServedMachine(board)
        self._rehearsal: Rehearsal | None = None  # of this image
        self.image = b""

    def receive(self, data: bytes) -> None:
        """Bytes from the line."""
        self._served.receive(data)

    def step(self) -> bytes:
        """Work for a moment; returns bytes for the line."""
        return self._served.step()

    def wait_s(self) -> float | None:
        """See `hil.emulator.served.Served`."""
        return self._served.wait_s()

    def status(self) -> Reply:
        """How the emulation is."""
        return self._served.status()

    def flash(self, elf: bytes) -> str | None:
        """Take a new image and start it; returns why that failed."""
        error = self._served.flash(elf)
        if error is None and self.image != elf:
            self.image = elf
            self._rehearsal = None
        return error

    def erase(self) -> None:
        """What a flash leaves that is broken off: nothing that runs."""
        self._served.erase()
        self.image = b""
        self._rehearsal = None

    def reset(self) -> None:
        """Start the firmware again; RAM keeps its bytes."""
        self._served.reset()

    def cut_power(self) -> None:
        """Start the firmware again, with nothing in RAM."""
        if self.image:
            self._served.flash(self.image)

    def run_into_inference(self, dice: random.Random) -> None:
        """Let the firmware read what it was sent, and get somewhere into the inference that it asks for.

        Where it asks for none, or that is over before it could be caught, the answer is dropped: from the
        host, there is no difference.
        """
        if self._rehearsal is None:
            self._rehearsal = rehearse(self._board, self.image)
        if self._rehearsal is None:
            return
        begins = self._rehearsal.answered - self._rehearsal.inference
        for _ in range(begins + int(dice.uniform(0.1, 0.9) * self._rehearsal.inference)):
            if self._served.step(SLICE_CYCLES) or self._served.wait_s() is None:
                return

    def crash(self) -> None:
        """Send the core where no code is: it takes a fault, and its own handler reports it."""
        if isinstance(self._served.machine, Machine):
            self._served.machine.core.jump(_NO_CODE_HERE)
