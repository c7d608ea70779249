"""One question and its answer over a Transport: sequence numbers, deadlines, repetition, faults.

What the questions mean, and which of them may be repeated, is hil.link's concern.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Collection
from typing import TypeVar

from hil.device import Transport
from hil.errors import BadFrame, DeviceError, DeviceFault, DeviceRefused, DeviceTimeout, VersionMismatch
from hil.protocol import (
    MAX_PAYLOAD,
    OVERHEAD_BYTES,
    PROTOCOL_VERSION,
    UNASKED_SEQUENCE,
    BadPayload,
    Decoder,
    Error,
    ErrorCode,
    Fault,
    Frame,
    Message,
    encode,
    from_frame,
    to_frame,
)
from hil.protocol.faults import describe_fault, fault_remedy

OLDEST_VERSION = PROTOCOL_VERSION
"""The oldest protocol version that this host still speaks."""

_Reply = TypeVar("_Reply", bound=Message)

_UPDATE = "update this package: pip install -U hilnas"
_FLASH_AGAIN = "flash the board again with this version: hilnas measure MODEL --device "
_REMEDIES: dict[int, str] = {
    ErrorCode.NO_INPUT: "write the whole input before each run",
    ErrorCode.NO_OUTPUT: "run first; if that was done, the board has restarted: check its power supply",
    ErrorCode.NO_PROFILE: "run with profile=True; a model with more operators than the firmware has room "
    "for needs a build with a larger HIL_PROFILE_MAX",
    ErrorCode.NO_SENSOR: "check the sensor's wires (SDA, SCL, supply, GND) and address; --meter ina226 "
    "builds the driver in, on boards that docs/energy.md names",
}


class Exchange:
    """Asks, and waits for the answer to what it asked.

    Args:
        transport: stays the caller's, who closes it.
        device: as the user named it, for error texts.
        reply_timeout_s: silence after which a question is asked again.
        retries: how often it is asked again, at most.
        clock: seconds, monotonic.
        first_sequence: 0 to 65534; None for a random one, so that answers which an earlier conversation left
            in a buffer are not taken for ours.

    Attributes:
        longest_payload: that the firmware takes, as far as is known.
    """

    def __init__(
        self,
        transport: Transport,
        device: str,
        *,
        reply_timeout_s: float,
        retries: int,
        clock: Callable[[], float],
        first_sequence: int | None,
    ) -> None:
        self.device = device
        self.reply_timeout_s = reply_timeout_s
        self.retries = retries
        self.clock = clock
        self.longest_payload = MAX_PAYLOAD
        self._transport = transport
        self._sequence = secrets.randbelow(UNASKED_SEQUENCE) if first_sequence is None else first_sequence
        self._decoder = Decoder()
        self._frames: deque[Frame] = deque()

    def ask(
        self, question: Message, expected: type[_Reply], deadline: float, *, forgive_fault: bool = False
    ) -> _Reply:
        """Ask until an answer comes; any of the attempts may be the one answered, since all ask the same.

        Args:
            deadline: on the clock, of all attempts together.
            forgive_fault: a FAULT is no more than a reason to ask again; it is raised if no answer follows.

        Raises:
            DeviceTimeout, BadFrame, DeviceRefused, DeviceFault, VersionMismatch: see hil.link.Link.
        """
        skipped_before = self._decoder.skipped_bytes
        sequences: set[int] = set()
        fault: DeviceFault | None = None
        for attempt in range(self.retries + 1):
            if attempt:
                self.clear_line()
            sequences.add(self.send(question))
            try:
                frame = self.wait(sequences, min(deadline, self.clock() + self.reply_timeout_s))
            except DeviceFault as error:
                if not forgive_fault:
                    raise
                fault = error
            else:
                if frame is not None:
                    return self.check(frame, expected)
            if self.clock() >= deadline:
                break
        if fault is not None:
            raise fault
        name = f"{type(question).__name__}, asked {len(sequences)} times"
        skipped = self._decoder.skipped_bytes - skipped_before
        if skipped:
            raise BadFrame(
                f"{skipped} bytes that are no valid frame came, and no answer to {name}",
                device=self.device,
                remedy="check the baud rate, the cable, and that this firmware runs on the board",
            )
        raise self.silence(f"no answer to {name}")

    def send(self, question: Message) -> int:
        """Send `question` under the next sequence number, and return that."""
        self._sequence = (self._sequence + 1) % UNASKED_SEQUENCE
        self._transport.write(encode(to_frame(question, self._sequence)))
        return self._sequence

    def clear_line(self) -> None:
        """Fill up whatever broken frame the firmware still waits for: zeros never begin a frame."""
        self._transport.write(bytes(self.longest_payload + OVERHEAD_BYTES))

    def wait(self, sequences: Collection[int], until: float) -> Frame | None:
        """The next frame that answers one of `sequences`; None where `until` passes first.

        Raises:
            DeviceFault: the processor faulted.
        """
        while True:
            while self._frames:
                frame = self._frames.popleft()
                if frame.type == Fault.TYPE:
                    raise self._fault(self._parse(frame))
                if frame.sequence in sequences:
                    return frame
            left = until - self.clock()
            if left > 0:
                self._frames += self._decoder.feed(self._transport.read(left))
            elif self._decoder.pending_bytes:
                self._frames += self._decoder.flush()
            else:
                return None

    def check(self, frame: Frame, expected: type[_Reply]) -> _Reply:
        """The message in `frame`, which has to be an `expected`.

        Raises:
            BadFrame, DeviceRefused, VersionMismatch.
        """
        if not OLDEST_VERSION <= frame.version <= PROTOCOL_VERSION:
            raise self._mismatch(frame.version)
        message = self._parse(frame)
        if isinstance(message, expected):
            return message
        if isinstance(message, Error):
            raise self._refusal(message)
        raise BadFrame(f"{type(message).__name__} came, expected {expected.__name__}", device=self.device)

    def silence(self, message: str) -> DeviceTimeout:
        """The error for an answer that did not come."""
        return DeviceTimeout(
            message, device=self.device, remedy="check the cable and the power, then reset the board"
        )

    def unfit(self, question: Message, answer: Message) -> BadFrame:
        """The error for an answer that is not about what was asked."""
        return BadFrame(f"{answer} does not answer {question}", device=self.device)

    def _parse(self, frame: Frame) -> Message:
        try:
            return from_frame(frame)
        except BadPayload as error:
            raise BadFrame(f"a frame that cannot be read: {error}", device=self.device) from error

    def _mismatch(self, firmware: int) -> VersionMismatch:
        host = f"{OLDEST_VERSION}" + (f" to {PROTOCOL_VERSION}" if OLDEST_VERSION < PROTOCOL_VERSION else "")
        older = "host" if firmware > PROTOCOL_VERSION else "firmware"
        return VersionMismatch(
            f"the firmware speaks protocol version {firmware}, this host {host}: the {older} is too old",
            device=self.device,
            remedy=_UPDATE if older == "host" else _FLASH_AGAIN + self.device,
        )

    def _refusal(self, error: Error) -> DeviceError:
        if error.code == ErrorCode.VERSION:
            return VersionMismatch(
                f"refused this host's protocol version: {error.text}",
                device=self.device,
                remedy=_FLASH_AGAIN + self.device,
            )
        try:
            name = f", {ErrorCode(error.code).name}"
        except ValueError:  # of a newer firmware
            name = ""
        return DeviceRefused(
            f"refused: {error.text} (code {error.code}{name})",
            device=self.device,
            code=error.code,
            remedy=_REMEDIES.get(error.code),
        )

    def _fault(self, fault: Message) -> DeviceFault:
        if not isinstance(fault, Fault):
            raise TypeError(f"{fault!r}, expected a Fault")
        return DeviceFault(
            describe_fault(fault),
            device=self.device,
            registers=fault.registers,
            remedy=fault_remedy(fault),
        )
