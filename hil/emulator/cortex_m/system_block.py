"""System control block, as far as ARMv6-M and ARMv7-M have the same.

ARMv6-M Architecture Reference Manual (DDI 0419), B3.2; ARMv7-M Architecture Reference Manual, B3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled

BASE = 0xE000_E000
_VTOR, _SCR = 0xD08, 0xD10
_PRIORITIES = 0xD18
_SEVONPEND = 1 << 4
_KEY, _SYSRESETREQ = 0x05FA, 1 << 2


class Surroundings(Protocol):
    """What the block acts upon."""

    def request_reset(self) -> None: ...
    def active_exception(self) -> int: ...


class SystemBlock(RegisterBlock):
    """SCB.  By itself that of a core whose only fault is the hard fault, without a register that says why.

    Args:
        cpuid: what CPUID reads.
        vectors: where the vector table lies after reset.
        more: further registers, by offset.
    """

    def __init__(self, around: Surroundings, cpuid: int, vectors: int, more: Mapping[int, Register]) -> None:
        self._around = around
        super().__init__(
            "SCB",
            BASE,
            0x1000,
            {
                0xD00: Register("CPUID", reset=cpuid, writable=False),
                0xD04: Register("ICSR", on_read=around.active_exception, writable=False),
                _VTOR: Register("VTOR", reset=vectors, bits=0xFFFF_FF80),
                0xD0C: Register("AIRCR", on_read=lambda: 0xFA05_0000, on_write=self._control_reset),
                _SCR: Register("SCR", bits=_SEVONPEND),
                **more,
            },
        )

    @property
    def vectors(self) -> int:
        """Address of the vector table."""
        return self.value(_VTOR)

    @property
    def event_on_pending(self) -> bool:
        """Whether an interrupt that becomes pending wakes WFE."""
        return bool(self.value(_SCR) & _SEVONPEND)

    @property
    def traps_division_by_zero(self) -> bool:
        return False

    @property
    def float_unit_enabled(self) -> bool:
        return False

    @property
    def trace_enabled(self) -> bool:
        """Whether the cycle counter of the debug block may run."""
        return False

    def fault_enabled(self, exception: int) -> bool:
        """Whether MemManage (4), BusFault (5) or UsageFault (6) has its own handler."""
        return False

    def priority(self, exception: int) -> int:
        """Of an exception with a priority that can be set (4 to 15)."""
        return self.value(_PRIORITIES + 4 * ((exception - 4) // 4)) >> 8 * (exception % 4) & 0xFF

    def record_fault(self, status: int, *, hard: int = 0, address: int | None = None) -> None:
        """Note why a fault is taken, where there are registers for it."""

    def _control_reset(self, value: int) -> None:
        if value >> 16 != _KEY:
            raise Unmodelled(f"SCB.AIRCR is written without its key: 0x{value:08x}")
        if value & 0xFFFF & ~_SYSRESETREQ:
            raise Unmodelled(f"SCB.AIRCR: only SYSRESETREQ is modelled, 0x{value:08x} is written")
        if value & _SYSRESETREQ:
            self._around.request_reset()


class SystemBlockV6(SystemBlock):
    """Of an ARMv6-M core."""

    def __init__(self, around: Surroundings, cpuid: int, vectors: int) -> None:
        more = {
            0xD14: Register("CCR", reset=1 << 9 | 1 << 3, writable=False),  # STKALIGN, UNALIGN_TRP: always
            0xD1C: Register("SHPR2", bits=0xC000_0000),
            0xD20: Register("SHPR3", bits=0xC0C0_0000),
        }
        super().__init__(around, cpuid, vectors, more)
