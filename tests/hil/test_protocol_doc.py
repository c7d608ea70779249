"""docs/PROTOCOL.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hil.protocol import REPLIES, REQUESTS, Decoder, ErrorCode, Hello, Info, Message
from hil.protocol.fields import FIELD_TYPES
from hil.protocol.listing import listing
from tests.hil.golden_frames import golden_frames

DOCUMENT = (Path(__file__).parents[2] / "docs" / "PROTOCOL.md").read_text()


def rows() -> dict[str, list[str]]:
    """First cell of each table row -> all its cells."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.splitlines()
        if line.startswith("|")
    ]
    return {row[0]: row for row in cells}


@pytest.mark.parametrize("message", [*REQUESTS, *REPLIES], ids=lambda message: message.__name__)
def test_layout_of_each_message(message: type[Message]) -> None:
    _, name, payload, _ = rows()[f"0x{message.TYPE:02x}"]
    assert name == message.__name__
    fields = [f"{name} {FIELD_TYPES[kind].text}" for name, kind in message.LAYOUT]
    assert payload == (", ".join(fields) or "empty")


def test_no_message_too_many() -> None:
    types = {first for first in rows() if first.startswith("0x")}
    assert types == {f"0x{message.TYPE:02x}" for message in (*REQUESTS, *REPLIES)}


def test_error_codes() -> None:
    table = DOCUMENT.split("### Error codes")[1].split("###")[0]
    documented = {int(code): name for code, name in re.findall(r"^\| (\d+) \| (\w+) \|", table, re.MULTILINE)}
    assert documented == {code.value: code.name for code in ErrorCode}


def test_fields_of_info() -> None:
    table = DOCUMENT.split("### Info")[1].split("###")[0]
    firsts = re.findall(r"^\| ([a-z_, ]+) \|", table, re.MULTILINE)[1:]
    documented = [name.strip() for first in firsts for name in first.split(",")]
    assert sorted(documented) == sorted(name for name, _ in Info.LAYOUT)


def test_listing_is_that_of_the_golden_frames() -> None:
    shown = DOCUMENT.split("<!-- listing: begin -->\n```\n")[1].split("\n```\n<!-- listing: end -->")[0]
    frames = [golden.frame for golden in golden_frames() if isinstance(golden.message, Hello | Info)]
    assert shown == "\n\n".join(listing(Decoder().feed(frame)[0]) for frame in frames)
