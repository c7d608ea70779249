"""Kinds of fields in a message: how each is written to the line and read back.  Little-endian throughout."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class BadPayload(ValueError):
    """A payload that cannot be read, or a value that cannot be written."""


class FieldType(ABC):
    """One kind of field.  `text` is what the documentation calls it."""

    text: str

    @abstractmethod
    def pack(self, value: Any) -> bytes:
        """The bytes of `value`.  Raises BadPayload where it has none."""

    @abstractmethod
    def unpack(self, data: bytes) -> tuple[Any, bytes]:
        """The value at the beginning of `data`, and what follows it.  Raises BadPayload."""


def _take(data: bytes, count: int) -> tuple[bytes, bytes]:
    if len(data) < count:
        raise BadPayload(f"{len(data)} bytes left, expected {count}")
    return data[:count], data[count:]


class Integer(FieldType):
    """An integer of one of struct's codes."""

    def __init__(self, text: str, code: str) -> None:
        self.text = text
        self._struct = struct.Struct("<" + code)

    def pack(self, value: Any) -> bytes:
        try:
            return self._struct.pack(value)
        except struct.error as error:
            raise BadPayload(f"{value!r} is no {self.text}") from error

    def unpack(self, data: bytes) -> tuple[int, bytes]:
        own, rest = _take(data, self._struct.size)
        return int(self._struct.unpack(own)[0]), rest


class Tristate(FieldType):
    """i8: 1 is True, 0 is False, -1 is None."""

    text = "i8 (1, 0, -1)"
    _VALUES: Mapping[int, bool | None] = {1: True, 0: False, 0xFF: None}

    def pack(self, value: Any) -> bytes:
        for code, meaning in self._VALUES.items():
            if meaning is value:
                return bytes([code])
        raise BadPayload(f"{value!r}, expected True, False or None")

    def unpack(self, data: bytes) -> tuple[bool | None, bytes]:
        own, rest = _take(data, 1)
        if own[0] not in self._VALUES:
            raise BadPayload(f"0x{own[0]:02x}, expected 0x01, 0x00 or 0xff")
        return self._VALUES[own[0]], rest


class FixedBytes(FieldType):
    """A fixed number of bytes."""

    def __init__(self, count: int) -> None:
        self.text = f"{count} bytes"
        self._count = count

    def pack(self, value: Any) -> bytes:
        if len(value) != self._count:
            raise BadPayload(f"{len(value)} bytes, expected {self._count}")
        return bytes(value)

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        return _take(data, self._count)


class Digest(FieldType):
    """32 bytes, as 64 hexadecimal digits in Python."""

    text = "32 bytes"

    def pack(self, value: Any) -> bytes:
        try:
            digest = bytes.fromhex(value)
        except ValueError as error:
            raise BadPayload(f"{value!r}, expected 64 hexadecimal digits") from error
        if len(digest) != 32:
            raise BadPayload(f"{value!r}, expected 64 hexadecimal digits")
        return digest

    def unpack(self, data: bytes) -> tuple[str, bytes]:
        own, rest = _take(data, 32)
        return own.hex(), rest


class ShortText(FieldType):
    """UTF-8 behind a byte with its length."""

    text = "str8"

    def pack(self, value: Any) -> bytes:
        text = str(value).encode()
        if len(text) > 0xFF:
            raise BadPayload(f"text of {len(text)} bytes, expected at most 255")
        return bytes([len(text)]) + text

    def unpack(self, data: bytes) -> tuple[str, bytes]:
        length, rest = _take(data, 1)
        own, rest = _take(rest, length[0])
        return _text(own), rest


class Rest(FieldType):
    """All bytes to the end of the payload."""

    text = "bytes"

    def pack(self, value: Any) -> bytes:
        return bytes(value)

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""


class RestText(FieldType):
    """UTF-8 to the end of the payload."""

    text = "utf-8"

    def pack(self, value: Any) -> bytes:
        return str(value).encode()

    def unpack(self, data: bytes) -> tuple[str, bytes]:
        return _text(data), b""


class RestIntegers(FieldType):
    """u32 after u32 to the end of the payload."""

    text = "u32 * n"

    def pack(self, value: Any) -> bytes:
        try:
            return struct.pack(f"<{len(value)}I", *value)
        except struct.error as error:
            raise BadPayload(f"{value!r} holds something that is no u32") from error

    def unpack(self, data: bytes) -> tuple[tuple[int, ...], bytes]:
        if len(data) % 4:
            raise BadPayload(f"{len(data)} bytes, expected a multiple of 4")
        return struct.unpack(f"<{len(data) // 4}I", data), b""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadPayload("bytes that are no UTF-8") from error


FIELD_TYPES: Mapping[str, FieldType] = {
    "u8": Integer("u8", "B"),
    "u16": Integer("u16", "H"),
    "u32": Integer("u32", "I"),
    "u64": Integer("u64", "Q"),
    "i64": Integer("i64", "q"),
    "tri8": Tristate(),
    "bytes8": FixedBytes(8),
    "digest32": Digest(),
    "str8": ShortText(),
    "bytes": Rest(),
    "text": RestText(),
    "u32s": RestIntegers(),
}
