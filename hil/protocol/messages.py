"""Messages: what the payload of each frame means.  Pure (docs/PROTOCOL.md).

Each message is a frozen dataclass whose `LAYOUT` lists its fields in the order of the line; `to_frame` and
`from_frame` follow it.  Requests (type below 0x80) go from host to device, replies come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, TypeAlias

from hil.protocol.fields import FIELD_TYPES, BadPayload
from hil.protocol.frames import PROTOCOL_VERSION, Frame

Layout: TypeAlias = tuple[tuple[str, str], ...]


class ErrorCode(IntEnum):
    """Why the firmware refused a request."""

    VERSION = 1  # the versions of host and firmware do not overlap
    UNKNOWN_TYPE = 2  # no such request in this firmware
    BAD_PAYLOAD = 3  # wrong length, or a value out of range
    NO_INPUT = 4  # RUN without a complete input written since the last RUN
    NO_OUTPUT = 5  # READ_OUTPUT without a RUN since the last WRITE_INPUT
    NO_PROFILE = 6  # READ_PROFILE without a profiled RUN, or more operators than the firmware has room for
    INPUT_GAP = 7  # WRITE_INPUT beyond what has been written so far
    NO_SENSOR = 8  # no power sensor in this build, none started, or it does not answer


@dataclass(frozen=True)
class Message:
    """Base of all messages."""

    TYPE: ClassVar[int]
    LAYOUT: ClassVar[Layout] = ()


@dataclass(frozen=True)
class Hello(Message):
    """Who are you?  Names the versions that the host speaks; starts the sequence numbers anew."""

    TYPE = 0x01
    LAYOUT = (("oldest", "u8"), ("newest", "u8"))
    oldest: int
    newest: int


@dataclass(frozen=True)
class WriteInput(Message):
    """Write a piece of the input tensor, from the first byte on, without gaps."""

    TYPE = 0x02
    LAYOUT = (("offset", "u32"), ("data", "bytes"))
    offset: int
    data: bytes


@dataclass(frozen=True)
class Run(Message):
    """Run one inference on the input written.  `flags`: PROFILE also counts each operator."""

    TYPE = 0x03
    LAYOUT = (("flags", "u8"),)
    PROFILE: ClassVar[int] = 0x01
    flags: int


@dataclass(frozen=True)
class ReadOutput(Message):
    """Read `count` bytes of the output tensor from `offset` on."""

    TYPE = 0x04
    LAYOUT = (("offset", "u32"), ("count", "u16"))
    offset: int
    count: int


@dataclass(frozen=True)
class ReadProfile(Message):
    """Read the cycles of `count` operators from `first` on, of the last RUN if it was profiled."""

    TYPE = 0x05
    LAYOUT = (("first", "u16"), ("count", "u16"))
    first: int
    count: int


@dataclass(frozen=True)
class Reset(Message):
    """Restart the firmware."""

    TYPE = 0x06


@dataclass(frozen=True)
class RunWindow(Message):
    """Run `inferences` back to back on the input written, the trigger pin high all the while."""

    TYPE = 0x07
    LAYOUT = (("inferences", "u32"),)
    inferences: int


@dataclass(frozen=True)
class StartSensor(Message):
    """Let the power sensor of this kind at this I2C address convert, and forget what it gave before."""

    TYPE = 0x08
    LAYOUT = (("kind", "u8"), ("address", "u8"))
    INA219: ClassVar[int] = 1
    INA226: ClassVar[int] = 2
    kind: int
    address: int


@dataclass(frozen=True)
class ReadSensor(Message):
    """What has the sensor given: during the window since it was started, else just now."""

    TYPE = 0x09


@dataclass(frozen=True)
class Info(Message):
    """Who the firmware is.

    Attributes:
        protocol: version that it speaks.
        instruction_cache: True on, False off, None where the core has none.
        max_payload: largest payload that it takes, and gives in OUTPUT and PROFILE.
        clock_hz: of the counter behind all cycles.
        arena_bytes, input_bytes, output_bytes, operator_count: of its model.
        stack_size: bytes that the linker reserves for the stack.
        model_digest: SHA-256 (hex) of the .tflite file.
        build_digest: 8 bytes that tell one build from another (hil.firmware.images.build_digest); zeros where
            the firmware was built by hand.
        unit_id: 8 bytes that name this very unit; b"EMULATED" for an emulated one, zeros where there is none.
        firmware_version: of the core, e.g. "0.1.0".
        board: id of the board profile, e.g. "nrf52840_dk".
    """

    TYPE = 0x81
    LAYOUT = (
        ("protocol", "u8"),
        ("instruction_cache", "tri8"),
        ("max_payload", "u16"),
        ("clock_hz", "u32"),
        ("arena_bytes", "u32"),
        ("input_bytes", "u32"),
        ("output_bytes", "u32"),
        ("stack_size", "u32"),
        ("operator_count", "u16"),
        ("model_digest", "digest32"),
        ("build_digest", "bytes8"),
        ("unit_id", "bytes8"),
        ("firmware_version", "str8"),
        ("board", "str8"),
    )
    protocol: int
    instruction_cache: bool | None
    max_payload: int
    clock_hz: int
    arena_bytes: int
    input_bytes: int
    output_bytes: int
    stack_size: int
    operator_count: int
    model_digest: str
    build_digest: bytes
    unit_id: bytes
    firmware_version: str
    board: str


@dataclass(frozen=True)
class Written(Message):
    """`count` bytes were written at `offset`."""

    TYPE = 0x82
    LAYOUT = (("offset", "u32"), ("count", "u16"))
    offset: int
    count: int


@dataclass(frozen=True)
class Ran(Message):
    """One inference is done: `cycles` of the operators alone, `stack_used` bytes of stack at the deepest."""

    TYPE = 0x83
    LAYOUT = (("cycles", "u32"), ("stack_used", "u32"))
    cycles: int
    stack_used: int


@dataclass(frozen=True)
class Output(Message):
    """A piece of the output tensor."""

    TYPE = 0x84
    LAYOUT = (("offset", "u32"), ("data", "bytes"))
    offset: int
    data: bytes


@dataclass(frozen=True)
class Profile(Message):
    """Cycles of operators `first`, `first` + 1, ... of the last RUN."""

    TYPE = 0x85
    LAYOUT = (("first", "u16"), ("cycles", "u32s"))
    first: int
    cycles: tuple[int, ...]


@dataclass(frozen=True)
class Resetting(Message):
    """The last word before a restart."""

    TYPE = 0x86


@dataclass(frozen=True)
class RanWindow(Message):
    """The window is done.

    Attributes:
        cycles: of the operators of all its inferences, counted as RAN counts them.
        window_cycles: from the trigger's rise to its fall.
        input_restored: 1 where each inference ran on the input written, 0 where later ones ran on what the
            first left there.
    """

    TYPE = 0x87
    LAYOUT = (("inferences", "u32"), ("cycles", "u64"), ("window_cycles", "u64"), ("input_restored", "u8"))
    inferences: int
    cycles: int
    window_cycles: int
    input_restored: int


@dataclass(frozen=True)
class Sensor(Message):
    """What the power sensor gave: `samples` results, whose raw shunt registers add up to `shunt_sum`.

    `bus` is the bus voltage, raw, as read last.
    """

    TYPE = 0x88
    LAYOUT = (("samples", "u32"), ("shunt_sum", "i64"), ("bus", "u16"))
    samples: int
    shunt_sum: int
    bus: int


@dataclass(frozen=True)
class Error(Message):
    """The request was refused; `code` is an ErrorCode, or one that a newer firmware knows."""

    TYPE = 0xE0
    LAYOUT = (("code", "u8"), ("text", "text"))
    code: int
    text: str


@dataclass(frozen=True)
class Fault(Message):
    """The processor faulted; sent unasked.

    Attributes:
        kind: number of the Cortex-M exception: 2 NMI, 3 hard fault, 4 memory management, 5 bus, 6 usage.
        r0 .. psr: as stacked at the fault; cfsr .. bfar: the fault status registers of the core.
    """

    TYPE = 0xE1
    REGISTERS: ClassVar[tuple[str, ...]] = (
        "r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr", "cfsr", "hfsr", "mmfar", "bfar",
    )  # fmt: skip
    LAYOUT = (("kind", "u8"), *((name, "u32") for name in REGISTERS))
    kind: int
    r0: int
    r1: int
    r2: int
    r3: int
    r12: int
    lr: int
    pc: int
    psr: int
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int

    @property
    def registers(self) -> dict[str, int]:
        """Register name -> value."""
        return {name: getattr(self, name) for name in self.REGISTERS}


REQUESTS: tuple[type[Message], ...] = (
    Hello, WriteInput, Run, ReadOutput, ReadProfile, Reset, RunWindow, StartSensor, ReadSensor,
)  # fmt: skip
REPLIES: tuple[type[Message], ...] = (
    Info, Written, Ran, Output, Profile, Resetting, RanWindow, Sensor, Error, Fault,
)  # fmt: skip
_BY_TYPE = {message.TYPE: message for message in (*REQUESTS, *REPLIES)}


def to_frame(message: Message, sequence: int, *, version: int = PROTOCOL_VERSION) -> Frame:
    """Pack `message`.

    Raises:
        ValueError: a field is out of its range.
    """
    payload = bytearray()
    for name, kind in message.LAYOUT:
        try:
            payload += FIELD_TYPES[kind].pack(getattr(message, name))
        except BadPayload as error:
            raise BadPayload(f"{type(message).__name__}.{name}: {error}") from error
    return Frame(type=message.TYPE, sequence=sequence, payload=bytes(payload), version=version)


def from_frame(frame: Frame) -> Message:
    """Unpack the message in `frame`.  Only a HELLO may be longer than this version knows.

    Raises:
        BadPayload: unknown type, wrong length, or a value that the field cannot have.
    """
    message = _BY_TYPE.get(frame.type)
    if message is None:
        raise BadPayload(f"unknown message type 0x{frame.type:02x}")
    values: dict[str, Any] = {}
    rest = frame.payload
    for name, kind in message.LAYOUT:
        try:
            values[name], rest = FIELD_TYPES[kind].unpack(rest)
        except BadPayload as error:
            raise BadPayload(f"{message.__name__}.{name}: {error}") from error
    if rest and message is not Hello:
        raise BadPayload(f"{message.__name__}: {len(rest)} bytes too many")
    return message(**values)
