"""Which device serves, where the user names only a kind of board."""

from __future__ import annotations

from dataclasses import dataclass

from hil import toolchain
from hil.board import Board, load_board
from hil.devices.discover import attached
from hil.devices.lock import board_key
from hil.errors import BadDevice


@dataclass(frozen=True)
class Choice:
    """`name` can be handed to `open_device`; `reason` says why it was chosen ("" where the user named it)."""

    name: str
    reason: str


def device_kinds(board: Board) -> list[str]:
    """The kinds of device that can stand for this board here, best first."""
    from hil.emulator.open import can_emulate
    from hil.firmware.environments import can_build

    if not can_build(board):
        return ["simulated"]
    return ["serial", *(["emulated"] if can_emulate(board) else []), "simulated"]


def choose_device(device: str | None, board_id: str | None) -> Choice:
    """The device that the user named, or the best one for the board: on USB, else emulated, else simulated.

    Raises:
        UnknownBoard: no such board.
        BadDevice: neither device nor board is named, or several boards of this kind are attached.
    """
    if device is not None:
        return Choice(device, "")
    if board_id is None:
        raise BadDevice(
            "no device is named",
            remedy="add --board ID (`hilnas boards` lists them) or --device KIND:BOARD, "
            "e.g. --device simulated:nrf52840_dk",
        )
    board = load_board(board_id)
    kinds = device_kinds(board)
    if "serial" in kinds:
        # A debug probe with two ports is one board.
        boards = {board_key(p): p.port for p in reversed(attached()) if board.id in p.board_ids}
        ports = sorted(boards.values())
        if len(ports) > 1:
            listed = ", ".join(f"serial:{port}" for port in ports)
            raise BadDevice(
                f"several boards of kind {board.id} are attached: {listed}", remedy="name one with --device"
            )
        if ports:
            return Choice(f"serial:{ports[0]}", f"{board.name} found on {ports[0]}")
    if "emulated" in kinds:
        return Choice(f"emulated:{board.label}", f"no {board.name} is attached: emulating one")
    if "serial" in kinds:
        why = "none is attached, and its firmware is not emulated"
    elif toolchain.available(board.build.toolchain):
        why = "its firmware port is not here yet"
    else:
        why = f"no {board.build.toolchain}gcc is installed (`hilnas doctor`)"
    return Choice(f"simulated:{board.label}", f"simulating {board.name}: {why}")
