"""What every emulated board can do, whatever its core; `open.open_machine` makes one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Protocol


class State(Enum):
    """Why `run` came back."""

    OUTPUT = "output"  # the firmware has sent bytes
    ASLEEP = "asleep"  # it sleeps, and nothing is on its way that could wake it
    RUNNING = "running"  # the cycles granted are used up


class Emulator(Protocol):
    """One emulated board, running one firmware."""

    @property
    def inference_instructions(self) -> int | None:
        """Executed by the operators of the last inference (docs/emulator.md); None before the first."""

    @property
    def failure_reason(self) -> str:
        """What the EmulationError says that stopped it, without addresses; "" while it can run."""

    @property
    def clock_cycles(self) -> int:
        """Cycles of the core's clock since the start, sleep included."""

    def load(self, elf: Path) -> None:
        """Erase flash, write the image to it, and reset.  Once per machine.

        Raises:
            BadElf: missing, unreadable, not for this core, or with bytes outside of flash.
        """

    def reset(self) -> None:
        """Press the reset button: core and peripherals start anew, RAM keeps its bytes."""

    def send(self, data: bytes) -> None:
        """Put bytes on the line to the firmware."""

    def take_output(self) -> bytes:
        """What the firmware has sent since the last call."""

    def run(self, cycles: int) -> State:
        """Run until the firmware sends something, sleeps for good, or has used `cycles` cycles.

        Raises:
            EmulationError: the firmware touched what is not modelled, or the core stopped for good.
        """

    def trigger_edges(self) -> list[tuple[int, bool]]:
        """Changes of the trigger pin (hil_port_trigger) since the last call: (`clock_cycles`, level)."""
