"""Where one board is now: followed when its port vanishes and comes back under another name.

A board with USB of its own leaves the bus whenever it restarts, and its bootloader is another USB device:
another id, often another port name, sometimes another serial number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from hil.board import Board
from hil.devices.discover import ListPorts, Port, find, is_bootloader, is_url, missing, usb_ids
from hil.errors import PortMissing

_POLL_S = 0.05


class Follower:
    """One board, by what tells it from others.

    Args:
        address: as the user named it, see `hil.devices.discover.find`.
        device: what errors call it.
        listing: the ports that there are.

    Attributes:
        last: where it was seen last; None before the first time.
    """

    def __init__(self, address: str, board: Board, *, device: str, listing: ListPorts) -> None:
        self.address = address
        self.last: Port | None = None
        self._board = board
        self._device = device
        self._listing = listing
        self._serial_numbers: set[str] = set()

    def locate(self) -> Port | None:
        """Where it is now; None where it is not."""
        ports = self._listing()
        port = find(self.address, ports) if self.last is None else self._again(self.last, ports)
        if port is not None:
            self.last = port
            if port.serial_number:
                self._serial_numbers.add(port.serial_number)
        return port

    def wait(self, wait_s: float) -> Port:
        """Where it is, once it is there.

        Raises:
            PortMissing: it is not within `wait_s`.
        """
        deadline = time.monotonic() + wait_s
        while True:
            port = self.locate()
            if port is not None:
                return port
            if time.monotonic() >= deadline:
                raise self._missing(wait_s)
            time.sleep(_POLL_S)

    def in_bootloader(self, port: Port) -> bool:
        """Whether the board's bootloader waits at `port`."""
        return is_bootloader(port, self._board)

    def _again(self, last: Port, ports: Sequence[Port]) -> Port | None:
        if not last.usb_id:  # a URL, a port of the mainboard, a pseudo-terminal: it has no name but this
            named = next((port for port in ports if port.port == last.port), None)
            there = is_url(last.port) or Path(last.port).exists()
            return named or (last if there else None)
        found = [port for port in ports if self._is_same(port, last)]
        # A debug probe with two ports has one serial number: the port that was named goes first.
        return min(
            found, key=lambda port: (port.port != last.port, port.location != last.location), default=None
        )

    def _is_same(self, port: Port, last: Port) -> bool:
        if port.serial_number and port.serial_number in self._serial_numbers:
            return True
        known = port.usb_id in usb_ids(self._board) or port.usb_id == last.usb_id
        if not known:
            return False
        changed_role = self.in_bootloader(port) != self.in_bootloader(last)
        if port.serial_number and self._serial_numbers and not changed_role:
            return False  # another unit of the same kind
        if last.socket:
            return port.socket == last.socket
        return port.port == last.port

    def _missing(self, wait_s: float) -> PortMissing:
        waited = f", waited {wait_s:g} s" if wait_s else ""
        if self.last is None:
            return missing(self.address, self._device, self._listing(), waited)
        error = missing(self.last.port, self._device, self._listing(), f" any more{waited}")
        error.remedy = (
            "the board has left the USB: check cable and power; boards with a reset button start their "
            f"bootloader when it is pressed twice quickly ({error.remedy})"
        )
        return error
