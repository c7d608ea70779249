"""Meters that sample on the host while the board runs: record, find the window, integrate.

recorder.start    idle current         run_window          idle         recorder.stop
------------------------------------|~~~~~~~~~~~~~~~~~~~|--------------------------------
                             trigger rises          falls
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from typing import Protocol

from hil.device import Device
from hil.errors import HilError, MeterError
from hil.measurement import Energy
from hil.meters.integrate import COVERAGE, Integral, integrate
from hil.meters.recording import Accuracy, Recording
from hil.meters.types import MeteredBoard
from hil.protocol import RanWindow


class Recorder(Protocol):
    """An instrument that samples current and the trigger's level.

    Attributes:
        name: what figures are labelled with.
        accuracy: what its maker vouches for.
        lead_s: how long it records before the window, for the idle current; and behind it, a fifth of that.
        trigger_input: its own end of the trigger's wire, e.g. "D0 of the PPK2".
    """

    @property
    def name(self) -> str: ...
    @property
    def accuracy(self) -> Accuracy: ...
    @property
    def lead_s(self) -> float: ...
    @property
    def trigger_input(self) -> str: ...

    def open(self, device: Device) -> None:
        """As EnergyMeter.open."""

    def start(self) -> None:
        """Begin to record.

        Raises:
            MeterError.
        """

    def stop(self) -> Recording:
        """End the recording, and return it.

        Raises:
            MeterError, LostSamples.
        """

    def close(self) -> None:
        """As EnergyMeter.close."""


@dataclass
class StreamingMeter:
    """An EnergyMeter made of a Recorder."""

    recorder: Recorder
    needs_sensor_driver: bool = False
    window_s: float = 1.0

    @property
    def name(self) -> str:
        return self.recorder.name

    def open(self, device: Device) -> None:
        self.recorder.open(device)

    def measure(self, board: MeteredBoard, inferences: int, *, subtract_idle: bool) -> Energy:
        """See EnergyMeter."""
        self.recorder.start()
        try:
            time.sleep(self.recorder.lead_s)
            ran = board.run_window(inferences)
            time.sleep(self.recorder.lead_s / 5)
        except BaseException:
            with contextlib.suppress(HilError):
                self.recorder.stop()
            raise
        integral = integrate(
            self.recorder.stop(),
            self.recorder.accuracy,
            expected_s=ran.window_cycles / board.clock_hz,
            device=board.name,
            wire=f"the trigger pin of {board.board.name} (docs/energy.md) to {self.recorder.trigger_input}",
            subtract_idle=subtract_idle,
        )
        return energy_per_inference(self.name, board, ran, integral, idle_subtracted=subtract_idle)

    def close(self) -> None:
        self.recorder.close()


def energy_per_inference(
    meter: str, board: MeteredBoard, ran: RanWindow, integral: Integral, *, idle_subtracted: bool
) -> Energy:
    """The operators' share of a window, divided by its inferences.

    Between the operators the window holds what puts the input back; its power is taken as that of the
    operators, and the share itself goes into the uncertainty as if that could be wrong altogether.
    """
    if not 0 < ran.cycles <= ran.window_cycles:
        raise MeterError(f"{ran} is no window", device=board.name, remedy="reset the board")
    share = ran.cycles / ran.window_cycles
    energy_j = integral.energy_j * share / ran.inferences
    own_j = integral.uncertainty_j * share / ran.inferences
    rest_j = COVERAGE * (1 - share) * abs(energy_j) / math.sqrt(3)
    return Energy(
        meter=meter,
        provenance=board.provenance,
        energy_uj=energy_j * 1e6,
        uncertainty_uj=math.hypot(own_j, rest_j) * 1e6,
        voltage_v=integral.voltage_v,
        current_a=integral.current_a,
        window_s=integral.window_s,
        inferences=ran.inferences,
        samples=integral.samples,
        lost_samples=integral.lost_samples,
        idle_current_a=integral.idle_current_a,
        idle_subtracted=idle_subtracted,
        input_restored=bool(ran.input_restored),
    )
