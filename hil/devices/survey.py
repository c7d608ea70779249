"""What is attached to this computer: board, firmware, owner and wear of each port."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hil.board import Board, load_board
from hil.devices.discover import ListPorts, Port, attached, list_ports
from hil.devices.lock import Owner, board_key, owner_of
from hil.devices.serial_line import SerialLine
from hil.devices.wear import Wear, WearCounter, has_no_flash, unit_of
from hil.devices.wear_store import WearStore
from hil.errors import DeviceError, PortBusy
from hil.protocol import Info

ANSWER_TIMEOUT_S = 2.5  # a board that restarts when its port is opened spends up to 2 s in its bootloader


@dataclass(frozen=True)
class Attached:
    """One port, and what is known of the board behind it.

    Attributes:
        boards: those whose USB id it has; one alone where its firmware has told which.
        owner: who uses it; None where it is free, or who uses it cannot be told.
        busy: whether somebody uses it.
        firmware: what its firmware says of itself; None where none was asked, or none answered.
        note: why there is no `firmware`; "" where there is.
        wear: of its flash; None where it is not known how often that may be erased.
    """

    port: Port
    boards: tuple[Board, ...]
    owner: Owner | None
    busy: bool
    firmware: Info | None
    note: str
    wear: Wear | None


def survey(
    *, ask: bool = True, listing: ListPorts = list_ports, counter: WearCounter | None = None
) -> list[Attached]:
    """Look at every port, all at the same time.

    Only ports whose USB id tells a board are asked: who knows what others take a question for.

    Args:
        ask: ask the firmware who it is, where nobody uses the board.
        listing: the serial ports that there are.
        counter: of flash wear; None for the user's own.

    Raises:
        HostError: the locks or the counts of wear cannot be read.
    """
    ports = attached(listing)
    if not ports:
        return []
    counts = counter or WearStore()
    with ThreadPoolExecutor(max_workers=len(ports)) as pool:
        return list(pool.map(lambda port: _look(port, ask, counts), ports))


def _look(port: Port, ask: bool, counter: WearCounter) -> Attached:
    boards = tuple(load_board(board_id) for board_id in port.board_ids)
    owner = owner_of(board_key(port))
    busy, firmware, note = owner is not None, None, ""
    if not boards:
        note = "not asked: no known board has its USB id"
    elif port.bootloader:
        note = "its bootloader waits for an image"
    elif busy:
        note = "not asked: in use"
    elif not ask:
        note = "not asked"
    else:
        try:
            firmware, note = _ask(port, boards)
        except PortBusy as error:
            busy, owner, note = True, owner_of(board_key(port)), error.message.partition(": ")[2]
        except DeviceError as error:
            note = error.message.partition(": ")[2]
    if firmware is not None:
        boards = tuple(board for board in boards if board.id == firmware.board) or boards
    return Attached(port, boards, owner, busy, firmware, note, _wear(port, boards, firmware, counter))


def _wear(port: Port, boards: tuple[Board, ...], firmware: Info | None, counter: WearCounter) -> Wear | None:
    ratings = {board.flash.endurance_cycles for board in boards}
    if len(ratings) != 1 or has_no_flash(port, firmware):
        return None
    return Wear(counter.cycles(unit_of(port, boards[0], firmware, counter)), ratings.pop())


def _ask(port: Port, boards: tuple[Board, ...]) -> tuple[Info | None, str]:
    """What the firmware says, at the speed of each board that it may be."""
    by_baud = {board.serial.baud: board for board in boards}
    for board in by_baud.values():
        line = SerialLine(port.port, board, device=f"serial:{port.port}", listing=lambda: (port,), brief=True)
        try:
            firmware = line.ask(line.find(return_wait_s=0.0), timeout_s=ANSWER_TIMEOUT_S)
        finally:
            line.close()
        if firmware is not None:
            return firmware, ""
    return None, "no answer: other firmware, or none"
