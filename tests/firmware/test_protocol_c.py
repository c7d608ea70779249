"""The frames in C are the frames in Python, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.protocol import MAX_PAYLOAD, OVERHEAD_BYTES, Decoder, Frame, encode
from tests.firmware.host_protocol import build_frame_driver
from tests.hil.frame_streams import frames, split, streams
from tests.hil.golden_frames import golden_frames

SMALL = 64
"""Payload that the decoder under test takes: small, so that streams meet its end often."""

_RECORD = struct.Struct("<BBHH")


class Driver:
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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    return Driver(build_frame_driver(tmp_path_factory.mktemp("frames"), max_payload=SMALL))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    return Driver(build_frame_driver(tmp_path_factory.mktemp("frames"), max_payload=MAX_PAYLOAD))


def test_golden_frames_are_read(large: Driver) -> None:
    stream = b"".join(golden.frame for golden in golden_frames())
    assert large.decode([stream]) == Decoder().feed(stream)


def test_golden_frames_are_written(large: Driver) -> None:
    stream = b"".join(golden.frame for golden in golden_frames())
    assert large.encode(Decoder().feed(stream)) == stream


def test_crc_is_that_of_zlib(large: Driver) -> None:
    assert large.crc(b"123456789") == 0xCBF43926
    everything = bytes(range(256))
    assert large.crc(everything) == crc32(everything)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_decoders_agree_on_any_stream(small: Driver, data: st.DataObject) -> None:
    stream = data.draw(streams(max_payload=SMALL + 8))
    assert small.decode(data.draw(split(stream))) == Decoder(SMALL).feed(stream)


@settings(max_examples=30, deadline=None)
@given(stream=st.lists(st.sampled_from(b"HL\x00\x01\x05"), max_size=400).map(bytes))
def test_decoders_agree_on_streams_full_of_magic(small: Driver, stream: bytes) -> None:
    # What can be told of the C decoder's inside is what it makes of a good frame behind it all.
    tail = bytes(SMALL + OVERHEAD_BYTES) + encode(Frame(1, 2, b"\x01\x01"))
    assert small.decode([stream, tail]) == Decoder(SMALL).feed(stream + tail)


@settings(max_examples=30, deadline=None)
@given(sent=st.lists(frames(max_payload=200), max_size=6))
def test_encoders_agree(large: Driver, sent: list[Frame]) -> None:
    own_version = [Frame(frame.type, frame.sequence, frame.payload) for frame in sent]
    assert large.encode(sent) == b"".join(map(encode, own_version))


def test_longest_payload_in_one_piece_and_byte_by_byte(small: Driver) -> None:
    frame = Frame(2, 9, bytes(range(SMALL)))
    raw = encode(frame)
    assert small.decode([raw]) == [frame]
    assert small.decode([bytes([byte]) for byte in raw]) == [frame]


def test_payload_beyond_the_limit_is_no_frame(small: Driver) -> None:
    hello = Frame(1, 10, b"\x01\x01")
    assert small.decode([encode(Frame(2, 9, bytes(SMALL + 1))) + encode(hello)]) == [hello]
