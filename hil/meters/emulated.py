"""`emulated`: a meter for emulated boards, which samples the supply that hil/emulator/supply.py models.

The trigger is the one that the firmware really drives; the current is the profile's: active while the window
runs, idle while the core sleeps around it.  So the whole path is run, and each figure says EMULATED.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from hil.board import Power
from hil.device import Device
from hil.errors import BadDevice
from hil.meters.recording import Accuracy, Recording

RATE_HZ = 100_000
MODEL = Accuracy(0.0, 0.0, 0.0, "a model: it has no error but that of sampling")
_LEAD_S = 0.05
_NO_IDLE_S = (
    0.005  # recorded around the window where the profile tells no idle current: too little to show one
)


@runtime_checkable
class HasTrigger(Protocol):
    """A device whose trigger pin can be looked at from outside."""

    def trigger_edges(self) -> list[tuple[int, bool]]:
        """Its changes since the last call: (cycles of the core's clock, level)."""


@dataclass
class EmulatedRecorder:
    """See the module."""

    name: str = "emulated"
    lead_s: float = 0.0  # asleep, an emulated board lets no time pass
    trigger_input: str = "the emulated meter"
    accuracy: Accuracy = MODEL
    _device: HasTrigger | None = field(default=None, repr=False)
    _clock_hz: int = 0
    _power: Power | None = field(default=None, repr=False)

    def open(self, device: Device) -> None:
        """Take the device whose trigger is to be watched.

        Raises:
            BadDevice: it is not emulated in this process, or its profile tells no power.
        """
        if not isinstance(device, HasTrigger) or device.board.power is None:
            raise BadDevice(
                f"{device.name} has no supply that the emulated meter could sample",
                remedy="use it with emulated:BOARD, whose profile tells its [power]",
            )
        self._device, self._clock_hz, self._power = device, device.board.core.clock_hz, device.board.power

    def start(self) -> None:
        """Forget the edges so far."""
        self._edges()

    def stop(self) -> Recording:
        """Samples of the modelled current around the edges that the firmware made."""
        edges = self._edges()
        power = self._power
        if power is None or not edges:
            silent = np.zeros(RATE_HZ // 10)
            return Recording(silent, silent > 0, 0.0 if power is None else power.voltage_v, RATE_HZ)
        idle_a = power.idle_current_a
        lead_s = _NO_IDLE_S if idle_a is None else _LEAD_S
        first, last = edges[0][0], edges[-1][0]
        count = round(((last - first) / self._clock_hz + 2 * lead_s) * RATE_HZ)
        cycle = first + (np.arange(count) / RATE_HZ - lead_s) * self._clock_hz
        before = np.searchsorted([at for at, _ in edges], cycle, side="right")
        levels = np.array([not edges[0][1], *(level for _, level in edges)])[before]
        current = np.where(levels, power.active_current_a, idle_a or 0.0)
        return Recording(current, levels, power.voltage_v, RATE_HZ)

    def close(self) -> None:
        """Let go of the device."""
        self._device = None

    def _edges(self) -> list[tuple[int, bool]]:
        return [] if self._device is None else self._device.trigger_edges()
