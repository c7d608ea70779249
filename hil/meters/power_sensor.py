"""`ina219`, `ina226`: a sensor on the board's I2C bus, read by the firmware itself while inferences run.

How it samples, and why so, is told by firmware/lib/energy/hil_power_sensor.h.  The mean of its results is the
mean current of the window; energy is that x the bus voltage x the operators' own time.

| part of the uncertainty | standard deviation |
|---|---|
| gain of the shunt's voltage, and the shunt's tolerance | (gain + tolerance) E / sqrt(3) |
| offset of the shunt's voltage | offset / R V T / sqrt(3) |
| bus voltage | (gain E + half a step / V E) / sqrt(3) |
| time that no result covers | (1 - coverage) / 2 E / sqrt(3): its power is taken as within +-50 % |
| time beside the operators | (1 - share) E / sqrt(3), see hil.meters.streaming |

Twice the root of the sum of their squares is stated.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from hil.device import Device
from hil.errors import MeterError
from hil.measurement import Energy
from hil.meters.integrate import COVERAGE
from hil.meters.types import MeteredBoard
from hil.protocol import Sensor, StartSensor

_IDLE_RESULTS = 4  # waited for; the latest of them lies within the time of waiting alone


@dataclass(frozen=True)
class SensorKind:
    """A sensor as hil_power_sensor.c sets it up.

    Attributes:
        number: in StartSensor.
        shunt_step_v, bus_step_v: of one bit.
        result_s: that one result stands for.
        gain, offset_v, bus_gain: limits, at 25 degrees C.
        source: of these limits.
    """

    name: str
    number: int
    shunt_step_v: float
    bus_step_v: float
    result_s: float
    gain: float
    offset_v: float
    bus_gain: float
    source: str


INA226 = SensorKind(
    "ina226", StartSensor.INA226, 2.5e-6, 1.25e-3, 64 * 1.1e-3, 0.001, 10e-6, 0.001,
    "TI INA226, SBOS547B, electrical characteristics, maxima",
)  # fmt: skip
INA219 = SensorKind(
    "ina219", StartSensor.INA219, 10e-6, 4e-3, 128 * 532e-6, 0.005, 100e-6, 0.005,
    "TI INA219A, SBOS448G, maxima at a gain of 1; not confirmed",
)  # fmt: skip


@dataclass
class PowerSensorMeter:
    """See the module.

    Attributes:
        shunt_ohm: of the resistor on the sensor's board.
        tolerance: of that resistor, relative.
        address: 7-bit, on the I2C bus.
    """

    kind: SensorKind
    shunt_ohm: float = 0.1
    tolerance: float = 0.01
    address: int = 0x40
    needs_sensor_driver: bool = True
    window_s: float = 3.0  # some 40 results; the last one, cut off, is then 2 % of it at most

    @property
    def name(self) -> str:
        return self.kind.name

    def open(self, device: Device) -> None:
        """Nothing: the firmware has the sensor."""

    def measure(self, board: MeteredBoard, inferences: int, *, subtract_idle: bool) -> Energy:
        """See EnergyMeter."""
        idle_a = self._idle_current(board) if subtract_idle else None
        before = board.start_sensor(self.kind.number, self.address)
        ran = board.run_window(inferences)
        after = board.read_sensor()
        window_s = ran.window_cycles / board.clock_hz
        if after.samples == 0:
            raise MeterError(
                f"the {self.name} gave no result within {window_s:.2f} s of inferences",
                device=board.name,
                remedy=f"it gives one each {self.kind.result_s * 1e3:.0f} ms: check its supply",
            )
        voltage_v = (before.bus + after.bus) / 2 * self.kind.bus_step_v
        current_a = self._current(after) - (idle_a or 0.0)
        energy_j = voltage_v * current_a * ran.cycles / board.clock_hz / ran.inferences
        coverage = min(1.0, after.samples * self.kind.result_s / window_s)
        share = ran.cycles / ran.window_cycles
        return Energy(
            meter=self.name,
            provenance=board.provenance,
            energy_uj=energy_j * 1e6,
            uncertainty_uj=self._relative_uncertainty(voltage_v, current_a, coverage, share) * energy_j * 1e6,
            voltage_v=voltage_v,
            current_a=current_a,
            window_s=window_s,
            inferences=ran.inferences,
            samples=after.samples,
            idle_current_a=idle_a,
            idle_subtracted=subtract_idle,
            input_restored=bool(ran.input_restored),
        )

    def close(self) -> None:
        """Nothing to let go of."""

    def _current(self, sensor: Sensor) -> float:
        return sensor.shunt_sum / sensor.samples * self.kind.shunt_step_v / self.shunt_ohm

    def _idle_current(self, board: MeteredBoard) -> float:
        board.start_sensor(self.kind.number, self.address)
        time.sleep(_IDLE_RESULTS * self.kind.result_s)  # the board sleeps, too, until it is asked
        found = board.read_sensor()
        if found.samples == 0:
            raise MeterError(
                f"the {self.name} gave no result while the board was idle",
                device=board.name,
                remedy="leave out --subtract-idle; an emulated board that sleeps lets no time pass",
            )
        return self._current(found)

    def _relative_uncertainty(
        self, voltage_v: float, current_a: float, coverage: float, share: float
    ) -> float:
        offset_a = self.kind.offset_v / self.shunt_ohm
        parts = (
            self.kind.gain + self.tolerance,
            offset_a / abs(current_a) if current_a else 1.0,
            self.kind.bus_gain + (self.kind.bus_step_v / 2 / voltage_v if voltage_v else 1.0),
            (1 - coverage) / 2,
            1 - share,
        )
        return COVERAGE * math.hypot(*parts) / math.sqrt(3)
