"""`emulated+pty:BOARD`: an emulated board that is handled exactly like a real one.

The board runs in a process of its own behind a pseudo-terminal (hil.emulator.serve).  It is flashed by
`pio run -t upload` and opened by pyserial; only the upload command differs from that of a real board.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hil.board import Board
from hil.device import Transport
from hil.devices.hardware import SerialDevice
from hil.devices.wear import WearCounter
from hil.emulator.control import SOCKET_NAME, STATUS, Reply, ask
from hil.errors import DeviceError, EmulationError
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program

_STATUS_TIMEOUT_S = 5.0
_END_TIMEOUT_S = 5.0

UPLOAD_COMMAND = shlex.join([sys.executable, "-m", "hil.emulator.upload"])


class PtyTransport:
    """The serial port, and where it stays silent the reason: a core that stopped for good says so."""

    def __init__(self, port: Transport, device: EmulatedPtyDevice) -> None:
        self._port = port
        self._device = device

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, timeout_s: float) -> bytes:
        """As Transport.read.

        Raises:
            EmulationError: nothing came because the firmware touched what is not modelled, or locked up.
        """
        data = self._port.read(timeout_s)
        if not data:
            self._device.raise_failure()
        return data

    def close(self) -> None:
        self._port.close()


@dataclass
class EmulatedPtyDevice:
    """See the module.

    Attributes:
        name: what the user typed, e.g. "emulated+pty:nrf52840_dk".
        counter, hello_timeout_s: as of SerialDevice.
    """

    name: str
    board: Board
    counter: WearCounter | None = None
    hello_timeout_s: float = 0.3  # it starts at once, or has no firmware yet
    provenance: Provenance = field(default=Provenance.EMULATED, init=False)
    _server: subprocess.Popen[str] | None = field(default=None, init=False, repr=False)
    _folder: Path | None = field(default=None, init=False, repr=False)
    _serial: SerialDevice | None = field(default=None, init=False, repr=False)

    def build(self, program: Program) -> Image:
        """Build with PlatformIO, as for the real board.

        Raises:
            DoesNotFit, ToolMissing, BuildFailed.
        """
        from hil import firmware
        from hil.emulator.open import tool_versions

        image = firmware.build(program, self.board)
        return replace(image, tools={**image.tools, **tool_versions(self.board)})

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Upload with PlatformIO.

        Raises:
            DeviceError: the board's process does not start.
            FlashFailed, DeviceTimeout: the upload failed, or took longer than `timeout_s`.
        """
        self._started().flash(image, timeout_s=timeout_s)

    def connect(self) -> Transport:
        """Open the pseudo-terminal with pyserial.

        Raises:
            DeviceError: the board's process does not start.
        """
        return PtyTransport(self._started().connect(), self)

    def instructions(self) -> int | None:
        """Instructions that the operators of the last RUN executed; None before the first."""
        return self._status().instructions

    def close(self) -> None:
        """Close the port and end the board's process.  Closing twice is harmless."""
        if self._serial is not None:
            self._serial.close()
            self._serial = None
        if self._server is not None:
            try:
                self._server.communicate(timeout=_END_TIMEOUT_S)  # closes its input, which ends it
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.communicate()
            self._server = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def raise_failure(self) -> None:
        """Say why the core has stopped, if it has.

        Raises:
            EmulationError: it has.
            DeviceError: the board's process is gone.
        """
        failure = self._status().failure
        if failure is not None:
            raise EmulationError(failure.message, device=self.name, address=failure.address, pc=failure.pc)

    def _status(self) -> Reply:
        if self._folder is None:
            return Reply()
        try:
            return ask(self._folder / SOCKET_NAME, STATUS, timeout_s=_STATUS_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise DeviceError(f"the board's process does not answer: {error}", device=self.name) from error

    def _started(self) -> SerialDevice:
        if self._serial is not None and self._server is not None and self._server.poll() is None:
            return self._serial
        self.close()
        # Short, as a socket's address must be, and gone with this object.
        self._folder = Path(tempfile.mkdtemp(prefix="hilnas-"))
        command = [
            sys.executable,
            "-m",
            "hil.emulator.serve",
            "--board",
            self.board.label,
            "--until-stdin-closes",
            str(self._folder),
        ]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._server.stdout.readline() if self._server.stdout is not None else ""
        if not line:
            self.close()
            raise DeviceError(
                "the board's process ended at once",
                device=self.name,
                remedy=f"see what it says: python -m hil.emulator.serve --board {self.board.label}",
            )
        self._serial = SerialDevice(
            self.name,
            self.board,
            json.loads(line)["port"],
            upload_command=UPLOAD_COMMAND,
            counter=self.counter,
            hello_timeout_s=self.hello_timeout_s,
        )
        return self._serial
