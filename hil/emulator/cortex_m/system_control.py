"""System control block.

ARMv7-M Architecture Reference Manual, B3.2; what the firmware's start-up and faults use.
"""

from __future__ import annotations

from typing import Protocol

from hil.emulator.registers import Register, RegisterBlock, Unmodelled

BASE = 0xE000_E000
_VTOR, _AIRCR, _SCR, _CCR = 0xD08, 0xD0C, 0xD10, 0xD14
_SHPR1, _SHCSR, _CFSR, _HFSR, _MMFAR, _BFAR = 0xD18, 0xD24, 0xD28, 0xD2C, 0xD34, 0xD38
_CPACR, _DEMCR = 0xD88, 0xDFC
_SEVONPEND, _DIV_0_TRP, _STKALIGN, _TRCENA = 1 << 4, 1 << 4, 1 << 9, 1 << 24
_KEY, _SYSRESETREQ = 0x05FA, 1 << 2
_FLOAT_UNIT = 0xF << 20


class Surroundings(Protocol):
    """What the block acts upon."""

    def request_reset(self) -> None: ...
    def active_exception(self) -> int: ...


class SystemControl(RegisterBlock):
    """SCB, and DEMCR of the debug block in the same page.

    Args:
        cpuid: what CPUID reads.
        vectors: where the vector table lies after reset.
    """

    def __init__(self, around: Surroundings, cpuid: int, vectors: int) -> None:
        self._around = around
        self._sticky: dict[int, int] = {}
        super().__init__(
            "SCB",
            BASE,
            0x1000,
            {
                0xD00: Register("CPUID", reset=cpuid, writable=False),
                0xD04: Register("ICSR", on_read=around.active_exception, writable=False),
                _VTOR: Register("VTOR", reset=vectors, bits=0xFFFF_FF80),
                _AIRCR: Register("AIRCR", on_read=lambda: 0xFA05_0000, on_write=self._control_reset),
                _SCR: Register("SCR", bits=_SEVONPEND),
                _CCR: Register("CCR", reset=_STKALIGN, bits=_STKALIGN | _DIV_0_TRP),
                _SHPR1: Register("SHPR1", bits=0x00FF_FFFF),
                0xD1C: Register("SHPR2", bits=0xFF00_0000),
                0xD20: Register("SHPR3", bits=0xFFFF_00FF),
                _SHCSR: Register("SHCSR", bits=7 << 16),
                _CFSR: Register("CFSR", on_write=lambda bits: self._clear(_CFSR, bits)),
                _HFSR: Register("HFSR", on_write=lambda bits: self._clear(_HFSR, bits)),
                _MMFAR: Register("MMFAR"),
                _BFAR: Register("BFAR"),
                _CPACR: Register("CPACR", bits=_FLOAT_UNIT),
                _DEMCR: Register("DEMCR", bits=_TRCENA),
            },
        )

    def reset(self) -> None:
        super().reset()
        self._sticky = {_CFSR: 0, _HFSR: 0}

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
        return bool(self.value(_CCR) & _DIV_0_TRP)

    @property
    def float_unit_enabled(self) -> bool:
        return self.value(_CPACR) & _FLOAT_UNIT == _FLOAT_UNIT

    @property
    def trace_enabled(self) -> bool:
        return bool(self.value(_DEMCR) & _TRCENA)

    def fault_enabled(self, exception: int) -> bool:
        """Whether MemManage (4), BusFault (5) or UsageFault (6) has its own handler."""
        return bool(self.value(_SHCSR) >> (exception + 12) & 1)

    def priority(self, exception: int) -> int:
        """Of an exception with a priority that can be set (4 to 15)."""
        return self.value(_SHPR1 + 4 * ((exception - 4) // 4)) >> 8 * (exception % 4) & 0xFF

    def record_fault(
        self, status: int, *, hard: int = 0, address: int | None = None, memory: bool = False
    ) -> None:
        """Set bits of CFSR and HFSR, and MMFAR or BFAR where `address` is given."""
        self._sticky[_CFSR] |= status
        self._sticky[_HFSR] |= hard
        for register, bits in self._sticky.items():
            self.set_value(register, bits)
        if address is not None:
            self.set_value(_MMFAR if memory else _BFAR, address)

    def _clear(self, register: int, bits: int) -> None:
        self._sticky[register] &= ~bits
        self.set_value(register, self._sticky[register])

    def _control_reset(self, value: int) -> None:
        if value >> 16 != _KEY:
            raise Unmodelled(f"SCB.AIRCR is written without its key: 0x{value:08x}")
        if value & 0xFFFF & ~_SYSRESETREQ:
            raise Unmodelled(f"SCB.AIRCR: only SYSRESETREQ is modelled, 0x{value:08x} is written")
        if value & _SYSRESETREQ:
            self._around.request_reset()
