"""Frames and messages in Python: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.protocol import (
    MAX_PAYLOAD,
    OVERHEAD_BYTES,
    REPLIES,
    REQUESTS,
    BadPayload,
    Decoder,
    Fault,
    Frame,
    Hello,
    Info,
    Message,
    Output,
    Profile,
    Ran,
    Run,
    Written,
    encode,
    from_frame,
    to_frame,
)
from hil.protocol.faults import describe_fault, fault_remedy
from tests.hil.frame_streams import GARBAGE, flipped, frames, split, streams
from tests.hil.golden_frames import Golden, golden_frames

_VALUES: dict[str, st.SearchStrategy[object]] = {
    "u8": st.integers(0, 0xFF),
    "u16": st.integers(0, 0xFFFF),
    "u32": st.integers(0, 0xFFFF_FFFF),
    "u64": st.integers(0, 2**64 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "tri8": st.sampled_from([True, False, None]),
    "bytes8": st.binary(min_size=8, max_size=8),
    "digest32": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "str8": st.text(max_size=60),
    "bytes": st.binary(max_size=100),
    "text": st.text(max_size=60),
    "u32s": st.lists(st.integers(0, 0xFFFF_FFFF), max_size=20).map(tuple),
}


def messages() -> st.SearchStrategy[Message]:
    """Any message."""
    return st.one_of(
        [
            st.builds(message, **{name: _VALUES[kind] for name, kind in message.LAYOUT})
            for message in (*REQUESTS, *REPLIES)
        ]
    )


@pytest.mark.parametrize("golden", golden_frames(), ids=lambda golden: type(golden.message).__name__)
class TestGoldenFrames:
    def test_message_becomes_the_bytes(self, golden: Golden) -> None:
        assert encode(to_frame(golden.message, golden.sequence)) == golden.frame

    def test_bytes_become_the_message(self, golden: Golden) -> None:
        (frame,) = Decoder().feed(golden.frame)
        assert frame.sequence == golden.sequence
        assert from_frame(frame) == golden.message


def test_golden_frames_hold_every_message() -> None:
    assert {type(golden.message) for golden in golden_frames()} == {*REQUESTS, *REPLIES}


class TestDecoder:
    @given(st.lists(frames(), max_size=5), st.data())
    def test_finds_all_frames_however_they_are_cut(self, sent: list[Frame], data: st.DataObject) -> None:
        decoder = Decoder()
        pieces = data.draw(split(b"".join(map(encode, sent))))
        assert [frame for piece in pieces for frame in decoder.feed(piece)] == sent
        assert decoder.skipped_bytes == 0
        assert decoder.pending_bytes == 0

    @given(GARBAGE, frames())
    def test_finds_the_frame_behind_garbage_after_a_silence(self, garbage: bytes, frame: Frame) -> None:
        decoder = Decoder()
        found = decoder.feed(garbage + encode(frame)) + decoder.flush()
        assert frame in found
        assert decoder.pending_bytes == 0

    @given(GARBAGE, frames())
    def test_zeros_clear_the_line(self, garbage: bytes, frame: Frame) -> None:
        decoder = Decoder()
        decoder.feed(garbage + bytes(MAX_PAYLOAD + OVERHEAD_BYTES))
        assert decoder.feed(encode(frame)) == [frame]

    @given(frames(), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 7)), min_size=1, max_size=4))
    def test_damage_never_gives_another_frame(self, frame: Frame, flips: list[tuple[int, int]]) -> None:
        raw = damaged = encode(frame)
        for position, bit in flips:
            damaged = flipped(damaged, position, bit)
        decoder = Decoder()
        found = decoder.feed(damaged) + decoder.flush()
        # A payload can hold a frame of its own; this one's cannot, unless the flips undo each other.
        assert found == ([frame] if damaged == raw else [])

    @given(streams(), st.data())
    def test_the_cut_makes_no_difference(self, stream: bytes, data: st.DataObject) -> None:
        whole, cut = Decoder(), Decoder()
        expected = whole.feed(stream)
        assert [frame for piece in data.draw(split(stream)) for frame in cut.feed(piece)] == expected
        assert cut.skipped_bytes == whole.skipped_bytes

    @given(streams(), st.integers(0, 80))
    def test_accounts_for_every_byte(self, stream: bytes, max_payload: int) -> None:
        decoder = Decoder(max_payload)
        found = decoder.feed(stream)
        assert all(len(frame.payload) <= max_payload for frame in found)
        in_frames = sum(len(encode(frame)) for frame in found)
        assert in_frames + decoder.skipped_bytes + decoder.pending_bytes == len(stream)

    def test_does_not_wait_for_more_than_it_takes(self) -> None:
        hello = Frame(1, 7, b"\x01\x01")
        too_long = encode(Frame(1, 6, bytes(100)))
        assert Decoder(max_payload=99).feed(too_long + encode(hello)) == [hello]
        assert len(Decoder(max_payload=100).feed(too_long)) == 1


class TestEncode:
    @pytest.mark.parametrize(
        "frame",
        [
            Frame(256, 0, b""),
            Frame(-1, 0, b""),
            Frame(1, 0x10000, b""),
            Frame(1, 0, bytes(MAX_PAYLOAD + 1)),
            Frame(1, 0, b"", version=256),
        ],
    )
    def test_refuses_what_no_frame_can_hold(self, frame: Frame) -> None:
        with pytest.raises(ValueError, match=r"expected 0 to|at most"):
            encode(frame)

    def test_takes_the_longest_payload(self) -> None:
        frame = Frame(0xFF, 0xFFFF, bytes(MAX_PAYLOAD))
        assert Decoder().feed(encode(frame)) == [frame]


class TestMessages:
    @given(messages(), st.integers(0, 0xFFFF))
    def test_survive_the_way(self, message: Message, sequence: int) -> None:
        (frame,) = Decoder().feed(encode(to_frame(message, sequence)))
        assert frame.sequence == sequence
        assert from_frame(frame) == message

    @given(st.integers(0, 0xFF), st.binary(max_size=120))
    def test_any_payload_is_read_or_refused(self, kind: int, payload: bytes) -> None:
        try:
            message = from_frame(Frame(kind, 0, payload))
        except BadPayload:
            return
        if isinstance(message, Hello):
            payload = payload[:2]
        assert to_frame(message, 0).payload == payload

    @given(messages(), st.data())
    def test_cut_payload_is_refused_or_is_a_shorter_message(
        self, message: Message, data: st.DataObject
    ) -> None:
        payload = to_frame(message, 0).payload
        cut = payload[: data.draw(st.integers(0, max(0, len(payload) - 1)))]
        try:
            shorter = from_frame(Frame(message.TYPE, 0, cut))
        except BadPayload:
            return
        assert to_frame(shorter, 0).payload == cut

    def test_longer_hello_of_a_later_version_is_read(self) -> None:
        assert from_frame(Frame(Hello.TYPE, 0, b"\x01\x03later")) == Hello(1, 3)

    def test_longer_messages_are_refused(self) -> None:
        with pytest.raises(BadPayload, match="Ran: 1 bytes too many"):
            from_frame(Frame(Ran.TYPE, 0, bytes(9)))

    def test_unknown_type_is_named(self) -> None:
        with pytest.raises(BadPayload, match="0x42"):
            from_frame(Frame(0x42, 0, b""))

    @pytest.mark.parametrize(
        ("message", "named"),
        [
            (Run(256), "Run.flags: 256 is no u8"),
            (Written(-1, 0), "Written.offset: -1 is no u32"),
            (Profile(0, (1 << 32,)), "Profile.cycles"),
        ],
    )
    def test_value_out_of_range_is_named(self, message: Message, named: str) -> None:
        with pytest.raises(BadPayload, match=named):
            to_frame(message, 0)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("model_digest", "ab"), ("unit_id", b"short"), ("instruction_cache", 2), ("board", "x" * 256)],
    )
    def test_info_with_an_impossible_field_is_refused(self, field: str, value: object) -> None:
        info = next(golden.message for golden in golden_frames() if isinstance(golden.message, Info))
        with pytest.raises(BadPayload, match=field):
            to_frame(Info(**(vars(info) | {field: value})), 0)

    def test_output_longer_than_a_frame_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at most 4096"):
            encode(to_frame(Output(0, bytes(MAX_PAYLOAD)), 0))


class TestFaults:
    def fault(self, **registers: int) -> Fault:
        values = dict.fromkeys(Fault.REGISTERS, 0) | {"pc": 0x1234, "lr": 0x99} | registers
        return Fault(**({"kind": 3} | values))

    def test_names_cause_and_place(self) -> None:
        fault = self.fault(kind=6, cfsr=1 << 16)
        assert describe_fault(fault) == "usage fault: undefined instruction at pc 0x00001234"
        assert "0x00000099" in fault_remedy(fault)

    def test_names_the_address_where_it_is_valid(self) -> None:
        text = describe_fault(self.fault(kind=5, cfsr=1 << 9 | 1 << 15, bfar=0x4000_0000, mmfar=0x1111))
        assert "address 0x40000000" in text
        assert "1111" not in text
        assert (
            "address" not in describe_fault(self.fault(kind=5, cfsr=1 << 9, bfar=0x4000_0000)).split("pc")[1]
        )

    def test_suspects_the_stack_when_stacking_failed(self) -> None:
        assert "stack" in fault_remedy(self.fault(cfsr=1 << 12))

    def test_names_an_unexpected_interrupt(self) -> None:
        assert describe_fault(self.fault(kind=18)).startswith("unexpected interrupt 2 ")
        assert describe_fault(self.fault(kind=9)).startswith("exception 9 ")
