"""What a device is: the one interface that real, emulated and simulated boards share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.board import Board
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program


class Transport(Protocol):
    """A stream of bytes to a device.  pyserial's `Serial` is one."""

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            DeviceError: the way to the device is gone.
        """

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at least one byte; b"" when nothing came within `timeout_s`.

        Raises:
            DeviceError: the way to the device is gone.
        """

    def close(self) -> None:
        """Give the device back.  Closing twice is harmless."""


class Device(Protocol):
    """A board that can be built for, flashed and talked to.

    The order of use is build, flash, connect, and any of them again.  Above this interface nothing knows
    which kind of device it talks to.

    Attributes:
        name: as the user named it, e.g. "emulated:nrf52840_dk".
        board: the facts about it.
        provenance: of the figures it gives.
    """

    @property
    def name(self) -> str: ...

    @property
    def board(self) -> Board: ...

    @property
    def provenance(self) -> Provenance: ...

    def build(self, program: Program) -> Image:
        """Make the image for this device's board.

        Raises:
            DoesNotFit, ToolMissing, BuildFailed.
        """

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Put `image` on the device and start it.

        Raises:
            FlashFailed, DeviceTimeout, PortMissing, PortBusy.
        """

    def connect(self) -> Transport:
        """Open the way to the running firmware."""

    def instructions(self) -> int | None:
        """Instructions executed by the last inference; None where the device does not count them."""

    def close(self) -> None:
        """Let go of everything.  Closing twice is harmless."""


DeviceFactory = Callable[[str, str, "Board | None"], Device]
"""Makes a device of its whole name, what stands behind the first colon, and the board named beside it.

One line per kind of device in hil/devices/__init__.py.
"""
