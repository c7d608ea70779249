"""The C decoder and encoder of frames at a test's fingertips."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from hil.protocol import Frame

_RECORD = struct.Struct("<BBHH")


class FrameDriver:
    """The C code as a program (host_protocol/frame_driver.c)."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def _run(self, mode: str, data: bytes) -> bytes:
        done = subprocess.run([self._program, mode], input=data, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def decode(self, pieces: list[bytes]) -> list[Frame]:
        """The frames that the C decoder finds in `pieces`."""
        out = self._run("decode", b"".join(struct.pack("<H", len(piece)) + piece for piece in pieces))
        found = []
        while out:
            version, kind, sequence, length = _RECORD.unpack_from(out)
            payload, out = out[_RECORD.size :][:length], out[_RECORD.size + length :]
            found.append(Frame(kind, sequence, payload, version))
        return found

    def encode(self, sent: list[Frame]) -> bytes:
        """What the C encoder makes of `sent`, whose version is its own."""
        records = (struct.pack("<BHH", f.type, f.sequence, len(f.payload)) + f.payload for f in sent)
        return self._run("encode", b"".join(records))

    def crc(self, data: bytes) -> int:
        """CRC-32 of `data`, byte by byte."""
        return int.from_bytes(self._run("crc", data), "little")
