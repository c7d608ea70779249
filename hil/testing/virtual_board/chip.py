"""The chip of a virtual board: an emulated one that can be hit while it computes."""

from __future__ import annotations

import random

from hil.board import Board
from hil.emulator.control import Reply
from hil.emulator.machine import Machine
from hil.emulator.served import ServedMachine

_SLICE_CYCLES = 200  # short beside any inference
_LONGEST_SLICES = 50_000  # until an inference begins
_FURTHER_CYCLES = 2_000  # at most, into the inference
_NO_CODE_HERE = 0xE000_0001  # the private peripheral bus: an instruction fetched from there faults


class Chip:
    """An emulated board with an image in its flash.

    Attributes:
        image: the ELF file that was flashed; b"" where there is none.
    """

    def __init__(self, board: Board) -> None:
        self._served = ServedMachine(board)
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
        if error is None:
            self.image = elf
        return error

    def erase(self) -> None:
        """What a flash leaves that is broken off: nothing that runs."""
        self._served.erase()
        self.image = b""

    def reset(self) -> None:
        """Start the firmware again; RAM keeps its bytes."""
        self._served.reset()

    def cut_power(self) -> None:
        """Start the firmware again, with nothing in RAM."""
        if self.image:
            self._served.flash(self.image)

    def run_into_inference(self, dice: random.Random) -> None:
        """Let the firmware read what it was sent, and begin the inference that it asks for.

        Where it is over before it could be caught, its answer is dropped: from the host, there is no
        difference.
        """
        machine = self._served.machine
        if machine is None:
            return
        machine.trigger_edges()
        for _ in range(_LONGEST_SLICES):
            if self._served.step(_SLICE_CYCLES) or self._served.wait_s() is None:
                return
            if any(level for _, level in machine.trigger_edges()):
                self._served.step(dice.randrange(1, _FURTHER_CYCLES))
                return

    def crash(self) -> None:
        """Send the core where no code is: it takes a fault, and its own handler reports it."""
        if isinstance(self._served.machine, Machine):
            self._served.machine.core.jump(_NO_CODE_HERE)
