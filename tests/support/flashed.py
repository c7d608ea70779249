"""What of an ELF file goes to flash, but for what the firmware says of its build."""

from __future__ import annotations

from pathlib import Path

from hil.elf import read_elf
from hil.firmware.images import BUILD_DIGEST_BYTES


def flashed(path: Path) -> list[tuple[int, bytes]]:
    """Address and bytes of each segment; the build's digest, which projects built by hand lack, is zeros."""
    elf = read_elf(path)
    found = []
    for segment in elf.segments:
        data, at = bytearray(segment.data), elf.symbols["hil_build_digest"] - segment.address
        if 0 <= at < len(data):
            data[at : at + BUILD_DIGEST_BYTES] = bytes(BUILD_DIGEST_BYTES)
        found.append((segment.address, bytes(data)))
    return found
