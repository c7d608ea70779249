"""One meter in use: how many inferences it integrates over, and what the bench asks of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.device import Device
from hil.link import Link
from hil.measurement import Energy, Provenance
from hil.meters.board import LinkedBoard
from hil.meters.types import EnergyMeter
from hil.protocol import Info

MIN_INFERENCES = 10
_MARGIN = 1.02  # the latency is a median


@dataclass(frozen=True)
class Metering:
    """With what energy is measured; part of what tells two measurements apart.

    Attributes:
        meter: stays the caller's, who closes it.
        subtract_idle: leave out what the board takes when it does nothing.
    """

    meter: EnergyMeter
    subtract_idle: bool = False

    def open(self, device: Device) -> None:
        """Get the meter ready; see EnergyMeter."""
        self.meter.open(device)

    def measure(
        self, link: Link, info: Info, device: Device, provenance: Provenance, cycles: int, data: bytes
    ) -> Energy:
        """Energy of one inference.

        Args:
            provenance: what a figure of this device is worth.
            cycles: of one inference.
            data: input of every inference.

        Raises:
            MeterError, DeviceError.
        """
        latency_s = cycles / info.clock_hz
        board = LinkedBoard(device.name, device.board, provenance, info.clock_hz, latency_s, link, data)
        inferences = MIN_INFERENCES
        if latency_s > 0:
            inferences = max(inferences, math.ceil(_MARGIN * self.meter.window_s / latency_s))
        energy = self.meter.measure(board, inferences, subtract_idle=self.subtract_idle)
        if energy.samples and energy.window_s < self.meter.window_s:
            # Back to back they were faster, with the caches full: once more, with as many as it takes.
            inferences = math.ceil(inferences * _MARGIN * self.meter.window_s / energy.window_s)
            energy = self.meter.measure(board, inferences, subtract_idle=self.subtract_idle)
        return energy
