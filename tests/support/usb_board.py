"""A board with USB of its own, on pseudo-terminals: it leaves the bus when it restarts, and its bootloader is
another port.

    FOLDER/ttyACM0, then FOLDER/ttyACM1, ...    never the same name twice

It behaves: it answers frames, takes a 1200-baud touch, and runs what was uploaded to the port at which its
bootloader waits.  A thread is the board; `upload` stands for the uploader's process.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hil.board import Board
from hil.devices.discover import Port
from hil.devices.endpoint import Endpoint, Inference
from hil.errors import FlashFailed
from hil.image import Image
from hil.protocol import PROTOCOL_VERSION, Info

FIRMWARE_ID, BOOTLOADER_ID = "1209:0001", "1209:0002"
AWAY_S = 0.05


def native_usb(board: Board) -> Board:
    """`board` as if it had USB of its own, with the ids of the board below."""
    serial = replace(
        board.serial, usb_ids=(FIRMWARE_ID,), touch_1200=True, bootloader_usb_ids=(BOOTLOADER_ID,)
    )
    return replace(board, serial=serial)


class _Firmware:
    """What an image does: says who it is, and turns its input round."""

    def __init__(self, image: Image, changes: Mapping[str, object]) -> None:
        graph = image.program.graph
        info = Info(
            protocol=PROTOCOL_VERSION,
            instruction_cache=True,
            max_payload=1024,
            clock_hz=64_000_000,
            arena_bytes=image.arena_bytes,
            input_bytes=graph.input_tensor.size_bytes,
            output_bytes=graph.output_tensor.size_bytes,
            stack_size=4096,
            operator_count=len(graph.operators),
            model_digest=image.program.digest,
            build_digest=image.build_digest,
            unit_id=b"REALUNIT",
            firmware_version="1.0",
            board=image.board_id,
        )
        self.info = replace(info, **changes)  # type: ignore[arg-type]

    def infer(self, data: bytes) -> Inference:
        return Inference(
            reversed_input(data, self.info.output_bytes), (1000,) * self.info.operator_count, 512
        )


def reversed_input(data: bytes, size: int) -> bytes:
    """What the firmware answers."""
    return (data[::-1] * (size // len(data) + 1))[:size]


class UsbBoard:
    """See the module.

    Attributes:
        image: in its flash.
        uploads: ports that uploads went to.
        touches: how often it was touched at 1200 baud.
        obeys: whether a touch starts the bootloader.
        lies: so many uploads are reported as done, and change nothing.
        stays: whether the bootloader stays after an upload.
        info: changes of what the firmware says of itself.
    """

    def __init__(
        self,
        folder: Path,
        *,
        image: Image | None = None,
        serial_number: str = "A1B2",
        location: str = "1-2:1.0",
        native: bool = True,
    ) -> None:
        self.image = image
        self.uploads: list[str] = []
        self.options: Mapping[str, str] = {}
        self.touches = 0
        self.obeys = True
        self.lies = 0
        self.stays = False
        self.info: dict[str, object] = {}
        self.serial_number = serial_number
        self._location = location
        self._native = native
        self._folder = folder
        self._names = 0
        self._lock = threading.RLock()
        self._terminal: tuple[int, int, Path] | None = None
        self._endpoint: Endpoint | None = None
        self._usb_id = FIRMWARE_ID
        self._back_at_s: float | None = None
        self._ended = False
        self._appear()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    # ---- what a host sees

    @property
    def port(self) -> str:
        """Its name now, or the last one."""
        return str(self._folder / f"ttyACM{self._names - 1}")

    def listing(self) -> tuple[Port, ...]:
        """As `list_ports`."""
        with self._lock:
            if self._terminal is None:
                return ()
            return (
                Port(
                    self.port,
                    "a board",
                    self._usb_id,
                    (),
                    self.serial_number,
                    self._location,
                    bootloader=False,
                ),
            )

    def upload(
        self,
        image: Image,
        board: Board,
        port: str,
        *,
        device: str,
        timeout_s: float,
        command: str | None = None,
        board_options: Mapping[str, str] | None = None,
    ) -> None:
        """As `hil.firmware.upload`."""
        self.uploads.append(port)
        self.options = board_options or {}
        with self._lock:
            if self._terminal is None or port != self.port:
                raise FlashFailed(f"no board at {port}", device=device)
            if self._native and self._usb_id != BOOTLOADER_ID:
                raise FlashFailed(f"no bootloader at {port}", device=device)
            if self.lies:
                self.lies -= 1
            else:
                self.image = image
            if not self.stays:
                self._restart(FIRMWARE_ID, AWAY_S if self._native else 0.0)

    # ---- what happens to it

    def vanish(self, away_s: float) -> None:
        """Leave the bus for so long."""
        with self._lock:
            self._restart(self._usb_id, away_s)

    def press_reset_twice(self) -> None:
        """Start the bootloader by hand."""
        with self._lock:
            self._restart(BOOTLOADER_ID, 0.0)
            self._appear()

    def end(self) -> None:
        """Pull the plug."""
        self._ended = True
        self._thread.join()
        with self._lock:
            self._disappear()

    def _restart(self, usb_id: str, away_s: float = AWAY_S) -> None:
        self._usb_id = usb_id
        if not self._native and not away_s:
            self._boot()
            return
        self._disappear()
        self._back_at_s = time.monotonic() + away_s

    def _appear(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        link = self._folder / f"ttyACM{self._names}"
        self._names += 1
        link.symlink_to(os.ttyname(slave))
        self._terminal, self._back_at_s = (master, slave, link), None
        self._boot()

    def _boot(self) -> None:
        boots = self.image is not None and self._usb_id == FIRMWARE_ID
        self._endpoint = Endpoint(_Firmware(self.image, self.info)) if boots and self.image else None

    def _disappear(self) -> None:
        if self._terminal is not None:
            master, slave, link = self._terminal
            link.unlink()
            os.close(master)
            os.close(slave)
            self._terminal = None

    def _live(self) -> None:
        while not self._ended:
            with self._lock:
                if self._terminal is None:
                    if self._back_at_s is not None and time.monotonic() >= self._back_at_s:
                        self._appear()
                else:
                    self._turn(self._terminal[0])
            time.sleep(0.001)

    def _turn(self, master: int) -> None:
        with contextlib.suppress(BlockingIOError):
            if select.select([master], [], [], 0.0)[0]:
                data = os.read(master, 65536)
                if self._endpoint is not None:
                    answer = self._endpoint.feed(data)
                    while answer:
                        answer = answer[os.write(master, answer) :]
        if self._native and self._usb_id == FIRMWARE_ID and _speed(master) == termios.B1200:
            self.touches += 1
            if self.obeys:
                self._restart(BOOTLOADER_ID)
            else:
                _forget_speed(master)


def _speed(terminal: int) -> int:
    return int(termios.tcgetattr(terminal)[5])


def _forget_speed(terminal: int) -> None:
    settings = termios.tcgetattr(terminal)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
