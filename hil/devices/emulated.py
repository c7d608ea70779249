"""`emulated:BOARD`: the very ELF that would be flashed, on an instruction-level emulator in this process.

What the figures are worth: docs/emulator.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hil.board import Board
from hil.device import Transport
from hil.errors import DeviceError, FlashFailed
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program

if TYPE_CHECKING:
    from hil.emulator.types import Emulator

_SLICE_CYCLES = 4_000_000  # between two looks at the clock; some 20 ms on a PC


class EmulatedTransport:
    """The serial line of a machine in this process.  The machine runs while `read` waits."""

    def __init__(self, machine: Emulator, device: str) -> None:
        self._machine: Emulator | None = machine
        self._device = device

    def write(self, data: bytes) -> None:
        """Put `data` on the line.

        Raises:
            DeviceError: closed.
        """
        self._open().send(data)

    def read(self, timeout_s: float) -> bytes:
        """Run the firmware until it sends something; returns what it sent.

        b"" when nothing came within `timeout_s`.  While the firmware sleeps, nothing is computed.

        Raises:
            DeviceError: closed.
            EmulationError: the firmware touched what is not modelled, or locked up.
        """
        from hil.emulator.types import State

        machine = self._open()
        deadline = time.monotonic() + timeout_s
        while True:
            state = machine.run(_SLICE_CYCLES)
            if state is State.OUTPUT:
                return machine.take_output()
            left = deadline - time.monotonic()
            if state is State.ASLEEP and left > 0:
                time.sleep(left)  # nothing is on its way that could wake it
                return b""
            if left <= 0:
                return b""

    def close(self) -> None:
        """Give the line back.  Closing twice is harmless."""
        self._machine = None

    def _open(self) -> Emulator:
        if self._machine is None:
            raise DeviceError("the line is closed", device=self._device, remedy="call connect() again")
        return self._machine


@dataclass
class EmulatedDevice:
    """See the module.  `name` is what the user typed, e.g. "emulated:nrf52840_dk"."""

    name: str
    board: Board
    provenance: Provenance = field(default=Provenance.EMULATED, init=False)
    _machine: Emulator | None = field(default=None, init=False, repr=False)

    def build(self, program: Program) -> Image:
        """Build with PlatformIO, as for the real board.

        Raises:
            DoesNotFit, ToolMissing, BuildFailed.
        """
        from hil import firmware
        from hil.emulator.open import tool_versions

        image = firmware.build(program, self.board)
        return replace(image, tools={**image.tools, **tool_versions(self.board)})

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Load the ELF into a fresh machine; takes milliseconds, so `timeout_s` is never reached.

        Raises:
            FlashFailed: no ELF, or not one for this board.
            BadDevice: the board cannot be emulated.
        """
        from hil.emulator.elf import BadElf
        from hil.emulator.open import open_machine

        if image.elf is None or image.board_id != self.board.id:
            what = "has no ELF" if image.elf is None else f"was built for '{image.board_id}'"
            raise FlashFailed(
                f"the image {what}; this is a '{self.board.id}'",
                device=self.name,
                remedy="build it with this device's build()",
            )
        machine = open_machine(self.board, self.name)
        try:
            machine.load(image.elf)
        except BadElf as error:
            raise FlashFailed(str(error), device=self.name, remedy="build the image again") from error
        self._machine = machine

    def connect(self) -> Transport:
        """The line to the firmware that was flashed last.

        Raises:
            DeviceError: nothing was flashed.
        """
        if self._machine is None:
            raise DeviceError("nothing was flashed yet", device=self.name, remedy="call flash() first")
        return EmulatedTransport(self._machine, self.name)

    def instructions(self) -> int | None:
        """Instructions that the operators of the last RUN executed; None before the first."""
        return None if self._machine is None else self._machine.inference_instructions

    def trigger_edges(self) -> list[tuple[int, bool]]:
        """Changes of the trigger pin since the last call: (cycles since the start, level)."""
        return [] if self._machine is None else self._machine.trigger_edges()

    def close(self) -> None:
        """Forget the machine.  Closing twice is harmless."""
        self._machine = None
