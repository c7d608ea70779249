"""Peripherals as tables of registers.  What is not in the table is an error, never silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Unmodelled(Exception):
    """The firmware touched what the emulator does not model; the text says what."""


class Peripheral(Protocol):
    """Registers from `base` on, `size` bytes of address space.

    Attributes:
        name: as in the product specification.
    """

    name: str
    base: int
    size: int

    def read(self, offset: int, size: int) -> int:
        """Read `size` bytes at `offset`.

        Raises:
            Unmodelled: no such register, or not readable, or not in this width.
        """

    def write(self, offset: int, size: int, value: int) -> None:
        """Write `size` bytes at `offset`.

        Raises:
            Unmodelled: no such register, or a value whose effect is not modelled.
        """

    def trigger(self, offset: int, times: int) -> None:
        """Trigger the task at `offset`, as PPI does."""

    def reset(self) -> None:
        """Go back to the reset values."""


@dataclass(frozen=True)
class Register:
    """One 32-bit register.

    Attributes:
        reset: value after reset.
        bits: those that may be written; writing another one is an error.
        on_read: gives the value; None: what was written last.
        on_write: takes the new value, after it has been kept.
        readable, writable: whether the firmware may.
    """

    name: str
    reset: int = 0
    bits: int = 0xFFFF_FFFF
    on_read: Callable[[], int] | None = None
    on_write: Callable[[int], None] | None = None
    readable: bool = True
    writable: bool = True


def task(name: str, action: Callable[[], None]) -> Register:
    """A task: writing 1 triggers it.  Source: nRF52840 product specification, "Peripheral interface"."""

    def run(value: int) -> None:
        if value:
            action()

    return Register(name, bits=1, on_write=run, readable=False)


class RegisterBlock:
    """A peripheral made of 32-bit registers.

    Args:
        registers: offset -> register.
    """

    def __init__(self, name: str, base: int, size: int, registers: dict[int, Register]) -> None:
        self.name, self.base, self.size = name, base, size
        self._registers = registers
        self._values: dict[int, int] = {}
        self.reset()

    def add(self, registers: Mapping[int, Register]) -> None:
        """More registers, or others in place of those at the same offset; then reset."""
        self._registers.update(registers)
        self.reset()

    def reset(self) -> None:
        self._values = {offset: register.reset for offset, register in self._registers.items()}

    def read(self, offset: int, size: int) -> int:
        register = self._find(offset, size)
        if not register.readable:
            raise Unmodelled(f"{self.name}.{register.name} is write-only")
        return register.on_read() if register.on_read is not None else self._values[offset]

    def write(self, offset: int, size: int, value: int) -> None:
        register = self._find(offset, size)
        if not register.writable:
            raise Unmodelled(f"{self.name}.{register.name} is read-only")
        if value & ~register.bits:
            raise Unmodelled(
                f"bits 0x{value & ~register.bits:08x} of {self.name}.{register.name} are not modelled"
            )
        self._values[offset] = value
        if register.on_write is not None:
            register.on_write(value)

    def trigger(self, offset: int, times: int) -> None:
        for _ in range(times):
            self.write(offset, 4, 1)

    def value(self, offset: int) -> int:
        """What the register at `offset` holds."""
        return self._values[offset]

    def set_value(self, offset: int, value: int) -> None:
        """Change what the register at `offset` holds, from within."""
        self._values[offset] = value

    def _find(self, offset: int, size: int) -> Register:
        register = self._registers.get(offset)
        if register is None:
            raise Unmodelled(f"{self.name} has no register at offset 0x{offset:03x} in this emulator")
        if size != 4:
            raise Unmodelled(f"{self.name}.{register.name} is accessed with {size} bytes instead of 4")
        return register


class Bus:
    """Which peripheral answers at which address."""

    def __init__(self, peripherals: Iterable[Peripheral]) -> None:
        self.peripherals = tuple(peripherals)

    def at(self, address: int) -> tuple[Peripheral, int]:
        """The peripheral at `address`, and the offset within it.

        Raises:
            Unmodelled: nothing is modelled there.
        """
        for peripheral in self.peripherals:
            if peripheral.base <= address < peripheral.base + peripheral.size:
                return peripheral, address - peripheral.base
        raise Unmodelled("no peripheral is modelled here")

    def read(self, address: int, size: int) -> int:
        peripheral, offset = self.at(address)
        return peripheral.read(offset, size)

    def write(self, address: int, size: int, value: int) -> None:
        peripheral, offset = self.at(address)
        peripheral.write(offset, size, value)

    def trigger(self, address: int, times: int) -> None:
        peripheral, offset = self.at(address)
        peripheral.trigger(offset, times)

    def reset(self) -> None:
        for peripheral in self.peripherals:
            peripheral.reset()

    def pages(self, page_bytes: int) -> list[int]:
        """First addresses of all pages that hold a peripheral."""
        found: set[int] = set()
        for peripheral in self.peripherals:
            first = peripheral.base // page_bytes
            last = (peripheral.base + peripheral.size - 1) // page_bytes
            found.update(range(first, last + 1))
        return [page * page_bytes for page in sorted(found)]
