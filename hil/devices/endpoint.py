"""The board's end of the line, in Python: takes requests and answers them as firmware/lib/protocol does in C.

What runs behind it is a `Firmware`: anything that can say who it is and run one inference.  A simulated board
is one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from hil.protocol import (
    Decoder,
    Error,
    ErrorCode,
    Frame,
    Hello,
    Info,
    Message,
    Output,
    Profile,
    Ran,
    RanWindow,
    ReadOutput,
    ReadProfile,
    ReadSensor,
    Reset,
    Resetting,
    Run,
    RunWindow,
    StartSensor,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)
from hil.protocol.fields import BadPayload
from hil.protocol.messages import REQUESTS

_REQUEST_TYPES = frozenset(request.TYPE for request in REQUESTS)


@dataclass(frozen=True)
class Inference:
    """One inference: its output, the cycles of each operator, and the stack that it used."""

    output: bytes
    operator_cycles: tuple[int, ...]
    stack_used: int


class Firmware(Protocol):
    """What answers behind the line."""

    @property
    def info(self) -> Info:
        """Who it is."""

    def infer(self, data: bytes) -> Inference:
        """Run the model on `data`, all bytes of the input tensor."""


class Refused(Exception):
    """A request that is answered with an ERROR frame."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Endpoint:
    """Holds the state between requests: the input so far, the last output, the last profile."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware
        self._info = firmware.info
        self._start()

    def _start(self) -> None:
        self._decoder = Decoder(self._info.max_payload)
        self._input = bytearray()
        self._output: bytes | None = None
        self._profile: tuple[int, ...] | None = None

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the host; return the bytes that go back."""
        return b"".join(self._answer(frame) for frame in self._decoder.feed(data))

    def _answer(self, frame: Frame) -> bytes:
        return encode(to_frame(self._reply(frame), frame.sequence, version=self._info.protocol))

    def _reply(self, frame: Frame) -> Message:
        if frame.type not in _REQUEST_TYPES:
            return Error(ErrorCode.UNKNOWN_TYPE, f"no request 0x{frame.type:02x} here")
        if frame.type != Hello.TYPE and frame.version != self._info.protocol:
            return Error(ErrorCode.VERSION, self._versions())
        try:
            return self._serve(from_frame(frame))
        except BadPayload as error:
            return Error(ErrorCode.BAD_PAYLOAD, str(error))
        except Refused as refused:
            return Error(refused.code, refused.text)

    def _serve(self, message: Message) -> Message:
        match message:
            case Hello():
                return self._hello(message)
            case WriteInput():
                return self._write_input(message)
            case Run():
                return self._run(message)
            case ReadOutput():
                return self._read_output(message)
            case ReadProfile():
                return self._read_profile(message)
            case RunWindow():
                return self._run_window(message)
            case StartSensor() | ReadSensor():
                raise Refused(ErrorCode.NO_SENSOR, "no power sensor is attached to this board")
            case Reset():
                self._start()
                return Resetting()
            case _:
                raise Refused(ErrorCode.UNKNOWN_TYPE, f"{type(message).__name__} is no request")

    def _versions(self) -> str:
        return f"this firmware speaks version {self._info.protocol}"

    def _hello(self, message: Hello) -> Message:
        if not message.oldest <= self._info.protocol <= message.newest:
            raise Refused(ErrorCode.VERSION, self._versions())
        return self._info

    def _write_input(self, message: WriteInput) -> Message:
        end = message.offset + len(message.data)
        if end > self._info.input_bytes:
            raise Refused(ErrorCode.BAD_PAYLOAD, f"input ends at {self._info.input_bytes}, not {end}")
        if message.offset > len(self._input):
            raise Refused(ErrorCode.INPUT_GAP, f"{len(self._input)} bytes written, not {message.offset}")
        self._input[message.offset : end] = message.data
        self._output = None
        return Written(message.offset, len(message.data))

    def _use_input(self) -> Inference:
        if len(self._input) < self._info.input_bytes:
            raise Refused(
                ErrorCode.NO_INPUT, f"{len(self._input)} of {self._info.input_bytes} bytes of input written"
            )
        done = self._firmware.infer(bytes(self._input))
        # As on a real board, whose operators work in place: the input is gone.
        self._input.clear()
        self._output = done.output
        self._profile = None
        return done

    def _run(self, message: Run) -> Message:
        done = self._use_input()
        if message.flags & Run.PROFILE:
            self._profile = done.operator_cycles
        return Ran(sum(done.operator_cycles), done.stack_used)

    def _run_window(self, message: RunWindow) -> Message:
        if message.inferences == 0:
            raise Refused(ErrorCode.BAD_PAYLOAD, "a window of no inferences")
        # One inference stands for all: they are equal.
        cycles = message.inferences * sum(self._use_input().operator_cycles)
        return RanWindow(message.inferences, cycles, cycles, input_restored=1)

    def _read_output(self, message: ReadOutput) -> Message:
        if self._output is None:
            raise Refused(ErrorCode.NO_OUTPUT, "no inference was run since the last input")
        end = message.offset + message.count
        if end > len(self._output) or message.count > self._info.max_payload - 4:
            raise Refused(ErrorCode.BAD_PAYLOAD, f"output has {len(self._output)} bytes, asked up to {end}")
        return Output(message.offset, self._output[message.offset : end])

    def _read_profile(self, message: ReadProfile) -> Message:
        if self._profile is None:
            raise Refused(ErrorCode.NO_PROFILE, "the last inference was run without the profile flag")
        end = message.first + message.count
        if end > len(self._profile) or 4 * message.count > self._info.max_payload - 2:
            raise Refused(ErrorCode.BAD_PAYLOAD, f"{len(self._profile)} operators, asked up to {end}")
        return Profile(message.first, self._profile[message.first : end])


class EndpointTransport:
    """An Endpoint as a Transport: what is written is answered at once, what is answered can be read."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._waiting = b""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        self._waiting += self._endpoint.feed(data)

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived; b"" after `timeout_s`, since nothing can come without a question."""
        if not self._waiting:
            time.sleep(timeout_s)
        data, self._waiting = self._waiting, b""
        return data

    def close(self) -> None:
        """Forget what was not read."""
        self._waiting = b""
