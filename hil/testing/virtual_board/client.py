"""The host's side of a virtual board: its process, its place on the bus, its plan and its tally."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from hil.board import Board
from hil.devices.discover import Port
from hil.devices.emulated_pty import UPLOAD_COMMAND
from hil.devices.hardware import SerialDevice
from hil.errors import DeviceError
from hil.measurement import Provenance
from hil.testing.virtual_board.injector import PLAN, TALLY, write_whole
from hil.testing.virtual_board.plan import FaultPlan
from hil.testing.virtual_board.port import PREFIX
from hil.testing.virtual_board.tally import Tally

_END_TIMEOUT_S = 30.0
_SOCKET = "9-1"  # where it is plugged in: nowhere


class VirtualBus:
    """The one port of the virtual board in `folder`, as a list of ports; none while it is away.

    Its serial number follows from the folder, so that any process finds the same board there.
    """

    def __init__(self, folder: Path, board: Board) -> None:
        self._folder = folder
        self._usb_id = board.serial.usb_ids[0]
        self.serial_number = (
            "VIRTUAL" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8].upper()
        )

    def __call__(self) -> tuple[Port, ...]:
        """See `hil.devices.discover.ListPorts`."""
        return tuple(
            Port(str(link), "virtual board", self._usb_id, (), self.serial_number, f"{_SOCKET}:1.0")
            for link in sorted(self._folder.glob(PREFIX + "*"))
        )


def virtual_device(folder: Path, board: Board, **options: Any) -> SerialDevice:
    """The virtual board in `folder` as a device like any other on USB: the same code, another list of ports.

    Args:
        options: further attributes of SerialDevice.
    """
    bus = VirtualBus(folder, board)
    device = SerialDevice(
        f"serial:{bus.serial_number}",
        board,
        bus.serial_number,
        upload_command=UPLOAD_COMMAND,
        listing=bus,
        **options,
    )
    device.provenance = Provenance.EMULATED
    return device


class VirtualBoard:
    """A virtual board and its process.  Use it as a context manager.

    Args:
        folder: where its port, plan and tally lie; by default one of its own, gone with this object.

    Raises:
        DeviceError: the process does not start.
    """

    def __init__(self, board: Board, folder: Path | None = None) -> None:
        self.board = board
        self._is_own = folder is None
        # Short, as a socket's address must be.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="hilnas-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.plan(FaultPlan())
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.serve", "--board", board.id, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            self.close()
            raise DeviceError("the process of the virtual board ended at once", device=str(self.folder))

    def plan(self, plan: FaultPlan) -> None:
        """From now on, this goes wrong; the tally begins anew."""
        write_whole(self.folder / PLAN, plan.to_json())
        (self.folder / TALLY).unlink(missing_ok=True)

    def tally(self) -> Tally:
        """What was struck since the plan was laid down, and what came right."""
        path = self.folder / TALLY
        return Tally.from_json(path.read_text()) if path.exists() else Tally()

    def device(self, **options: Any) -> SerialDevice:
        """See `virtual_device`."""
        return virtual_device(self.folder, self.board, **options)

    def close(self) -> None:
        """End the process.  Closing twice is harmless."""
        try:
            self._process.communicate(timeout=_END_TIMEOUT_S)  # closes its input, which ends it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        except ValueError:  # closed before
            pass
        if self._is_own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> VirtualBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
