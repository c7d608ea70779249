"""FICR and UICR: factory and user information.

nRF52840 product specification, chapters "FICR" and "UICR".
"""

from __future__ import annotations

from hil.emulator.registers import Register, RegisterBlock

FICR_BASE, UICR_BASE = 0x1000_0000, 0x1000_1000
DEVICE_ID = b"EMULATED"
_ERASED = 0xFFFF_FFFF


def make_ficr(part: int, flash_bytes: int, ram_bytes: int) -> RegisterBlock:
    """FICR of a unit that calls itself "EMULATED", so that nobody takes it for hardware.

    Args:
        part: as INFO.PART has it, e.g. 0x52840.
    """
    page_bytes = 4096
    values = {
        0x010: ("CODEPAGESIZE", page_bytes),
        0x014: ("CODESIZE", flash_bytes // page_bytes),
        0x060: ("DEVICEID[0]", int.from_bytes(DEVICE_ID[:4], "little")),
        0x064: ("DEVICEID[1]", int.from_bytes(DEVICE_ID[4:], "little")),
        0x100: ("INFO.PART", part),
        0x10C: ("INFO.RAM", ram_bytes // 1024),
        0x110: ("INFO.FLASH", flash_bytes // 1024),
    }
    registers = {
        offset: Register(name, reset=value, writable=False) for offset, (name, value) in values.items()
    }
    return RegisterBlock("FICR", FICR_BASE, 0x1000, registers)


def make_uicr() -> RegisterBlock:
    """UICR as it leaves the factory: erased."""
    return RegisterBlock(
        "UICR", UICR_BASE, 0x1000, {0x208: Register("APPROTECT", reset=_ERASED, writable=False)}
    )
