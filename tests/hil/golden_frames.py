"""The frames that the Python and the C suites share: tests/golden/frames.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.protocol import REPLIES, REQUESTS, Message

_FILE = Path(__file__).parents[1] / "golden" / "frames.json"
_TYPES = {message.__name__: message for message in (*REQUESTS, *REPLIES)}


@dataclass(frozen=True)
class Golden:
    """One message, its sequence number, and the bytes that it has to become."""

    message: Message
    sequence: int
    frame: bytes


def _value(kind: str, value: Any) -> Any:
    if kind in ("bytes", "bytes8"):
        return bytes.fromhex(value)
    return tuple(value) if kind == "u32s" else value


def golden_frames() -> list[Golden]:
    """All of them, in the order of the file."""
    goldens = []
    for entry in json.loads(_FILE.read_text()):
        message = _TYPES[entry["message"]]
        kinds = dict(message.LAYOUT)
        fields = {name: _value(kinds[name], value) for name, value in entry["fields"].items()}
        goldens.append(Golden(message(**fields), entry["sequence"], bytes.fromhex(entry["frame"])))
    return goldens
