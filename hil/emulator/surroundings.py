"""What peripherals see of the machine around them: time, memory, interrupts, the host, the cache.

Also what the machine learns from them: bytes for the host, edges of the trigger pin, a reset asked for, and
how many instructions lay between two readings of the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hil.emulator.counter import Counter


class Totals(Protocol):
    """Where time is read from."""

    def totals(self) -> tuple[int, int]:
        """Cycles and instructions so far."""


class Ram(Protocol):
    """Memory that a peripheral reaches."""

    def read_ram(self, address: int, size: int) -> bytes: ...
    def write_ram(self, address: int, data: bytes) -> None: ...


class Surroundings:
    """One machine's.  `connect` completes it, as the parts that it stands for are made after the peripherals.

    Attributes:
        output: bytes for the host.
        edges: changes of the trigger pin.
        reset_requested: the firmware has asked for a system reset.
        slept_cycles: cycles that passed while the core slept.
        inference_instructions: between the first and the last reading of the clock while the firmware
            answered the last question for which it read it at least twice; None before that.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.output = bytearray()
        self.edges: list[tuple[int, bool]] = []
        self.reset_requested = False
        self.slept_cycles = 0
        self.inference_instructions: int | None = None
        self._clock_readings: list[int] = []

    def connect(
        self,
        totals: Totals,
        ram: Ram,
        set_line: Callable[[int, bool], None],
        active_exception: Callable[[], int],
    ) -> None:
        """Give it the parts that are made after the peripherals."""
        self._totals, self._ram = totals, ram
        self._set_line, self._active_exception = set_line, active_exception

    # --- for peripherals ---

    def read_ram(self, address: int, size: int) -> bytes:
        return self._ram.read_ram(address, size)

    def write_ram(self, address: int, data: bytes) -> None:
        self._ram.write_ram(address, data)

    def transmit(self, data: bytes) -> None:
        """The firmware sends `data` to the host."""
        self.output += data
        if len(self._clock_readings) >= 2:
            self.inference_instructions = self._clock_readings[-1] - self._clock_readings[0]
        self.stop_soon()

    def receiver_started(self) -> None:
        """Bytes that have waited may now be due."""
        self.stop_soon()

    def set_interrupt(self, number: int, active: bool) -> None:
        """A peripheral asks for its interrupt, or no longer does."""
        self._set_line(number, active)

    def set_cache(self, on: bool) -> None:
        """Switch the instruction cache, where the board has one."""
        self._counter.set_cache(on)

    def set_data_cache(self, on: bool) -> None:
        """Switch the data cache, where the board has one."""
        self._counter.set_data_cache(on)

    def cache_counts(self) -> tuple[int, int]:
        """Hits and misses of the instruction cache."""
        return int(self._counter.state.fetch_hits), int(self._counter.state.fetch_lines)

    def cycles_now(self) -> int:
        """Cycles that the core was awake, up to the peripheral access under way."""
        return self._totals.totals()[0]

    def time_now(self) -> int:
        """Cycles since the start, sleep included, up to the peripheral access under way."""
        return self.cycles_now() + self.slept_cycles

    def clock_was_read(self) -> None:
        """The firmware reads its cycle counter."""
        self._clock_readings.append(self._totals.totals()[1])

    def trigger_pin(self, level: bool) -> None:
        """The pin that marks an inference has changed."""
        self.edges.append((self.time_now(), level))

    def request_reset(self) -> None:
        self.reset_requested = True
        self.stop_soon()

    def active_exception(self) -> int:
        """Number of the exception whose handler runs."""
        return self._active_exception()

    # --- for the machine ---

    def question_began(self) -> None:
        """Bytes have come from the host: what is timed from here on answers them."""
        self._clock_readings.clear()

    def stop_soon(self) -> None:
        """Let the machine look around before the next block."""
        self._counter.state.stop = 1
