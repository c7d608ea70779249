"""`estimate`: voltage x current of the board's profile x latency.  Nothing is metered."""

from __future__ import annotations

from dataclasses import dataclass

from hil.device import Device
from hil.errors import BadDevice
from hil.measurement import Energy, Provenance
from hil.meters.types import MeteredBoard


@dataclass
class Estimate:
    """See the module."""

    name: str = "estimate"
    needs_sensor_driver: bool = False
    window_s: float = 0.0

    def open(self, device: Device) -> None:
        """Look whether the profile tells what is needed.

        Raises:
            BadDevice: it does not.
        """
        if device.board.power is None:
            raise BadDevice(
                f"the profile of {device.board.name} has no [power] to estimate energy with",
                remedy="add the figures to the profile, or name a meter that measures (docs/energy.md)",
            )

    def measure(self, board: MeteredBoard, inferences: int, *, subtract_idle: bool) -> Energy:
        """See EnergyMeter; the board is not run."""
        power = board.board.power
        idle_a = None if power is None else power.idle_current_a
        if power is None or (subtract_idle and idle_a is None):
            raise BadDevice(
                f"the profile of {board.board.name} does not tell what is to be subtracted",
                remedy="leave out --subtract-idle, or name a meter that measures",
            )
        current_a = power.active_current_a - ((idle_a or 0.0) if subtract_idle else 0.0)
        return Energy(
            meter=self.name,
            provenance=Provenance.ESTIMATED,
            energy_uj=power.voltage_v * current_a * board.latency_s * 1e6,
            uncertainty_uj=None,
            voltage_v=power.voltage_v,
            current_a=current_a,
            window_s=board.latency_s,
            inferences=1,
            samples=0,
            idle_current_a=idle_a,
            idle_subtracted=subtract_idle,
        )

    def close(self) -> None:
        """Nothing to let go of."""
