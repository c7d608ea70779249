"""pyserial as a Transport: opens a port, and tells missing, busy, forbidden and lost ports apart."""

from __future__ import annotations

import contextlib
import errno
import termios
import time
from typing import Any

from hil.devices.discover import is_url, list_ports, missing
from hil.errors import DeviceError, PortBusy, PortLost

_WRITE_TIMEOUT_S = 10.0
_READ_SLICE_S = 0.05  # rfc2217:// tells the server every change of the time-out, so it stays the same
_TOUCH_BAUD = 1200
# What pyserial raises where a port is missing, or goes away at that very moment.
_FAULTS = (OSError, ValueError, termios.error)


class SerialTransport:
    """An open port."""

    def __init__(self, port: Any, device: str) -> None:
        self._port = port
        self._device = device

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            PortLost: the port went away, or takes nothing.
        """
        try:
            self._port.write(data)
        except _FAULTS as error:
            raise self._lost(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at least one byte; b"" when nothing came within `timeout_s`.

        Raises:
            PortLost: the port went away.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                first: bytes = self._port.read(1)
                if first:
                    waiting = self._port.in_waiting
                    return first + (self._port.read(waiting) if waiting else b"")
                if time.monotonic() >= deadline:
                    return b""
        except (*_FAULTS, TypeError) as error:
            # pyserial raises TypeError where another thread has closed the port.
            raise self._lost(error) from error

    def close(self) -> None:
        """Give the port back.  Closing twice is harmless."""
        self._port.close()

    def _lost(self, error: Exception) -> PortLost:
        return PortLost(
            f"the port was lost: {error}", device=self._device, remedy="check the cable and the board's power"
        )


def open_port(port: str, *, baud: int, device: str) -> SerialTransport:
    """Open a port for this process alone.

    Args:
        port: name or URL of pyserial.
        device: what errors call it.

    Raises:
        PortMissing: no such port; the remedy lists those that are there.
        PortBusy: another process holds it, or this user may not open it.
    """
    import serial

    # URLs know no exclusive use, and rfc2217:// no time-out of writing.
    only_here = {} if is_url(port) else {"exclusive": True, "write_timeout": _WRITE_TIMEOUT_S}
    try:
        opened = serial.serial_for_url(port, baudrate=baud, timeout=_READ_SLICE_S, **only_here)
    except _FAULTS as error:
        raise _why(error, port, device) from error
    return SerialTransport(opened, device)


def touch(port: str) -> None:
    """Open `port` at 1200 baud and close it: to boards with USB of their own, "start the bootloader".

    A board that goes away while that is done has understood, so no error is one.
    """
    import serial

    with contextlib.suppress(*_FAULTS):
        opened = serial.Serial(port, baudrate=_TOUCH_BAUD)
        try:
            opened.dtr = False
        finally:
            opened.close()


def _why(error: Exception, port: str, device: str) -> DeviceError:
    code = getattr(error, "errno", None)
    text = str(error).lower()
    if code == errno.EACCES or "permission denied" in text or "access is denied" in text:
        return PortBusy(
            f"port {port} may not be opened by this user, or another process holds it",
            device=device,
            remedy="sudo usermod -aG dialout $USER, then log in again (Linux); close other serial monitors",
        )
    if code in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "lock" in text or "busy" in text:
        return PortBusy(
            f"port {port} is in use by another process",
            device=device,
            remedy=f"close the serial monitor or other program that holds it (`fuser {port}` names it)",
        )
    return missing(port, device, list_ports(), f" ({error})" if is_url(port) else "")
