"""The frames in C are the frames in Python, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.protocol import MAX_PAYLOAD, OVERHEAD_BYTES, Decoder, Frame, encode
from tests.firmware.host_protocol import build_frame_driver
from tests.firmware.host_protocol.drivers import FrameDriver
from tests.hil.frame_streams import frames, split, streams
from tests.hil.golden_frames import golden_frames

SMALL = 64
"""Payload that the decoder under test takes: small, so that streams meet its end often."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> FrameDriver:
    return FrameDriver(build_frame_driver(tmp_path_factory.mktemp("frames"), max_payload=SMALL))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> FrameDriver:
    return FrameDriver(build_frame_driver(tmp_path_factory.mktemp("frames"), max_payload=MAX_PAYLOAD))


def test_golden_frames_are_read(large: FrameDriver) -> None:
    stream = b"".join(golden.frame for golden in golden_frames())
    assert large.decode([stream]) == Decoder().feed(stream)


def test_golden_frames_are_written(large: FrameDriver) -> None:
    stream = b"".join(golden.frame for golden in golden_frames())
    assert large.encode(Decoder().feed(stream)) == stream


def test_crc_is_that_of_zlib(large: FrameDriver) -> None:
    assert large.crc(b"123456789") == 0xCBF43926
    everything = bytes(range(256))
    assert large.crc(everything) == crc32(everything)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_decoders_agree_on_any_stream(small: FrameDriver, data: st.DataObject) -> None:
    stream = data.draw(streams(max_payload=SMALL + 8))
    assert small.decode(data.draw(split(stream))) == Decoder(SMALL).feed(stream)


@settings(max_examples=30, deadline=None)
@given(stream=st.lists(st.sampled_from(b"HL\x00\x01\x05"), max_size=400).map(bytes))
def test_decoders_agree_on_streams_full_of_magic(small: FrameDriver, stream: bytes) -> None:
    # What can be told of the C decoder's inside is what it makes of a good frame behind it all.
    tail = bytes(SMALL + OVERHEAD_BYTES) + encode(Frame(1, 2, b"\x01\x01"))
    assert small.decode([stream, tail]) == Decoder(SMALL).feed(stream + tail)


@settings(max_examples=30, deadline=None)
@given(sent=st.lists(frames(max_payload=200), max_size=6))
def test_encoders_agree(large: FrameDriver, sent: list[Frame]) -> None:
    own_version = [Frame(frame.type, frame.sequence, frame.payload) for frame in sent]
    assert large.encode(sent) == b"".join(map(encode, own_version))


def test_longest_payload_in_one_piece_and_byte_by_byte(small: FrameDriver) -> None:
    frame = Frame(2, 9, bytes(range(SMALL)))
    raw = encode(frame)
    assert small.decode([raw]) == [frame]
    assert small.decode([bytes([byte]) for byte in raw]) == [frame]


def test_payload_beyond_the_limit_is_no_frame(small: FrameDriver) -> None:
    hello = Frame(1, 10, b"\x01\x01")
    assert small.decode([encode(Frame(2, 9, bytes(SMALL + 1))) + encode(hello)]) == [hello]
