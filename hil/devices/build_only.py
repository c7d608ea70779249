"""`build_only`: a device for processes that build for it while another process uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from hil.board import Board
from hil.device import Device
from hil.devices.hardware import SerialDevice
from hil.errors import DeviceError
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program


def build_only(device: Device) -> Device:
    """A device that builds the very images that `device` builds, and never touches a port."""
    return (
        BuildOnly(device.name, device.board, device.provenance)
        if isinstance(device, SerialDevice)
        else device
    )


@dataclass(frozen=True)
class BuildOnly:
    """See the module.  A `SerialDevice` asks for its port before it builds, which is taken here."""

    name: str
    board: Board
    provenance: Provenance

    def build(self, program: Program) -> Image:
        """Build with PlatformIO.

        Raises:
            DoesNotFit, ToolMissing, BuildFailed.
        """
        from hil import firmware

        return firmware.build(program, self.board)

    def flash(self, image: Image, *, timeout_s: float) -> NoReturn:
        """Raises DeviceError: this process only builds."""
        raise self._refused()

    def connect(self) -> NoReturn:
        """Raises DeviceError: this process only builds."""
        raise self._refused()

    def instructions(self) -> int | None:
        """None."""
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _refused(self) -> DeviceError:
        return DeviceError(
            "this process only builds for the board; another one uses it",
            device=self.name,
            remedy="measure in the process that owns the board",
        )
