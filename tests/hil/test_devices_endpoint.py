"""The board's end of the line in Python answers as docs/PROTOCOL.md says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.endpoint import Endpoint, EndpointTransport, Inference
from hil.protocol import (
    PROTOCOL_VERSION,
    Decoder,
    Error,
    ErrorCode,
    Frame,
    Hello,
    Info,
    Output,
    Profile,
    Ran,
    ReadOutput,
    ReadProfile,
    Reset,
    Resetting,
    Run,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)

INFO = Info(
    protocol=PROTOCOL_VERSION,
    instruction_cache=True,
    max_payload=64,
    clock_hz=64_000_000,
    arena_bytes=1000,
    input_bytes=8,
    output_bytes=8,
    stack_size=4096,
    operator_count=3,
    model_digest="ab" * 32,
    build_digest=bytes(range(8)),
    unit_id=b"ENDPOINT",
    firmware_version="1",
    board="nrf52840_dk",
)


class Negates:
    """A firmware whose model turns the input round."""

    info = INFO

    def infer(self, data: bytes) -> Inference:
        return Inference(output=data[::-1], operator_cycles=(100, 0, 20), stack_used=300)


@pytest.fixture
def ask():
    endpoint = Endpoint(Negates())

    def send(message, sequence=7, version=PROTOCOL_VERSION):
        frames = Decoder().feed(endpoint.feed(encode(to_frame(message, sequence, version=version))))
        assert len(frames) == 1
        assert frames[0].sequence == sequence
        return from_frame(frames[0])

    send.endpoint = endpoint
    return send


def refused(reply, code):
    assert isinstance(reply, Error)
    assert reply.code == code
    assert reply.text
    return reply


def test_one_inference(ask):
    assert ask(Hello(PROTOCOL_VERSION, PROTOCOL_VERSION)) == INFO
    assert ask(WriteInput(0, b"01234")) == Written(0, 5)
    assert ask(WriteInput(5, b"567")) == Written(5, 3)
    assert ask(Run(0)) == Ran(120, 300)
    assert ask(ReadOutput(0, 8)) == Output(0, b"76543210")
    assert ask(ReadOutput(6, 2)) == Output(6, b"10")


def test_profile_of_the_last_run(ask):
    ask(WriteInput(0, bytes(8)))
    ask(Run(Run.PROFILE))
    assert ask(ReadProfile(0, 3)) == Profile(0, (100, 0, 20))
    assert ask(ReadProfile(2, 1)) == Profile(2, (20,))


def test_profile_only_of_a_profiled_run(ask):
    refused(ask(ReadProfile(0, 3)), ErrorCode.NO_PROFILE)
    ask(WriteInput(0, bytes(8)))
    ask(Run(0))
    refused(ask(ReadProfile(0, 3)), ErrorCode.NO_PROFILE)


def test_each_run_wants_an_input(ask):
    refused(ask(Run(0)), ErrorCode.NO_INPUT)
    ask(WriteInput(0, b"0123"))
    refused(ask(Run(0)), ErrorCode.NO_INPUT)
    ask(WriteInput(4, b"0123"))
    assert isinstance(ask(Run(0)), Ran)
    refused(ask(Run(0)), ErrorCode.NO_INPUT)


def test_input_has_no_gaps_and_an_end(ask):
    refused(ask(WriteInput(1, b"0")), ErrorCode.INPUT_GAP)
    refused(ask(WriteInput(0, bytes(9))), ErrorCode.BAD_PAYLOAD)
    assert ask(WriteInput(0, bytes(8))) == Written(0, 8)


def test_output_belongs_to_the_input(ask):
    refused(ask(ReadOutput(0, 8)), ErrorCode.NO_OUTPUT)
    ask(WriteInput(0, bytes(8)))
    ask(Run(0))
    refused(ask(ReadOutput(4, 5)), ErrorCode.BAD_PAYLOAD)
    ask(WriteInput(0, b"0"))
    refused(ask(ReadOutput(0, 8)), ErrorCode.NO_OUTPUT)


def test_too_old_and_too_new_hosts_are_told_the_version(ask):
    for oldest, newest in ((PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 5), (0, PROTOCOL_VERSION - 1)):
        reply = refused(ask(Hello(oldest, newest)), ErrorCode.VERSION)
        assert str(PROTOCOL_VERSION) in reply.text


def test_unknown_request_is_refused(ask):
    unknown = Frame(type=0x33, sequence=1, payload=b"")
    (frame,) = Decoder().feed(ask.endpoint.feed(encode(unknown)))
    refused(from_frame(frame), ErrorCode.UNKNOWN_TYPE)


def test_short_payload_is_refused(ask):
    (frame,) = Decoder().feed(ask.endpoint.feed(encode(Frame(type=Run.TYPE, sequence=1, payload=b""))))
    refused(from_frame(frame), ErrorCode.BAD_PAYLOAD)


def test_reset_forgets(ask):
    ask(WriteInput(0, bytes(8)))
    assert ask(Reset()) == Resetting()
    refused(ask(Run(0)), ErrorCode.NO_INPUT)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_garbage_is_survived(garbage, piece):
    transport = EndpointTransport(Endpoint(Negates()))
    # Whatever a broken beginning holds back is worth at most one frame; silence or more bytes bring it out.
    data = garbage + encode(to_frame(Hello(0, 255), 9)) * 40
    for start in range(0, len(data), piece):
        transport.write(data[start : start + piece])
    replies = [from_frame(frame) for frame in Decoder().feed(transport.read(0))]
    assert INFO in replies


def test_transport_has_nothing_to_say_unasked():
    transport = EndpointTransport(Endpoint(Negates()))
    assert transport.read(0.01) == b""
    transport.close()
    transport.close()
