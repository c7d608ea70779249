"""Opens the machine that a board needs: the one place that knows which kinds of machine there are."""

from __future__ import annotations

from hil.board import Board, list_boards, load_board
from hil.emulator.avr.chips import AVR_CHIPS
from hil.emulator.chips import CHIPS
from hil.emulator.types import Emulator
from hil.errors import BadDevice


def open_machine(board: Board, device: str) -> Emulator:
    """An emulated `board` without a firmware; `device` names it in errors, e.g. "emulated:nrf52840_dk".

    Raises:
        BadDevice: the board cannot be emulated.
        ToolMissing: simavr is needed and is not here.
    """
    require_emulated(board)
    if board.core.architecture == "avr":
        from hil.emulator.avr.machine import AvrMachine

        return AvrMachine(board, device=device)
    from hil.emulator.machine import Machine

    return Machine(board, device=device)


def tool_versions(board: Board) -> dict[str, str]:
    """What executes the instructions of an emulated `board`, for the origin of its figures."""
    if board.core.architecture == "avr":
        from ctypes.util import find_library

        return {"simavr": find_library("simavr") or "unknown"}
    from importlib.metadata import version

    return {"unicorn": version("unicorn")}


def can_emulate(board: Board) -> bool:
    """Whether `open_machine` opens `board`."""
    return why_not(board) is None


def emulated_boards() -> list[str]:
    """Ids of all boards that can be emulated."""
    return [board_id for board_id in list_boards() if can_emulate(load_board(board_id))]


def require_emulated(board: Board) -> None:
    """Refuse a board that cannot be emulated.

    Raises:
        BadDevice: with the reason, and the boards that can.
    """
    reason = why_not(board)
    if reason is not None:
        raise BadDevice(
            f"board '{board.id}' cannot be emulated: {reason}",
            remedy=f"boards that can: {', '.join(emulated_boards())}; or use simulated:{board.id}",
        )


def why_not(board: Board) -> str | None:
    """Why `board` cannot be emulated; None where it can."""
    if board.core.architecture == "avr":
        return None if board.chip in AVR_CHIPS else f"its chip '{board.chip}' is not modelled"
    chip = CHIPS.get(board.chip)
    if chip is None:
        return f"its chip '{board.chip}' is not modelled"
    if chip.architecture != board.core.architecture:
        return f"a {board.chip} has a {chip.architecture}, the profile says {board.core.architecture}"
    if chip.flash_base != board.flash.base:
        return (
            f"its image begins at 0x{board.flash.base:08x}, behind a bootloader that is not modelled "
            f"(flash begins at 0x{chip.flash_base:08x})"
        )
    return None
