"""Which serial ports this computer has, and which boards are behind them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hil.board import Board, list_boards, load_board
from hil.errors import BadDevice, PortMissing


@dataclass(frozen=True)
class Port:
    """One serial port of this computer.

    Attributes:
        port: its name, e.g. "/dev/ttyACM0", or a URL of pyserial.
        description: what it says of itself.
        usb_id: "vid:pid" in hex, "" where it is no USB port.
        board_ids: boards whose profile names that id.
        serial_number: of the USB device, "" where it has none.
        location: where it is plugged in, e.g. "1-1.4:1.0" (bus, hub ports, interface); "" where not known.
        bootloader: whether it is the port of a board whose bootloader waits for an image.
    """

    port: str
    description: str
    usb_id: str
    board_ids: tuple[str, ...]
    serial_number: str = ""
    location: str = ""
    bootloader: bool = False

    @property
    def socket(self) -> str:
        """The location without the interface: all ports of one USB device have it in common."""
        return self.location.partition(":")[0]


ListPorts = Callable[[], Sequence[Port]]
"""The ports that there are now.  `list_ports` is the real one; tests bring their own."""


def list_ports() -> tuple[Port, ...]:
    """All serial ports, sorted by name; nothing is said of boards.  Fast enough to be asked in a loop."""
    from serial.tools import list_ports as pyserial

    ports = [
        Port(
            port=found.device,
            description=found.description or "",
            usb_id="" if found.vid is None else f"{found.vid:04x}:{found.pid:04x}",
            board_ids=(),
            serial_number=found.serial_number or "",
            location=found.location or "",
        )
        for found in pyserial.comports()
    ]
    return tuple(sorted(ports, key=lambda port: port.port))


def attached(listing: ListPorts = list_ports) -> tuple[Port, ...]:
    """All serial ports, with the boards that each may be, sorted by name."""
    boards = [load_board(board_id) for board_id in list_boards()]
    return tuple(
        replace(
            port,
            board_ids=tuple(board.id for board in boards if port.usb_id and port.usb_id in usb_ids(board)),
            bootloader=any(is_bootloader(port, board) for board in boards),
        )
        for port in listing()
    )


def usb_ids(board: Board) -> tuple[str, ...]:
    """Every id under which `board` appears, its bootloader's included."""
    return (*board.serial.usb_ids, *board.serial.bootloader_usb_ids)


def is_bootloader(port: Port, board: Board) -> bool:
    """Whether `port` is that of the bootloader of `board`, and its id not one of the firmware as well."""
    return port.usb_id in board.serial.bootloader_usb_ids and port.usb_id not in board.serial.usb_ids


def is_url(address: str) -> bool:
    """Whether `address` is a URL of pyserial: "rfc2217://host:4000", "socket://host:7000"."""
    return "://" in address


def is_serial_number(address: str) -> bool:
    """Whether `address` is a serial number: neither a URL nor the name of a port (/dev/ttyACM0, COM3)."""
    named = os.sep in address or "/" in address or address.upper().startswith("COM")
    return not is_url(address) and not named


def find(address: str, ports: Iterable[Port]) -> Port | None:
    """The port that `address` names, if it is there.

    Args:
        address: what stands behind "serial:": a port's name, a link to it, a serial number or a URL.
        ports: where to look; a port that is not listed (a pseudo-terminal) is found by its file.
    """
    if is_url(address):
        return Port(address, "", "", ())
    if is_serial_number(address):
        return next((port for port in ports if port.serial_number == address), None)
    real = os.path.realpath(address)
    for port in ports:
        if address == port.port or real == os.path.realpath(port.port):
            return port
    return Port(address, "", "", ()) if Path(address).exists() else None


def board_at(address: str, listing: ListPorts = list_ports) -> Board:
    """The board that the USB id behind `address` tells.

    Raises:
        PortMissing: there is no such port.
        BadDevice: it tells none, or several.
    """
    ports = attached(listing)
    port = find(address, ports)
    if port is None:
        raise missing(address, f"serial:{address}", ports)
    if len(port.board_ids) == 1:
        return load_board(port.board_ids[0])
    told = (
        f"its USB id fits {' and '.join(port.board_ids)}"
        if port.board_ids
        else "a URL does not tell"
        if is_url(address)
        else "its USB id tells no known board"
    )
    raise BadDevice(
        f"which board is behind port {address}? {told}",
        remedy=f"name it: --board ID, or board=... in Python (known: {', '.join(list_boards())})",
    )


def missing(address: str, device: str, ports: Iterable[Port], why: str = "") -> PortMissing:
    """The error for an `address` that is not there, with those that are."""
    if is_url(address):
        return PortMissing(
            f"nothing answers at {address}{why}",
            device=device,
            remedy="does the server run that shares the port there, and are host and port right?",
        )
    listed = [
        f"serial:{port.port}" + (f" (serial number {port.serial_number})" if port.serial_number else "")
        for port in ports
    ]
    what = "no board with the serial number" if is_serial_number(address) else "no port"
    return PortMissing(
        f"{what} {address}{why}",
        device=device,
        remedy=f"ports that are there: {', '.join(listed) or 'none; is the board plugged in?'}",
    )
