"""The way of an image to a board on USB: bootloader, upload, and the port that comes back.

    firmware's port --1200-baud touch--> gone --> bootloader's port --upload--> gone --> firmware's port

Boards behind a debug probe or a bridge chip stay where they are all the time, and are not touched.
"""

from __future__ import annotations

import time

from hil.board import Board
from hil.devices.discover import Port
from hil.devices.following import Follower
from hil.devices.serial_port import touch
from hil.errors import FlashFailed

_POLL_S = 0.05
_SETTLE_S = 0.1  # a port appears before it can be opened

TOUCHED = {"upload.use_1200bps_touch": "", "upload.wait_for_upload_port": ""}
"""Options of PlatformIO's board files, switched off: the touch is done here, where the board is followed."""


def start_bootloader(where: Follower, port: Port, board: Board, *, device: str, wait_s: float) -> Port:
    """Touch the board so that its bootloader starts, and find where that waits.

    Args:
        port: where the board is; already that of the bootloader where somebody has pressed reset twice.
        wait_s: how long the bootloader may take to appear.

    Raises:
        FlashFailed: it does not appear.
    """
    if where.in_bootloader(port):
        return port
    tells = bool(set(board.serial.bootloader_usb_ids) - set(board.serial.usb_ids))
    touch(port.port)
    deadline = time.monotonic() + wait_s
    gone = False
    while time.monotonic() < deadline:
        found = where.locate()
        gone = gone or found is None
        if found is not None and (where.in_bootloader(found) if tells else gone or found.port != port.port):
            time.sleep(_SETTLE_S)
            return found
        time.sleep(_POLL_S)
    found = where.locate()
    what = "the board is gone" if found is None else f"the firmware's port {found.port} is still there"
    raise FlashFailed(
        f"the bootloader did not appear within {wait_s:g} s after the 1200-baud touch: {what}",
        device=device,
        remedy="press the board's reset button twice quickly: its bootloader then waits, and is found there",
    )


def await_firmware(where: Follower, *, device: str, wait_s: float) -> Port:
    """Where the firmware's port is, once the bootloader has left.

    Raises:
        PortMissing: the board does not come back.
        FlashFailed: its bootloader stays, although the upload was reported as done.
    """
    deadline = time.monotonic() + wait_s
    while True:
        port = where.wait(max(0.0, deadline - time.monotonic()))
        if not where.in_bootloader(port):
            return port
        if time.monotonic() >= deadline:
            raise FlashFailed(
                f"the bootloader still waits at {port.port} {wait_s:g} s after an upload reported as done",
                device=device,
                remedy="the upload has not reached the board: check which port the upload command uses",
            )
        time.sleep(_POLL_S)
