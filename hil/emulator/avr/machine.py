"""An emulated board with an AVR: simavr executes, the board profile gives clock and baud rate.

Cycles are those of the datasheet's instruction table, interrupts and peripherals follow them.  What that is
worth: docs/arduino.md.
"""

from __future__ import annotations

import ctypes
import weakref
from pathlib import Path

from hil.board import Board
from hil.emulator.avr.chips import AVR_CHIPS
from hil.emulator.avr.library import Edge, library
from hil.emulator.elf import BadElf, load_segments
from hil.emulator.line import BITS_PER_BYTE
from hil.emulator.types import State
from hil.errors import EmulationError

_STATES = (State.RUNNING, State.OUTPUT, State.ASLEEP)  # by host.c's numbers; one more is "stopped"
_BUFFER_BYTES = 4096
_EDGES = 64


class AvrMachine:
    """See `hil.emulator.types.Emulator`.

    Args:
        device: its name in error messages, e.g. "emulated:uno".

    Raises:
        ToolMissing: no C compiler, or no libsimavr.
    """

    #: simavr counts cycles, not instructions.
    inference_instructions: int | None = None

    def __init__(self, board: Board, *, device: str = "emulated") -> None:
        chip = AVR_CHIPS[board.chip]
        self._device = device
        self._library = library()
        self._host: int | None = self._library.hil_avr_open(
            board.chip.encode(),
            board.core.clock_hz,
            board.core.clock_hz * BITS_PER_BYTE // board.serial.baud,
            chip.trigger_port.encode(),
            chip.trigger_pin,
        )
        if self._host is None:
            raise EmulationError(
                f"this libsimavr does not know the chip {board.chip}", device=device, address=0, pc=0
            )
        weakref.finalize(self, self._library.hil_avr_close, self._host)
        self._failure: EmulationError | None = None
        self.failure_reason = ""

    @property
    def clock_cycles(self) -> int:
        """Cycles of the core's clock since the start; while it sleeps for good, none pass."""
        return int(self._library.hil_avr_cycle(self._host))

    def load(self, elf: Path) -> None:
        """Write the image to flash, and reset.  Once per machine.

        Raises:
            BadElf: missing, unreadable, not for an AVR, or with bytes outside of flash.
        """
        flash_bytes = self._library.hil_avr_flash_bytes(self._host)
        for segment in load_segments(elf, "EM_AVR"):
            end = segment.address + len(segment.data)
            if end > flash_bytes:
                raise BadElf(f"{elf}: bytes up to 0x{end:x}, flash ends at 0x{flash_bytes:x}")
            self._library.hil_avr_write_flash(self._host, segment.data, len(segment.data), segment.address)
        self.reset()

    def reset(self) -> None:
        """Press the reset button: core and peripherals start anew, RAM keeps its bytes."""
        self._library.hil_avr_reset(self._host)
        self._failure, self.failure_reason = None, ""

    def send(self, data: bytes) -> None:
        """Put bytes on the line to the firmware."""
        if not self._library.hil_avr_send(self._host, data, len(data)):
            raise MemoryError(f"{len(data)} bytes for an emulated line")

    def take_output(self) -> bytes:
        """What the firmware has sent since the last call."""
        output = b""
        buffer = ctypes.create_string_buffer(_BUFFER_BYTES)
        while count := self._library.hil_avr_take_output(self._host, buffer, _BUFFER_BYTES):
            output += buffer.raw[:count]
        return output

    def run(self, cycles: int) -> State:
        """Run for `cycles` cycles, or until the firmware sleeps and nothing is on its way that could wake it.

        OUTPUT says that it has sent something by then.

        Raises:
            EmulationError: the core stopped for good.
        """
        if self._failure is not None:
            raise self._failure
        state = self._library.hil_avr_run(self._host, cycles)
        if state < len(_STATES):
            return _STATES[state]
        raise self._stopped()

    def trigger_edges(self) -> list[tuple[int, bool]]:
        """Changes of the trigger pin since the last call: (`clock_cycles`, level)."""
        found: list[tuple[int, bool]] = []
        edges = (Edge * _EDGES)()
        while count := self._library.hil_avr_take_edges(self._host, edges, _EDGES):
            found += [(edge.cycle, bool(edge.level)) for edge in edges[:count]]
        return found

    def _stopped(self) -> EmulationError:
        pc = self._library.hil_avr_pc(self._host)
        if self._library.hil_avr_is_done(self._host):
            self.failure_reason = "the firmware sleeps with interrupts off, so nothing can wake it"
        else:
            said = self._library.hil_avr_message(self._host).decode(errors="replace").strip()
            self.failure_reason = f"the core stopped: {said or 'simavr does not say why'}"
        self._failure = EmulationError(self.failure_reason, device=self._device, address=pc, pc=pc)
        return self._failure
