"""Frames: how bytes on the line become messages again.  Pure: no clock, no port (docs/PROTOCOL.md).

    offset  size  field
    0       2     magic, the letters "HL"
    2       1     protocol version of the sender
    3       1     type of the message
    4       2     sequence, little-endian as all that follows
    6       2     payload length n
    8       n     payload
    8 + n   4     CRC-32 (that of zlib) over version .. payload

firmware/lib/protocol/hil_frame.c does the same in C; a test holds the two together byte for byte.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

PROTOCOL_VERSION = 2
MAGIC = b"HL"
MAX_PAYLOAD = 4096  # of any frame; a device may take less and says so in INFO
UNASKED_SEQUENCE = 0xFFFF  # of frames that answer no question (FAULT)

_HEADER = struct.Struct("<2sBBHH")
_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size
OVERHEAD_BYTES = _HEADER.size + _CRC.size


@dataclass(frozen=True)
class Frame:
    """One frame, without magic, length and CRC, which follow from the rest.

    Attributes:
        type: of the message, 0 to 255; hil.protocol.messages names them.
        sequence: 0 to 65535; a reply carries that of its question.
        payload: at most MAX_PAYLOAD bytes.
        version: protocol version of the sender.
    """

    type: int
    sequence: int
    payload: bytes
    version: int = PROTOCOL_VERSION


def encode(frame: Frame) -> bytes:
    """The bytes that go over the line.

    Raises:
        ValueError: a field is out of its range.
    """
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(frame.payload)} bytes, a frame takes at most {MAX_PAYLOAD}")
    for name, value, limit in (
        ("version", frame.version, 0xFF),
        ("type", frame.type, 0xFF),
        ("sequence", frame.sequence, 0xFFFF),
    ):
        if not 0 <= value <= limit:
            raise ValueError(f"{name} {value} of a frame, expected 0 to {limit}")
    body = _HEADER.pack(MAGIC, frame.version, frame.type, frame.sequence, len(frame.payload)) + frame.payload
    return body + _CRC.pack(crc32(body[len(MAGIC) :]))


class Decoder:
    """Takes bytes as they come, in pieces of any size, and gives the frames in them.

    Whatever is no frame is skipped.  After a bad CRC, or a length beyond `max_payload`, the search goes on
    one byte behind the beginning of the magic that misled it: a frame inside or after garbage is never lost.

    Attributes:
        skipped_bytes: bytes so far that belonged to no frame.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self._max_payload = max_payload
        self._bytes = bytearray()
        self.skipped_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes held back because they may begin a frame."""
        return len(self._bytes)

    def feed(self, data: bytes) -> list[Frame]:
        """Take `data`; return the frames that it completes, in order."""
        self._bytes += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def flush(self) -> list[Frame]:
        """After a silence: give up on what is held back; return the frames behind its broken beginning."""
        frames: list[Frame] = []
        while self._bytes:
            self._skip(1)
            frames += self.feed(b"")
        return frames

    def _next(self) -> Frame | None:
        while True:
            self._seek_magic()
            if len(self._bytes) < HEADER_BYTES:
                return None
            _, version, kind, sequence, length = _HEADER.unpack_from(self._bytes)
            if length > self._max_payload:
                self._skip(1)
                continue
            end = HEADER_BYTES + length
            if len(self._bytes) < end + _CRC.size:
                return None
            body = bytes(self._bytes[:end])
            if _CRC.unpack_from(self._bytes, end)[0] != crc32(body[len(MAGIC) :]):
                self._skip(1)
                continue
            del self._bytes[: end + _CRC.size]
            return Frame(type=kind, sequence=sequence, payload=body[HEADER_BYTES:], version=version)

    def _seek_magic(self) -> None:
        """Drop what precedes the first magic, or the first half of one at the very end."""
        found = self._bytes.find(MAGIC)
        if found < 0:
            found = len(self._bytes) - (1 if self._bytes.endswith(MAGIC[:1]) else 0)
        self._skip(found)

    def _skip(self, count: int) -> None:
        del self._bytes[:count]
        self.skipped_bytes += count
