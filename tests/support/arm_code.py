"""The instructions in compiled code, told from the data between them by the mapping symbols."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from hil.emulator.instructions import Decoder, Instruction


def instructions_in(path: Path) -> Iterator[Instruction]:
    """All instructions of an object file or an ELF file."""
    decoder = Decoder()
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
        for number, section in enumerate(elf.iter_sections()):
            if not section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR:
                continue
            marks = sorted(
                (symbol["st_value"] - section["sh_addr"], symbol.name)
                for symbol in symbols
                if symbol["st_shndx"] == number and symbol.name in ("$t", "$d")
            )
            ends = [offset for offset, _ in marks[1:]] + [section["sh_size"]]
            for (start, kind), end in zip(marks, ends, strict=False):
                if kind == "$t":
                    yield from decoder.decode(section.data()[start:end], section["sh_addr"] + start)
