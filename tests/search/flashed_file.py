"""A board whose flash is a file: it outlives the process that flashes it, and may be left half written.

The flashing is that of a board on USB (`SerialDevice.flash`, with its counts of wear on the disk); only the
line and the uploader are replaced.  Each step leaves something else on the disk, so a process can be killed
between any two.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hil import firmware
from hil.board import load_board
from hil.devices.discover import Port
from hil.devices.hardware import SerialDevice
from hil.devices.wear_store import WearStore
from search.cascade import Work
from search.finding import Finding
from search.testing.pretend_evaluator import PretendEvaluator
from search.trial import Stage

BOARD = load_board("nrf52840_dk")
PORT = Port("/dev/ttyACM0", "", BOARD.serial.usb_ids[0], (), serial_number="KILLED")
UNIT = "usb KILLED"
ERASED, HALF = "erased", "half"


class FlashFile:
    """FOLDER/flash is what is in it, FOLDER/erased has a line for each time that it was erased."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._flash, self._erased = folder / "flash", folder / "erased"

    @property
    def content(self) -> str:
        return self._flash.read_text() if self._flash.exists() else ERASED

    @property
    def cycles(self) -> int:
        return len(self._erased.read_text()) if self._erased.exists() else 0

    def upload(self, image: Any, *_: object, **__: object) -> None:
        """As `hil.firmware.upload`: erase, write, and write the rest."""
        with self._erased.open("a") as file:
            file.write("x")
        for content in (ERASED, HALF, image.build_digest.hex()):
            new = self._flash.with_suffix(".new")
            new.write_text(content)
            os.rename(new, self._flash)


class FileLine:
    """As `hil.devices.serial_line.SerialLine`."""

    transport = None
    where = SimpleNamespace(in_bootloader=lambda port: False)

    def find(self, **_: object) -> Port:
        return PORT

    def hang_up(self) -> None:
        pass

    def close(self) -> None:
        pass


class FlashingEvaluator(PretendEvaluator):
    """Whatever it measures has to be in the flash by then, whole."""

    def __init__(self, *arguments: Any, folder: Path, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._flash = FlashFile(folder)
        (folder / "wear").mkdir(exist_ok=True)
        self._device = SerialDevice("serial:KILLED", BOARD, "KILLED", counter=WearStore(folder / "wear"))
        self._device._line = FileLine()  # type: ignore[assignment]
        patch = pytest.MonkeyPatch()  # of a process of its own
        patch.setattr(firmware, "upload", self._flash.upload)
        patch.setattr(SerialDevice, "_asked", lambda device, port: (port, self._answer()))

    def run(self, stage: Stage, work: Work) -> Finding:
        if stage is Stage.MEASURE:
            image = self._image(work.architecture.text)
            self._device.flash(image, timeout_s=60.0)
            if self._flash.content != image.build_digest.hex():
                raise SystemExit(f"{self._flash.content} is measured as {image.build_digest.hex()}")
        return super().run(stage, work)

    def _image(self, text: str) -> Any:
        digest = hashlib.sha256(text.encode()).hexdigest()
        program = SimpleNamespace(digest=digest)
        return SimpleNamespace(
            build_digest=bytes.fromhex(digest)[:8], board_id=BOARD.id, program=program, text=text
        )

    def _answer(self) -> Any:
        """INFO.  Half an image lies: the board says that it is the image that is wanted."""
        content = self._flash.content
        if content == ERASED:
            return None
        return SimpleNamespace(
            build_digest=_Whatever() if content == HALF else bytes.fromhex(content),
            board=BOARD.id,
            model_digest=_Whatever(),
            unit_id=b"REALUNIT",
        )


class _Whatever:
    """Equal to all."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True
