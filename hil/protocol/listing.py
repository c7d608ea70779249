"""A frame byte by byte, for documentation and for whoever stares at a logic analyser."""

from __future__ import annotations

from hil.protocol.fields import FIELD_TYPES
from hil.protocol.frames import HEADER_BYTES, Frame, encode
from hil.protocol.messages import from_frame

_BYTES_PER_LINE = 8


def listing(frame: Frame) -> str:
    """Offset, bytes and meaning of everything in `frame`, one field a line; long fields go over several.

    Raises:
        BadPayload: the payload cannot be read.
    """
    message = from_frame(frame)
    raw = encode(frame)
    name = type(message).__name__
    fields = [
        (2, "magic"),
        (1, f"version: {frame.version}"),
        (1, f"type: 0x{frame.type:02x} {name}"),
        (2, f"sequence: {frame.sequence}"),
        (2, f"payload length: {len(frame.payload)}"),
    ]
    rest = frame.payload
    for field, kind in message.LAYOUT:
        value, after = FIELD_TYPES[kind].unpack(rest)
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)
        fields.append((len(rest) - len(after), f"{field}, {FIELD_TYPES[kind].text}: {shown}"))
        rest = after
    if rest:
        fields.append((len(rest), "of a later version"))
    fields.append((len(raw) - HEADER_BYTES - len(frame.payload), "CRC-32"))
    lines = []
    offset = 0
    for size, text in fields:
        for start in range(0, size, _BYTES_PER_LINE):
            piece = raw[offset + start : offset + min(size, start + _BYTES_PER_LINE)]
            shown = (
                f"{offset + start:4}  {piece.hex(' '):<{3 * _BYTES_PER_LINE}} {text if start == 0 else ''}"
            )
            lines.append(shown.rstrip())
        offset += size
    return "\n".join(lines)
