"""The 96 bits that tell units apart.  The port reports (word 0 xor word 2, word 1)."""

from __future__ import annotations

from hil.emulator.registers import Register, RegisterBlock

UNIT_ID = b"EMULATED"


def make_unique_id(base: int) -> RegisterBlock:
    """Of a unit that calls itself "EMULATED", so that nobody takes it for hardware."""
    words = (int.from_bytes(UNIT_ID[:4], "little"), int.from_bytes(UNIT_ID[4:], "little"), 0)
    registers = {
        base % 0x400 + 4 * number: Register(f"UID[{number}]", reset=word, writable=False)
        for number, word in enumerate(words)
    }
    return RegisterBlock("UID", base - base % 0x400, 0x400, registers)
