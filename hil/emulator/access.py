"""Accesses to peripherals as Unicorn hands them on, and what becomes of those that are not modelled."""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.position import Position
from hil.emulator.registers import Bus, Unmodelled


class PeripheralAccess:
    """Reads and writes of peripherals.

    Args:
        fail: stops the machine for good: message, program counter, address.

    Attributes:
        position: knows the access under way; set once the core is there.
    """

    position: Position

    def __init__(self, bus: Bus, fail: Callable[[str, int, int | None], None]) -> None:
        self._bus, self._fail = bus, fail

    def read(self, address: int, size: int) -> int:
        self.position.begin_access(address, False)
        try:
            return self._bus.read(address, size)
        except Unmodelled as error:
            self._fail(str(error), self.position.address(), address)
            return 0
        finally:
            self.position.end_access()

    def write(self, address: int, size: int, value: int) -> None:
        self.position.begin_access(address, True)
        try:
            self._bus.write(address, size, value)
        except Unmodelled as error:
            self._fail(str(error), self.position.address(), address)
        finally:
            self.position.end_access()
