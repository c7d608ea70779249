"""`serial:PORT`: a real board.  Built and flashed by PlatformIO, spoken to over a serial port."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.board import Board, list_boards, load_board
from hil.device import Transport
from hil.errors import BadDevice, DeviceError, PortBusy, PortMissing
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program

_REAPPEAR_S = 10.0  # boards with USB of their own leave the bus when they restart
_WRITE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Port:
    """One serial port of this computer.

    Attributes:
        port: its name, e.g. "/dev/ttyACM0".
        description: what it says of itself.
        usb_id: "vid:pid" in hex, "" where it is no USB port.
        board_ids: boards whose profile names that id.
    """

    port: str
    description: str
    usb_id: str
    board_ids: tuple[str, ...]


def attached() -> tuple[Port, ...]:
    """All serial ports, with the boards that each may be, sorted by name."""
    from serial.tools import list_ports

    boards = [load_board(board_id) for board_id in list_boards()]
    ports = []
    for found in list_ports.comports():
        usb_id = "" if found.vid is None else f"{found.vid:04x}:{found.pid:04x}"
        matching = tuple(board.id for board in boards if usb_id in board.serial.usb_ids)
        ports.append(Port(found.device, found.description or "", usb_id, matching))
    return tuple(sorted(ports, key=lambda port: port.port))


def board_at(port: str) -> Board:
    """The board that the USB id of `port` tells.

    Raises:
        PortMissing: there is no such port.
        BadDevice: it tells none, or several.
    """
    ports = attached()
    if "://" not in port and port not in {found.port for found in ports} and not Path(port).exists():
        raise _missing(port, f"serial:{port}")
    matching = [board_id for found in ports if found.port == port for board_id in found.board_ids]
    if len(matching) == 1:
        return load_board(matching[0])
    found_text = (
        f"its USB id fits {' and '.join(matching)}" if matching else "its USB id tells no known board"
    )
    raise BadDevice(
        f"which board is behind port {port}? {found_text}",
        remedy=f"name it: --board ID, or board=... in Python (known: {', '.join(list_boards())})",
    )


class SerialTransport:
    """pyserial as a Transport."""

    def __init__(self, port: Any, device: str) -> None:
        self._port = port
        self._device = device

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            DeviceError: the port went away, or takes nothing.
        """
        try:
            self._port.write(data)
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at least one byte; b"" when nothing came within `timeout_s`.

        Raises:
            DeviceError: the port went away.
        """
        try:
            self._port.timeout = timeout_s
            first: bytes = self._port.read(1)
            waiting = self._port.in_waiting if first else 0
            return first + (self._port.read(waiting) if waiting else b"")
        except (OSError, ValueError, TypeError) as error:
            # pyserial raises TypeError where another thread has closed the port.
            raise self._lost(error) from error

    def close(self) -> None:
        """Give the port back.  Closing twice is harmless."""
        self._port.close()

    def _lost(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"the port was lost: {error}", device=self._device, remedy="check the cable and the board's power"
        )


def open_port(port: str, *, baud: int, device: str, wait_s: float = 0.0) -> SerialTransport:
    """Open a port for this process alone.

    Args:
        port: name or URL of pyserial.
        device: what errors call it.
        wait_s: how long a port that is not there is waited for.

    Raises:
        PortMissing: no such port; the remedy lists those that are there.
        PortBusy: another process holds it, or this user may not open it.
    """
    import serial

    deadline = time.monotonic() + wait_s
    # Other URLs (socket://, loop://) know no exclusive use.
    exclusive = {} if "://" in port else {"exclusive": True}
    while True:
        try:
            opened = serial.serial_for_url(
                port, baudrate=baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, **exclusive
            )
            return SerialTransport(opened, device)
        except (OSError, ValueError) as error:
            fault = _why(error, port, device)
            if not isinstance(fault, PortMissing) or time.monotonic() >= deadline:
                raise fault from error
            time.sleep(0.1)


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
    return _missing(port, device, f" ({error})" if "://" in port else "")


def _missing(port: str, device: str, why: str = "") -> PortMissing:
    names = ", ".join(found.port for found in attached())
    return PortMissing(
        f"no port {port}{why}",
        device=device,
        remedy=f"ports that are there: {names or 'none; is the board plugged in?'}",
    )


@dataclass
class SerialDevice:
    """A board behind a serial port.

    Attributes:
        name: as the user named it, e.g. "serial:/dev/ttyACM0".
        port: name or URL of pyserial.
        upload_command: replaces PlatformIO's own way of uploading; for boards behind other programmers.
    """

    name: str
    board: Board
    port: str
    upload_command: str | None = None
    provenance: Provenance = field(default=Provenance.HARDWARE, init=False)
    _transport: SerialTransport | None = field(default=None, init=False, repr=False)
    _was_open: bool = field(default=False, init=False, repr=False)

    def build(self, program: Program) -> Image:
        """Build with PlatformIO.

        Raises:
            PortMissing, PortBusy: asked first, since a build takes seconds and would be for nothing.
            DoesNotFit, ToolMissing, BuildFailed.
        """
        from hil import firmware

        if self._transport is None:
            self._look()
        return firmware.build(program, self.board)

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Upload with PlatformIO.

        Raises:
            PortMissing, PortBusy: asked first, since an upload takes seconds to notice.
            FlashFailed, DeviceTimeout: the upload failed, or took longer than `timeout_s`.
        """
        from hil import firmware

        self.close()
        self._look()
        firmware.upload(image, self.port, timeout_s, self.upload_command)

    def connect(self) -> Transport:
        """Open the port; waits for it to come back after a restart.

        Raises:
            PortMissing, PortBusy.
        """
        self.close()
        self._transport = self._open()
        return self._transport

    def instructions(self) -> int | None:
        """None: the core counts cycles, not instructions."""
        return None

    def close(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _look(self) -> None:
        """Raise where the port is missing or busy."""
        self._open().close()

    def _open(self) -> SerialTransport:
        # Only a port that was there before is worth waiting for: a mistyped one is told at once.
        wait_s = _REAPPEAR_S if self._was_open else 0.0
        opened = open_port(self.port, baud=self.board.serial.baud, device=self.name, wait_s=wait_s)
        self._was_open = True
        return opened
