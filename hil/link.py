"""The host's end of the line: asks the firmware over a Transport and takes no answer for granted.

Each call has a deadline and a bounded number of attempts.  A question that stays unanswered is asked again
under a new sequence number; answers to older questions are dropped.  RUN is never simply repeated, since a
run overwrites its input: the input is written again first.  So a call gives the right result or raises,
whatever the line does.

    link = Link(device.connect(), device.name)
    info = link.hello()
    link.write_input(data)
    cycles, stack_used = link.run()
    output = link.read_output()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from hil.device import Transport
from hil.errors import BadFrame, DeviceError, DeviceRefused, DeviceTimeout, InputError
from hil.exchange import OLDEST_VERSION, Exchange
from hil.protocol import (
    PROTOCOL_VERSION,
    ErrorCode,
    Hello,
    Info,
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
    Sensor,
    StartSensor,
    WriteInput,
    Written,
)

_OFFSET_BYTES = 4  # in front of the data in WRITE_INPUT and OUTPUT
_FIRST_BYTES = 2  # in front of the cycles in PROFILE
_CYCLES_BYTES = 4
_Used = TypeVar("_Used", Ran, RanWindow)
_HELLO = Hello(oldest=OLDEST_VERSION, newest=PROTOCOL_VERSION)


class RunResult(NamedTuple):
    """What one inference took: `cycles` of the operators alone, `stack_used` bytes at the deepest."""

    cycles: int
    stack_used: int


class Link:
    """A conversation with the firmware behind `transport`.

    Args:
        transport: stays the caller's, who closes it.
        device: as the user named it, for error texts.
        reply_timeout_s: silence after which a question is asked again.
        retries: how often it is asked again, at most.
        clock: seconds, monotonic.
        first_sequence: 0 to 65534; None for a random one, which tells our answers from those that an earlier
            conversation left in a buffer.

    All methods raise:
        DeviceTimeout: no answer within the deadline, or to none of the attempts.
        BadFrame: bytes came, but no valid frame; or an answer that does not fit its question.
        DeviceRefused: the firmware answered with an error.
        DeviceFault: the processor faulted.
        VersionMismatch: host and firmware share no protocol version.
    """

    def __init__(
        self,
        transport: Transport,
        device: str,
        *,
        reply_timeout_s: float = 2.0,
        retries: int = 3,
        clock: Callable[[], float] = time.monotonic,
        first_sequence: int | None = None,
    ) -> None:
        self._exchange = Exchange(
            transport,
            device,
            reply_timeout_s=reply_timeout_s,
            retries=retries,
            clock=clock,
            first_sequence=first_sequence,
        )
        self._device = device
        self._retries = retries
        self._clock = clock
        self._info: Info | None = None
        self._input: bytes | None = None  # written, and not yet used up by a run

    def hello(self, *, timeout_s: float = 10.0) -> Info:
        """Ask the firmware who it is.

        A fault is raised only if no answer follows it: it may be an old report from a buffer, or the
        firmware's last word before it restarts.
        """
        info = self._exchange.ask(_HELLO, Info, self._clock() + timeout_s, forgive_fault=True)
        self._info = info
        self._exchange.longest_payload = info.max_payload
        return info

    def write_input(self, data: bytes, *, timeout_s: float = 60.0) -> None:
        """Write the whole input tensor.

        Args:
            data: `Info.input_bytes` bytes; int8 in C order.

        Raises:
            InputError: wrong size.
        """
        info = self._info or self.hello()
        if len(data) != info.input_bytes:
            raise InputError(
                f"input of {len(data)} bytes, the model on {self._device} takes {info.input_bytes}",
                remedy="hand in one sample, quantized to int8",
            )
        self._input = None
        self._write(data, info, self._clock() + timeout_s)
        self._input = bytes(data)

    def run(self, *, profile: bool = False, timeout_s: float = 120.0) -> RunResult:
        """Run one inference on the input written since the last run.

        Args:
            profile: count each operator too, for `read_profile`.
            timeout_s: deadline of all attempts together, and so of a board that says nothing at all.
        """
        ran = self._use_input(
            Run(Run.PROFILE if profile else 0), Ran, timeout_s, self._exchange.reply_timeout_s
        )
        return RunResult(ran.cycles, ran.stack_used)

    def run_window(self, inferences: int, *, expected_s: float, timeout_s: float) -> RanWindow:
        """Run many inferences back to back on the input written, the trigger pin high all the while.

        Args:
            expected_s: how long it will take, more or less.  The line is left alone for so long: what comes
                in would wake the board, and be metered.
            timeout_s: as for `run`.
        """
        patience_s = expected_s + self._exchange.reply_timeout_s
        return self._use_input(RunWindow(inferences), RanWindow, timeout_s, patience_s)

    def start_sensor(self, kind: int, address: int, *, timeout_s: float = 10.0) -> Sensor:
        """Let a power sensor on the board's I2C bus convert; `StartSensor` has the kinds."""
        return self._exchange.ask(StartSensor(kind, address), Sensor, self._clock() + timeout_s)

    def read_sensor(self, *, timeout_s: float = 10.0) -> Sensor:
        """What the sensor gave during the last window; where none was run since its start, just now."""
        return self._exchange.ask(ReadSensor(), Sensor, self._clock() + timeout_s)

    def _use_input(
        self, question: Run | RunWindow, expected: type[_Used], timeout_s: float, patience_s: float
    ) -> _Used:
        """Ask what uses the input up; after a loss the input is written again first."""
        info = self._info or self.hello()
        deadline = self._clock() + timeout_s
        data, self._input = self._input, None
        for attempt in range(self._retries + 1):
            if attempt and data is not None:
                self._write(data, info, deadline)
            try:
                return self._ask_once(question, expected, deadline, patience_s)
            except (DeviceTimeout, BadFrame, DeviceRefused) as error:
                lost = not isinstance(error, DeviceRefused) or error.code == ErrorCode.NO_INPUT
                if data is None or not lost or self._clock() >= deadline:
                    raise
                last: DeviceError = error
        raise last

    def read_output(self, count: int | None = None, *, timeout_s: float = 30.0) -> bytes:
        """Read the first `count` bytes of the output of the last run; all of it by default."""
        info = self._info or self.hello()
        deadline = self._clock() + timeout_s
        wanted = info.output_bytes if count is None else count
        output = bytearray()
        while len(output) < wanted:
            size = min(wanted - len(output), info.max_payload - _OFFSET_BYTES)
            question = ReadOutput(len(output), size)
            piece = self._exchange.ask(question, Output, deadline)
            if piece.offset != question.offset or len(piece.data) != size:
                raise self._exchange.unfit(question, piece)
            output += piece.data
        return bytes(output)

    def read_profile(self, count: int | None = None, *, timeout_s: float = 30.0) -> tuple[int, ...]:
        """Read the cycles of the first `count` operators in the last run; of all by default."""
        info = self._info or self.hello()
        deadline = self._clock() + timeout_s
        wanted = info.operator_count if count is None else count
        cycles: list[int] = []
        while len(cycles) < wanted:
            size = min(wanted - len(cycles), (info.max_payload - _FIRST_BYTES) // _CYCLES_BYTES)
            question = ReadProfile(len(cycles), size)
            piece = self._exchange.ask(question, Profile, deadline)
            if piece.first != question.first or len(piece.cycles) != size:
                raise self._exchange.unfit(question, piece)
            cycles += piece.cycles
        return tuple(cycles)

    def reset(self, *, timeout_s: float = 10.0) -> None:
        """Restart the firmware.  The next call begins with a HELLO."""
        self._exchange.ask(Reset(), Resetting, self._clock() + timeout_s)
        self._info = None
        self._input = None

    def _write(self, data: bytes, info: Info, deadline: float) -> None:
        """Write `data`; from the beginning again where the firmware has lost the beginning (it restarted)."""
        size = info.max_payload - _OFFSET_BYTES
        restarts = 0
        offset = 0
        while offset < len(data):
            question = WriteInput(offset, data[offset : offset + size])
            try:
                answer = self._exchange.ask(question, Written, deadline)
            except DeviceRefused as error:
                if error.code != ErrorCode.INPUT_GAP or restarts == self._retries:
                    raise
                restarts += 1
                offset = 0
                continue
            if (answer.offset, answer.count) != (offset, len(question.data)):
                raise self._exchange.unfit(question, answer)
            offset += answer.count

    def _ask_once(
        self, question: Run | RunWindow, expected: type[_Used], deadline: float, patience_s: float
    ) -> _Used:
        """One RUN or RUN_WINDOW, never repeated.

        After each silence a HELLO tells a long run from a lost answer: the firmware answers in order, so an
        INFO without a RAN before it means that the RUN or its RAN was lost.  The second HELLO comes behind
        zeros, in case that the RUN was damaged into the beginning of a longer frame.

        Args:
            patience_s: how long the first silence may be.
        """
        exchange = self._exchange
        run = exchange.send(question)
        probes: set[int] = set()
        while True:
            silence_s = exchange.reply_timeout_s if probes else patience_s
            frame = exchange.wait({run, *probes}, min(deadline, self._clock() + silence_s))
            if frame is not None and frame.sequence == run:
                return exchange.check(frame, expected)
            if frame is not None:
                raise exchange.silence("RUN stayed without an answer, a later question did not")
            if self._clock() >= deadline:
                exchange.clear_line()
                raise exchange.silence("no answer to RUN, nor to any HELLO since: it hangs")
            if len(probes) == 1:
                exchange.clear_line()
            probes.add(exchange.send(_HELLO))
