"""The supply of an emulated board: one current while the core is awake, another while it sleeps.

Both come from the board's profile, so what is metered here is a model, and every figure of it is EMULATED.
"""

from __future__ import annotations

from hil.board import Board
from hil.emulator.surroundings import Surroundings


class Supply:
    """Voltage and charge so far.  A board whose profile tells no power draws nothing.

    Where the profile tells no idle current the board takes the active one asleep as well.
    """

    def __init__(self, board: Board, around: Surroundings) -> None:
        self._around = around
        self._clock_hz = board.core.clock_hz
        power = board.power
        self.voltage_v = 0.0 if power is None else power.voltage_v
        self._active_a = 0.0 if power is None else power.active_current_a
        idle = None if power is None else power.idle_current_a
        self._idle_a = self._active_a if idle is None else idle

    def time_s(self) -> float:
        """Since the start, sleep included."""
        return self._around.time_now() / self._clock_hz

    def charge_c(self) -> float:
        """Drawn since the start."""
        awake = self._around.cycles_now() * self._active_a
        return (awake + self._around.slept_cycles * self._idle_a) / self._clock_hz
