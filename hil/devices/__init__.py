"""Kinds of devices, one line each, and `open_device`, which finds the one that a text names.

serial:PORT          a real board; PORT is /dev/ttyACM0, its USB serial number, or a URL of pyserial
emulated:BOARD       the very ELF on an instruction-level emulator, in this process
emulated+pty:BOARD   the same behind a pseudo-terminal, flashed by PlatformIO and opened by pyserial
simulated:BOARD      an analytic model; needs no toolchain

BOARD is an id or a profile's path; nucleo_f446re@84MHz is that board at another clock of its profile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.errors import BadDevice
from hil.nearest import did_you_mean

if TYPE_CHECKING:
    from hil.board import Board
    from hil.device import Device, DeviceFactory
    from hil.devices.discover import Port


def _serial(name: str, argument: str, board: Board | None) -> Device:
    from hil.devices.discover import board_at
    from hil.devices.hardware import SerialDevice, must_be_flashable

    must_be_flashable(argument, name)
    return SerialDevice(name, board or board_at(argument), argument)


def _emulated(name: str, argument: str, board: Board | None) -> Device:
    from hil.devices.emulated import EmulatedDevice

    return EmulatedDevice(name, _named_board(name, argument, board))


def _emulated_pty(name: str, argument: str, board: Board | None) -> Device:
    from hil.devices.emulated_pty import EmulatedPtyDevice

    return EmulatedPtyDevice(name, _named_board(name, argument, board))


def _simulated(name: str, argument: str, board: Board | None) -> Device:
    from hil.devices.simulated import SimulatedDevice

    named = _named_board(name, argument, board)
    own = named.own_clock
    if own is not None and own.wait_states != named.flash.wait_states:
        raise BadDevice(
            f"'{name}': the simulator's coefficients were fitted at {own.name}, with {own.wait_states} wait "
            f"states of flash; at this clock there are {named.flash.wait_states}",
            remedy=f"use emulated:{named.label}, or simulated:{named.id}",
        )
    return SimulatedDevice(name, named)


KINDS: dict[str, DeviceFactory] = {
    "serial": _serial,
    "emulated": _emulated,
    "emulated+pty": _emulated_pty,
    "simulated": _simulated,
}


def open_device(text: str, *, board: Board | str | None = None) -> Device:
    """The device that `text` names.  Nothing is opened or started before it is used.

    Args:
        text: "KIND:ARGUMENT", see the module.
        board: for serial:PORT, the board behind the port, where its USB id does not tell; elsewhere it may be
            given but has to be the one in `text`.

    Example:
        open_device("emulated:nrf52840_dk"), open_device("serial:/dev/ttyUSB0", board="nrf52840_dk")

    Raises:
        BadDevice: `text` cannot be read, `board` contradicts it, or nothing could flash what it names.
        UnknownBoard, BadBoard: see hil.board.load_board.
    """
    from hil.board import load_board

    kind, colon, argument = text.partition(":")
    if kind not in KINDS:
        raise BadDevice(
            f"unknown kind of device '{kind}' in '{text}'",
            remedy=did_you_mean(kind, KINDS, all_of_them="kinds"),
        )
    if not colon or not argument:
        what = (
            "a port or a serial number, e.g. serial:/dev/ttyACM0"
            if kind == "serial"
            else f"a board, e.g. {kind}:nrf52840_dk"
        )
        raise BadDevice(f"'{text}' does not say which one: expected {what}", remedy="see `hilnas boards`")
    given = load_board(board) if isinstance(board, str) else board
    return KINDS[kind](text, argument, given)


def attached() -> tuple[Port, ...]:
    """Serial ports of this computer, with the boards that each may be."""
    from hil.devices.discover import attached as ports

    return ports()


def _named_board(name: str, argument: str, given: Board | None) -> Board:
    from hil.board import load_board

    named = load_board(argument)
    if given is not None and (given.id, given.core.clock_hz) != (named.id, named.core.clock_hz):
        raise BadDevice(
            f"device '{name}' names board {named.label}, but '{given.label}' was named too",
            remedy="name the board once",
        )
    return given or named
