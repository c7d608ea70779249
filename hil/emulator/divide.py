"""SDIV and UDIV: where they are, and which register divides.

Unicorn gives 0 for a division by zero, a core may trap.

Encoding: ARMv7-M Architecture Reference Manual, A7.7.127 and A7.7.195.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# 0xFB9n (SDIV) or 0xFBBn (UDIV), then 0xFdFm; a lookahead, as data may hold one within another.
_PATTERN = re.compile(rb"(?=[\x90-\x9f\xb0-\xbf]\xfb[\xf0-\xff][\xf0-\xff])", re.DOTALL)


def find(code: bytes, address: int) -> Iterator[int]:
    """Addresses of all halfwords that look like a division.

    Data may look so, too; it is never executed.
    """
    for match in _PATTERN.finditer(code):
        if match.start() % 2 == 0:
            yield address + match.start()


def divisor_register(code: bytes) -> int:
    """Number of the register that divides, of the four bytes of a division."""
    return code[2] & 0xF
