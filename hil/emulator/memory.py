"""Memory of the machine: flash, RAM, and the pages where peripherals answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unicorn import unicorn_const as uc

from hil.board import Board
from hil.emulator.elf import BadElf, Segment
from hil.emulator.registers import Unmodelled

PAGE_BYTES = 4096
_ERASED = b"\xff"


class Memory:
    """The address space of an engine.

    Args:
        read, write: what peripherals do: address and size in bytes, and the value.
    """

    def __init__(
        self,
        engine: Any,
        board: Board,
        pages: Iterable[int],
        read: Callable[[int, int], int],
        write: Callable[[int, int, int], None],
    ) -> None:
        self._engine = engine
        self.flash = range(board.flash.base, board.flash.base + board.flash.size_bytes)
        self.ram = range(board.ram.base, board.ram.base + board.ram.size_bytes)
        engine.mem_map(self.flash.start, len(self.flash), uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        engine.mem_map(self.ram.start, len(self.ram), uc.UC_PROT_ALL)
        for page in pages:
            self._map_page(page, read, write)

    def _map_page(
        self, page: int, read: Callable[[int, int], int], write: Callable[[int, int, int], None]
    ) -> None:
        self._engine.mmio_map(
            page,
            PAGE_BYTES,
            lambda _uc, offset, size, _user: read(page + offset, size),
            None,
            lambda _uc, offset, size, value, _user: write(page + offset, size, value),
            None,
        )

    def load(self, segments: Iterable[Segment]) -> None:
        """Erase flash and write `segments` to it.

        Raises:
            BadElf: a segment lies outside of flash.
        """
        self._engine.mem_write(self.flash.start, _ERASED * len(self.flash))
        for segment in segments:
            end = segment.address + len(segment.data)
            if segment.address not in self.flash or end > self.flash.stop:
                raise BadElf(
                    f"the image has bytes at 0x{segment.address:08x} to 0x{end:08x}; "
                    f"flash is 0x{self.flash.start:08x} to 0x{self.flash.stop:08x}"
                )
            self._engine.mem_write(segment.address, segment.data)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of flash or RAM."""
        return bytes(self._engine.mem_read(address, size))

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def read_ram(self, address: int, size: int) -> bytes:
        """Bytes of RAM.

        Raises:
            Unmodelled: some of them are not in RAM.
        """
        self._require_ram(address, size)
        return bytes(self._engine.mem_read(address, size)) if size else b""

    def write_ram(self, address: int, data: bytes) -> None:
        """Write to RAM.

        Raises:
            Unmodelled: some of it is not in RAM.
        """
        self._require_ram(address, len(data))
        self._engine.mem_write(address, data)

    def _require_ram(self, address: int, size: int) -> None:
        if size and (address not in self.ram or address + size > self.ram.stop):
            raise Unmodelled(
                f"0x{address:08x} to 0x{address + size:08x} is not in RAM, and nothing else can be reached"
            )
