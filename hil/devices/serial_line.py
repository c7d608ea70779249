"""The line to one board: found, locked, opened, asked who it is, and given back."""

from __future__ import annotations

from hil.board import Board
from hil.devices.discover import ListPorts, Port
from hil.devices.following import Follower
from hil.devices.lock import BoardLock, board_key
from hil.devices.serial_port import SerialTransport, open_port
from hil.errors import DeviceError, PortBusy, PortLost, PortMissing
from hil.link import Link
from hil.protocol import Info

_REPLY_S = 0.5  # boards that restart when their port is opened miss the first question


class SerialLine:
    """The board is nobody else's from `find` to `close`.

    Args:
        address: a port's name, a serial number, or a URL of pyserial.
        device: what errors call it.
        listing: the serial ports that there are.
        brief: it is only asked who it is; others wait for the end of that.

    Attributes:
        where: follows the board from port to port.
        transport: the port as it was opened last; None where it never was, or was given back.
    """

    def __init__(
        self, address: str, board: Board, *, device: str, listing: ListPorts, brief: bool = False
    ) -> None:
        self.where = Follower(address, board, device=device, listing=listing)
        self.transport: SerialTransport | None = None
        self._board = board
        self._device = device
        self._brief = brief
        self._locks: dict[str, BoardLock] = {}

    def find(self, *, return_wait_s: float) -> Port:
        """Where the board is; nobody else has it from now on.

        Args:
            return_wait_s: how long a board that was there may be away.  One that never was is told at once:
                its name is mistyped, or it is not plugged in.

        Raises:
            PortMissing, PortBusy.
        """
        port = self.where.wait(0.0 if self.where.last is None else return_wait_s)
        self.claim(port)
        return port

    def claim(self, port: Port) -> None:
        """Hold the board at `port`, where it has not been before.

        Raises:
            PortBusy: somebody else does.
        """
        key = board_key(port)
        if key not in self._locks:
            self._locks[key] = BoardLock(key, self._device, brief=self._brief)

    def open(self, port: Port) -> SerialTransport:
        """Open `port`, instead of the one that was open.

        Raises:
            PortMissing, PortBusy.
        """
        self.hang_up()
        self.transport = open_port(port.port, baud=self._board.serial.baud, device=self._device)
        return self.transport

    def ask(self, port: Port, *, timeout_s: float) -> Info | None:
        """Open `port` and ask the firmware who it is; None where nothing that is understood answers.

        Raises:
            PortLost, PortMissing, PortBusy.
        """
        link = Link(
            self.open(port),
            self._device,
            reply_timeout_s=min(_REPLY_S, timeout_s),
            retries=int(timeout_s / _REPLY_S),
        )
        try:
            return link.hello(timeout_s=timeout_s)
        except (PortLost, PortMissing, PortBusy):
            raise
        except DeviceError:  # silence, garbage, another version, a fault: whoever needs the firmware hears it
            return None

    def hang_up(self) -> None:
        """Close the port; the board stays taken."""
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def close(self) -> None:
        """Close the port, and leave the board to others.  Closing twice is harmless."""
        self.hang_up()
        while self._locks:
            self._locks.popitem()[1].release()
