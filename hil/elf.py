"""What a linked firmware holds, read from its ELF file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.errors import HostError

# Output sections of the linker scripts in firmware/lib/port/*/ that count on their own.
WEIGHTS, ARENA, STACK = ".hil_weights", ".hil_arena", ".stack"
# What Arduino cores make of all RAM that is left.
HEAP = ".heap"


@dataclass(frozen=True)
class Section:
    """One section that takes room on the chip.  `in_flash`: its bytes are part of the image."""

    name: str
    address: int
    size_bytes: int
    in_flash: bool
    in_ram: bool


@dataclass(frozen=True)
class Segment:
    """Bytes that are flashed, and where to."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Elf:
    """A firmware.

    Attributes:
        sections: those that take room on the chip.
        segments: what goes to flash, in the order of addresses.
        symbols: name -> address (without the Thumb bit's meaning taken away).
        entry: address of the first instruction, Thumb bit included.
    """

    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]
    symbols: Mapping[str, int]
    entry: int

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over addresses and bytes that go to flash."""
        sha = hashlib.sha256()
        for segment in self.segments:
            sha.update(segment.address.to_bytes(4, "little") + len(segment.data).to_bytes(4, "little"))
            sha.update(segment.data)
        return sha.hexdigest()

    def size_of(self, name: str) -> int:
        """Bytes of the section `name`; 0 where it is absent."""
        return sum(section.size_bytes for section in self.sections if section.name == name)

    @property
    def weight_bytes(self) -> int:
        """Flash of the model's constants."""
        return self.size_of(WEIGHTS)

    @property
    def code_bytes(self) -> int:
        """Flash of everything else: vectors, code, constants of the firmware, initial values of .data."""
        return sum(len(segment.data) for segment in self.segments) - self.weight_bytes

    @property
    def arena_bytes(self) -> int:
        """RAM of the activations."""
        return self.size_of(ARENA)

    @property
    def stack_bytes(self) -> int:
        """RAM that is reserved for the stack."""
        return self.size_of(STACK)

    @property
    def static_bytes(self) -> int:
        """RAM of all other data, as linked: a heap that is given what is left takes nothing."""
        in_ram = sum(section.size_bytes for section in self.sections if section.in_ram)
        return in_ram - self.arena_bytes - self.stack_bytes - self.size_of(HEAP)


def read_elf(path: Path) -> Elf:
    """Read a linked firmware.

    Raises:
        HostError: the file is missing or is not a linked ELF file.
    """
    try:
        with path.open("rb") as file:
            return _read(ELFFile(file))
    except OSError as error:
        raise HostError(
            f"{path} cannot be read: {error.strerror}", remedy="build the firmware again"
        ) from error
    except ELFError as error:
        raise HostError(f"{path} is not an ELF file: {error}", remedy="build the firmware again") from error


def _read(elf: ELFFile) -> Elf:
    loaded = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"] > 0]
    segments = tuple(
        sorted((Segment(s["p_paddr"], s.data()) for s in loaded), key=lambda segment: segment.address)
    )
    sections = tuple(
        Section(s.name, s["sh_addr"], s["sh_size"], s["sh_type"] != "SHT_NOBITS", _writable(s["sh_flags"]))
        for s in elf.iter_sections()
        if s["sh_flags"] & SH_FLAGS.SHF_ALLOC and s["sh_size"] > 0
    )
    symbols = {
        symbol.name: symbol["st_value"]
        for table in elf.iter_sections()
        if isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols()
        if symbol.name and symbol["st_shndx"] != "SHN_UNDEF"
    }
    return Elf(sections, segments, symbols, elf.header["e_entry"])


def _writable(flags: int) -> bool:
    return bool(flags & SH_FLAGS.SHF_WRITE)
