"""What an energy meter is: the one interface that sensors, instruments and the estimate share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.board import Board
from hil.device import Device
from hil.measurement import Energy, Provenance
from hil.protocol import RanWindow, Sensor


class MeteredBoard(Protocol):
    """A board that runs the image to be metered: what a meter may ask of it.

    Attributes:
        name: of the device, for errors.
        board: the facts about it.
        provenance: what a figure read from it is worth; never HARDWARE for an emulated board.
        clock_hz: of the counter behind all cycles.
        latency_s: of one inference.
    """

    @property
    def name(self) -> str: ...
    @property
    def board(self) -> Board: ...
    @property
    def provenance(self) -> Provenance: ...
    @property
    def clock_hz(self) -> int: ...
    @property
    def latency_s(self) -> float: ...

    def run_window(self, inferences: int) -> RanWindow:
        """Run them back to back, with the trigger pin high.

        Raises:
            DeviceError.
        """

    def start_sensor(self, kind: int, address: int) -> Sensor:
        """Let the power sensor on the board's I2C bus convert.

        Raises:
            DeviceRefused: there is none, or the firmware has no driver for it.
        """

    def read_sensor(self) -> Sensor:
        """What the sensor gave since."""


class EnergyMeter(Protocol):
    """A way to an energy per inference.

    Attributes:
        name: what figures are labelled with, e.g. "ppk2".
        needs_sensor_driver: whether the firmware has to be built with the driver of a power sensor.
        window_s: how long the inferences that it integrates over should take together, at least.
    """

    @property
    def name(self) -> str: ...
    @property
    def needs_sensor_driver(self) -> bool: ...
    @property
    def window_s(self) -> float: ...

    def open(self, device: Device) -> None:
        """Get ready, and feed the board where the meter is its supply.  Called before the board is flashed;
        again before each measurement, which changes nothing.

        Raises:
            ToolMissing: the meter's driver is not installed.
            MeterError: the meter is not there, or not for this device.
        """

    def measure(self, board: MeteredBoard, inferences: int, *, subtract_idle: bool) -> Energy:
        """Energy of one inference, as the mean of so many.

        Raises:
            MissingTrigger, LostSamples, MeterError, DeviceError.
        """

    def close(self) -> None:
        """Let go of the meter.  A board that it feeds stays on.  Closing twice is harmless."""


MeterFactory = Callable[[str], EnergyMeter]
"""Makes a meter of what stands behind the first colon ("" where nothing does)."""
