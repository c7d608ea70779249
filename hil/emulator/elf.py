"""ELF files: what goes to flash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile


class BadElf(ValueError):
    """The file is no firmware for this machine; the text says why."""


@dataclass(frozen=True)
class Segment:
    """Bytes at their address in flash."""

    address: int
    data: bytes


def load_segments(path: Path, machine: str = "EM_ARM") -> tuple[Segment, ...]:
    """All bytes of a 32-bit little-endian executable, at the addresses that they are loaded to.

    Args:
        machine: the processor that it has to be for, as ELF names it.

    Raises:
        BadElf: missing, unreadable, or not such a file.
    """
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            if elf["e_machine"] != machine or elf["e_type"] != "ET_EXEC" or not elf.little_endian:
                raise BadElf(f"{path}: not a linked little-endian {machine.removeprefix('EM_')} executable")
            return tuple(
                Segment(segment["p_paddr"], segment.data())
                for segment in elf.iter_segments()
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
            )
    except OSError as error:
        raise BadElf(f"{path}: cannot be read: {error.strerror}") from error
    except ELFError as error:
        raise BadElf(f"{path}: not an ELF file: {error}") from error
