"""System control block of an ARMv7-M core.

ARMv7-M Architecture Reference Manual, B3.2; what the firmware's start-up and faults use.
"""

from __future__ import annotations

from hil.emulator.cortex_m.system_block import Surroundings, SystemBlock
from hil.emulator.registers import Register

_CCR, _SHCSR, _CFSR, _HFSR, _MMFAR, _BFAR = 0xD14, 0xD24, 0xD28, 0xD2C, 0xD34, 0xD38
_CPACR, _DEMCR = 0xD88, 0xDFC
_DIV_0_TRP, _STKALIGN, _TRCENA = 1 << 4, 1 << 9, 1 << 24
_FLOAT_UNIT = 0xF << 20


class SystemControl(SystemBlock):
    """SCB with its fault status registers, and DEMCR of the debug block in the same page."""

    def __init__(self, around: Surroundings, cpuid: int, vectors: int) -> None:
        self._sticky: dict[int, int] = {}
        more = {
            _CCR: Register("CCR", reset=_STKALIGN, bits=_STKALIGN | _DIV_0_TRP),
            0xD18: Register("SHPR1", bits=0x00FF_FFFF),
            0xD1C: Register("SHPR2", bits=0xFF00_0000),
            0xD20: Register("SHPR3", bits=0xFFFF_00FF),
            _SHCSR: Register("SHCSR", bits=7 << 16),
            _CFSR: Register("CFSR", on_write=lambda bits: self._clear(_CFSR, bits)),
            _HFSR: Register("HFSR", on_write=lambda bits: self._clear(_HFSR, bits)),
            _MMFAR: Register("MMFAR"),
            _BFAR: Register("BFAR"),
            _CPACR: Register("CPACR", bits=_FLOAT_UNIT),
            _DEMCR: Register("DEMCR", bits=_TRCENA),
        }
        super().__init__(around, cpuid, vectors, more)

    def reset(self) -> None:
        super().reset()
        self._sticky = {_CFSR: 0, _HFSR: 0}

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

    def record_fault(self, status: int, *, hard: int = 0, address: int | None = None) -> None:
        """Set bits of CFSR and HFSR, and BFAR where `address` is given."""
        self._sticky[_CFSR] |= status
        self._sticky[_HFSR] |= hard
        for register, bits in self._sticky.items():
            self.set_value(register, bits)
        if address is not None:
            self.set_value(_BFAR, address)

    def _clear(self, register: int, bits: int) -> None:
        self._sticky[register] &= ~bits
        self.set_value(register, self._sticky[register])
