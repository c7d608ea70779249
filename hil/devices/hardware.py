"""`serial:PORT`: a real board.  Built and flashed by PlatformIO, spoken to over a serial port.

What a board does on the way (vanish, return under another name, stay silent), and what is done about it:
docs/serial.md.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from hil.board import Board
from hil.device import Transport
from hil.devices import wear
from hil.devices.discover import ListPorts, Port, is_url, list_ports
from hil.devices.flashing import TOUCHED, await_firmware, start_bootloader
from hil.devices.serial_line import SerialLine
from hil.devices.wear_store import WearStore
from hil.errors import BadDevice, PortLost, PortMissing
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program
from hil.protocol import Info

_POLL_S = 0.1
_MOST_LOSSES = 2  # of the port while the board is asked; then it is flashed, whatever runs on it
_LEAST_UPLOAD_S = 1.0


def must_be_flashable(address: str, device: str, upload_command: str | None = None) -> None:
    """Raise where no image can get to the board at `address`.

    Raises:
        BadDevice: it is a URL, which the uploaders of PlatformIO cannot use.
    """
    if not is_url(address):
        return
    from hil.firmware.upload import COMMAND_VARIABLE

    if not (upload_command or os.environ.get(COMMAND_VARIABLE)):
        raise BadDevice(
            f"{device}: a board behind a URL cannot be flashed by `pio run -t upload`, "
            f"which needs a port of this computer, and {COMMAND_VARIABLE} names no other way",
            remedy=f"export {COMMAND_VARIABLE}='COMMAND': it is run with the ELF file and the URL as its "
            "last arguments, e.g. a script that copies the file to the other host and flashes it there",
        )


@dataclass
class SerialDevice:
    """A board behind a serial port: from the first use to `close` for this object alone.

    Attributes:
        name: as the user named it, e.g. "serial:/dev/ttyACM0".
        port: a port's name, a serial number, or a URL of pyserial.
        upload_command: replaces PlatformIO's own way of uploading, for boards behind other programmers or on
            another host; None takes the environment variable HILNAS_UPLOAD_COMMAND.
        counter: of flash wear; None counts in the user's state folder, and not at all for emulated boards.
        allow_worn: flash worn boards, too; None asks the environment variable HILNAS_ALLOW_WORN.
        listing: the serial ports that there are.
        hello_timeout_s: how long the firmware is given to say who it is, before and after it is flashed.
        bootloader_wait_s: how long the bootloader may take to appear.
        return_wait_s: how long a board that was there may be away.
    """

    name: str
    board: Board
    port: str
    upload_command: str | None = None
    counter: wear.WearCounter | None = None
    allow_worn: bool | None = None
    listing: ListPorts = list_ports
    hello_timeout_s: float = 3.0
    bootloader_wait_s: float = 8.0
    return_wait_s: float = 20.0
    provenance: Provenance = field(default=Provenance.HARDWARE, init=False)
    _line: SerialLine = field(init=False, repr=False)
    _has_answered: bool = field(default=False, init=False, repr=False)
    _has_warned: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self._line = SerialLine(self.port, self.board, device=self.name, listing=self.listing)

    def build(self, program: Program) -> Image:
        """Build with PlatformIO.

        Raises:
            BadDevice, PortMissing, PortBusy: asked first; a build takes seconds and would be for nothing.
            DoesNotFit, ToolMissing, BuildFailed.
        """
        from hil import firmware

        must_be_flashable(self.port, self.name, self.upload_command)
        if self._line.transport is None:
            port = self._line.find(return_wait_s=self.return_wait_s)
            if not self._line.where.in_bootloader(port):
                self._line.open(port)
                self._line.hang_up()
        return firmware.build(program, self.board)

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Upload with PlatformIO, unless the board answers that it runs this very image.

        Args:
            timeout_s: of all that happens here together.

        Raises:
            PortMissing, PortBusy: asked first, since an upload takes seconds to notice.
            FlashWorn: the board has been flashed too often.
            FlashFailed, DeviceTimeout: the upload failed, or took longer than `timeout_s`.
            HostError: the flash cannot be counted.
        """
        deadline = time.monotonic() + timeout_s
        self._line.hang_up()
        port = self._line.find(return_wait_s=self.return_wait_s)
        port, info = self._asked(port)
        counter = self._counter_for(port, info)
        unit = wear.settle_unit(port, self.board, info, counter)
        if _runs(info, image) and not counter.was_cut_short(unit):
            self._has_answered = True
            return
        self._line.hang_up()
        self._upload(image, port, unit, counter, deadline)

    def connect(self) -> Transport:
        """Open the port.  A board that is away is waited for, and followed to its new port.

        Raises:
            PortMissing, PortBusy.
            FlashFailed: the bootloader waits where the firmware should be.
        """
        if self._has_answered and self._line.transport is not None:
            self._has_answered = False  # flash() has just spoken to it; to open it again restarts some boards
            return self._line.transport
        self._line.hang_up()
        port = self._line.find(return_wait_s=self.return_wait_s)
        deadline = time.monotonic() + self.return_wait_s
        while True:
            try:
                if self._line.where.in_bootloader(port):
                    port = await_firmware(self._line.where, device=self.name, wait_s=self.return_wait_s)
                    self._line.claim(port)
                self._line.ask(port, timeout_s=self.hello_timeout_s)
                assert self._line.transport is not None
                return self._line.transport
            except (PortLost, PortMissing):
                # A board that restarts is there for a moment yet, or there before it can be opened.
                self._line.hang_up()
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL_S)
            port = self._line.find(return_wait_s=max(0.0, deadline - time.monotonic()))

    def instructions(self) -> int | None:
        """None: the core counts cycles, not instructions."""
        return None

    def close(self) -> None:
        """Give the port back, and leave the board to others.  Closing twice is harmless."""
        self._has_answered = False
        self._line.close()

    def _asked(self, port: Port) -> tuple[Port, Info | None]:
        """Where the board is, for it may go away meanwhile, and who runs on it; None where nobody answers.

        Raises:
            PortMissing, PortBusy.
        """
        self._has_answered = False
        deadline = time.monotonic() + self.return_wait_s
        losses = 0
        while losses < _MOST_LOSSES and not self._line.where.in_bootloader(port):
            try:
                return port, self._line.ask(port, timeout_s=self.hello_timeout_s)
            except PortLost:
                losses += 1
            except PortMissing:
                if time.monotonic() >= deadline:
                    raise
            self._line.hang_up()
            time.sleep(_POLL_S)
            port = self._line.find(return_wait_s=self.return_wait_s)
        return port, None

    def _counter_for(self, port: Port, info: Info | None) -> wear.WearCounter:
        if self.counter is not None:
            return self.counter
        return wear.NoWear() if wear.has_no_flash(port, info) else WearStore()

    def _upload(
        self, image: Image, port: Port, unit: str, counter: wear.WearCounter, deadline: float
    ) -> None:
        from hil import firmware

        must_be_flashable(self.port, self.name, self.upload_command)
        worn = wear.Wear(counter.cycles(unit), self.board.flash.endurance_cycles)
        allowed = wear.worn_is_allowed() if self.allow_worn is None else self.allow_worn
        wear.check(worn, unit=unit, device=self.name, allow_worn=allowed)
        if not self._has_warned:
            self._has_warned = wear.warn(worn, unit=unit, device=self.name)
        touched = self.board.serial.touch_1200 and not is_url(port.port)
        target = port
        if touched:
            target = start_bootloader(
                self._line.where, port, self.board, device=self.name, wait_s=self.bootloader_wait_s
            )
            self._line.claim(target)
        counter.begin(unit, wear.place_of(port))
        firmware.upload(
            image,
            self.board,
            target.port,
            device=self.name,
            timeout_s=max(_LEAST_UPLOAD_S, deadline - time.monotonic()),
            command=self.upload_command,
            board_options=TOUCHED if touched else {},
        )
        counter.finish(unit)


def _runs(info: Info | None, image: Image) -> bool:
    """Whether it is `image` that answers."""
    return (
        info is not None
        and any(image.build_digest)
        and (info.build_digest, info.board, info.model_digest)
        == (image.build_digest, image.board_id, image.program.digest)
    )
