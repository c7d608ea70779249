"""Hypothesis strategies for frames, and for streams as a bad line delivers them."""

from __future__ import annotations

from hypothesis import strategies as st

from hil.protocol import Frame, encode


def frames(max_payload: int = 80) -> st.SearchStrategy[Frame]:
    """Any frame.  Payloads often hold the magic."""
    payload = st.one_of(
        st.binary(max_size=max_payload),
        st.lists(st.sampled_from([b"HL", b"H", b"\x00", b"HL\x01\x01"]), max_size=max_payload // 4).map(
            b"".join
        ),
    )
    return st.builds(
        Frame,
        type=st.integers(0, 0xFF),
        sequence=st.integers(0, 0xFFFF),
        payload=payload,
        version=st.integers(0, 0xFF),
    )


def flipped(data: bytes, position: int, bit: int) -> bytes:
    """`data` with one bit turned over."""
    changed = bytearray(data)
    changed[position % len(data)] ^= 1 << bit
    return bytes(changed)


_BEGINNINGS = st.sampled_from(
    [b"H", b"HL", b"HHL", b"HL\x01", b"HL\x01\x01\x00\x00\x05\x00", b"HL\x01HL\x01"]
)
GARBAGE = st.one_of(st.binary(max_size=40), _BEGINNINGS)


@st.composite
def streams(draw: st.DrawFn, max_payload: int = 80) -> bytes:
    """Whole, cut and damaged frames with garbage in between."""
    pieces = []
    for _ in range(draw(st.integers(0, 8))):
        raw = encode(draw(frames(max_payload)))
        match draw(st.sampled_from(["whole", "whole", "cut", "damaged", "garbage"])):
            case "whole":
                pieces.append(raw)
            case "cut":
                pieces.append(raw[: draw(st.integers(0, len(raw)))])
            case "damaged":
                pieces.append(flipped(raw, draw(st.integers(0, len(raw) - 1)), draw(st.integers(0, 7))))
            case _:
                pieces.append(draw(GARBAGE))
    return b"".join(pieces)


@st.composite
def split(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """`data` in pieces."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
