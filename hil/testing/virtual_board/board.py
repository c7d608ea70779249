"""A faulty board: a chip behind a line and a port, all of which go wrong as planned."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from hil.devices.endpoint import Endpoint
from hil.emulator.control import Reply
from hil.protocol import (
    Error,
    Fault,
    Frame,
    Hello,
    ReadOutput,
    ReadProfile,
    Run,
    WriteInput,
)
from hil.testing.virtual_board.chip import Chip
from hil.testing.virtual_board.injector import Injector
from hil.testing.virtual_board.kinds import DURING_A_RUN, Kind, Operation
from hil.testing.virtual_board.line import Splitter, Way, damaged
from hil.testing.virtual_board.old_firmware import OldFirmware
from hil.testing.virtual_board.plan import Fate
from hil.testing.virtual_board.port import VanishingPort

_OPERATIONS = {
    Hello.TYPE: Operation.HELLO,
    WriteInput.TYPE: Operation.WRITE,
    Run.TYPE: Operation.RUN,
    ReadOutput.TYPE: Operation.READ,
    ReadProfile.TYPE: Operation.READ,
}
_LONGEST_ASKED = 1000


class FaultyBoard:
    """A board of `hil.emulator.serve.Server`.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        chip: Chip,
        port: VanishingPort,
        injector: Injector,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._chip = chip
        self._port = port
        self._injector = injector
        self._sleep = sleep
        self._there, self._back = Way(clock), Way(clock)
        self._requests, self._replies = Splitter(), Splitter()
        self._asked: dict[int, Operation] = {}  # by sequence number, until it is answered
        self._doomed: dict[int, Fate] = {}  # answers that will be damaged
        self._hung = False
        self._instead: Endpoint | None = None

    # ---- as a server sees it

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        for raw, frame in self._requests.split(data):
            if frame is None or frame.type not in _OPERATIONS:
                self._there.put(raw)
            else:
                self._request(raw, frame, _OPERATIONS[frame.type])

    def step(self) -> bytes:
        """Pass on what has arrived, and let the chip work."""
        self._port.come_back()
        self._deliver(self._there.take())
        if not self._hung and self._instead is None:
            self._hear(self._chip.step())
        return self._back.take()

    def wait_s(self) -> float | None:
        """Until something happens by itself."""
        waits = [self._there.wait_s(), self._back.wait_s(), self._port.wait_s()]
        if not self._hung and self._instead is None:
            waits.append(self._chip.wait_s())
        return min((wait for wait in waits if wait is not None), default=None)

    def flash(self, elf: bytes) -> str | None:
        """Take a new image, or not."""
        self._injector.image(hashlib.sha256(elf).hexdigest())
        fate = self._injector.fate(Operation.FLASH)
        self._start_again()
        if fate is None:
            error = self._chip.flash(elf)
            if error is None:
                self._injector.succeeded(Operation.FLASH)
            return error
        return self._misflash(elf, fate)

    def status(self) -> Reply:
        """How the emulation is."""
        return self._chip.status()

    # ---- flashing that goes wrong

    def _misflash(self, elf: bytes, fate: Fate) -> str | None:
        match fate.kind:
            case Kind.OLD_IMAGE:
                self._chip.reset()
                if self._chip.image == elf:  # the old image is the new one
                    self._injector.succeeded(Operation.FLASH)
                return None
            case Kind.OLD_FIRMWARE:
                self._chip.erase()
                self._instead = Endpoint(OldFirmware())
                return None
            case Kind.FLASH_STALLS:
                self._chip.erase()
                self._sleep(fate.stall_s)
                return "the programmer lost the target"
            case _:
                self._chip.erase()
                return "verification failed: flash differs from the image"

    # ---- the line

    def _request(self, raw: bytes, frame: Frame, operation: Operation) -> None:
        fate = self._injector.fate(operation)
        if len(self._asked) >= _LONGEST_ASKED:
            self._asked.clear()
        self._asked[frame.sequence] = operation
        if fate is None:
            self._there.put(raw)
        elif fate.kind is Kind.PORT_VANISHES:
            self._back.clear()
            self._port.vanish(fate.away_s)
        elif fate.kind in DURING_A_RUN:
            self._hit(raw, fate)
        elif fate.dice.random() < 0.5:
            self._doomed[frame.sequence] = fate
            self._there.put(raw)
        else:
            self._send(self._there, raw, fate)

    def _send(self, way: Way, raw: bytes, fate: Fate) -> bytes:
        """Send `raw` as `fate` has it; returns what is sent."""
        delay_s = fate.delay_s if fate.kind is Kind.DELAYED_BYTES else 0.0
        sent = damaged(raw, fate.kind, fate.dice)
        way.put(sent, delay_s=delay_s)
        return sent

    def _deliver(self, data: bytes) -> None:
        if not data or self._hung:
            return
        if self._instead is not None:
            self._hear(self._instead.feed(data))
        else:
            self._chip.receive(data)

    def _hear(self, data: bytes) -> None:
        for raw, frame in self._replies.split(data):
            if frame is None:
                self._back.put(raw)
            else:
                self._reply(raw, frame)

    def _reply(self, raw: bytes, frame: Frame) -> None:
        fate = self._doomed.pop(frame.sequence, None)
        operation = self._asked.pop(frame.sequence, None)
        arrives = True
        if fate is None:
            self._back.put(raw)
        else:
            arrives = raw in self._send(self._back, raw, fate)
        if operation is not None and arrives and frame.type not in (Error.TYPE, Fault.TYPE):
            self._injector.succeeded(operation)

    # ---- the chip

    def _hit(self, raw: bytes, fate: Fate) -> None:
        """Strike while the inference that `raw` asks for is under way."""
        self._deliver(self._there.take() + raw)
        if self._hung or self._instead is not None:
            return
        self._chip.run_into_inference(fate.dice)
        match fate.kind:
            case Kind.RESET:
                self._chip.reset()
            case Kind.HARD_FAULT:
                self._chip.crash()
            case Kind.BROWN_OUT:
                self._back.put(self._replies.flush() + fate.dice.randbytes(3))  # the line sags, too
                self._chip.cut_power()
            case _:
                self._hung = True
        self._back.put(self._replies.flush())

    def _start_again(self) -> None:
        """What a flash does beside: the chip is reset, and what was on the line is gone."""
        self._hung = False
        self._instead = None
        self._asked.clear()
        self._doomed.clear()
        self._there.clear()
        self._back.clear()
        self._requests, self._replies = Splitter(), Splitter()
