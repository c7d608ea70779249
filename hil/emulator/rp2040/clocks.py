"""Crystal, PLL and clock multiplexers.  RP2040 data sheet, 2.16, 2.18 and 2.15.

Oscillator and PLL are stable at once.  Time is charged in cycles of the profile's clock, whatever the
firmware runs at before it has set it; what it sets must come to that clock.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, Unmodelled
from hil.emulator.rp2040.atomic import AtomicBlock

XOSC_BASE, PLL_SYS_BASE, CLOCKS_BASE = 0x4002_4000, 0x4002_8000, 0x4000_8000
CRYSTAL_HZ = 12_000_000  # of the Pico
_CTRL, _STATUS, _STARTUP = 0x00, 0x04, 0x0C
_ENABLED_1_TO_15_MHZ = 0xFAB << 12 | 0xAA0
_STABLE = 1 << 31
_CS, _PWR, _FBDIV, _PRIM = 0x0, 0x4, 0x8, 0xC
_LOCK = 1 << 31
_OFF = 1 << 5 | 1 << 3 | 1 << 2 | 1  # VCOPD, POSTDIVPD, DSMPD, PD
_NEEDED = 1 << 5 | 1 << 3 | 1
_VCO_HZ = range(750_000_000, 1_600_000_001)
_REF_CTRL, _REF_SELECTED, _SYS_CTRL, _SYS_SELECTED, _PERI_CTRL = 0x30, 0x38, 0x3C, 0x44, 0x48
_REF_FROM_CRYSTAL, _SYS_FROM_PLL, _PERI_ENABLE = 2, 1, 1 << 11


class Crystal(AtomicBlock):
    """XOSC."""

    def __init__(self) -> None:
        super().__init__(
            "XOSC",
            XOSC_BASE,
            {
                _CTRL: Register("CTRL", bits=0x00FF_FFFF),
                _STATUS: Register("STATUS", on_read=lambda: _STABLE if self.runs else 0, writable=False),
                _STARTUP: Register("STARTUP", reset=0xC4, bits=0x3FFF),
            },
        )

    @property
    def runs(self) -> bool:
        return self.value(_CTRL) == _ENABLED_1_TO_15_MHZ


class SystemPll(AtomicBlock):
    """PLL_SYS."""

    def __init__(self, crystal: Crystal, in_reset: Callable[[], bool]) -> None:
        self._crystal = crystal
        super().__init__(
            "PLL_SYS",
            PLL_SYS_BASE,
            {
                _CS: Register("CS", reset=1, bits=0x3F, on_read=self._status),
                _PWR: Register("PWR", reset=_OFF, bits=_OFF),
                _FBDIV: Register("FBDIV_INT", bits=0xFFF),
                _PRIM: Register("PRIM", reset=0x7_7000, bits=0x7_7000),
            },
            in_reset,
        )

    @property
    def output_hz(self) -> float | None:
        """What it gives; None where it does not run."""
        if not self._locked or self.value(_PWR) & _NEEDED:
            return None
        primary = self.value(_PRIM)
        return self._vco_hz / (primary >> 16 & 7) / (primary >> 12 & 7)

    @property
    def _vco_hz(self) -> float:
        return CRYSTAL_HZ / (self.value(_CS) & 0x3F) * self.value(_FBDIV)

    @property
    def _locked(self) -> bool:
        powered = not self.value(_PWR) & (1 << 5 | 1)
        return powered and self._crystal.runs and int(self._vco_hz) in _VCO_HZ

    def _status(self) -> int:
        return self.value(_CS) | (_LOCK if self._locked else 0)


class Clocks(AtomicBlock):
    """CLK_REF, CLK_SYS and CLK_PERI.

    Args:
        clock_hz: of the board profile; CLK_SYS must come to it.
    """

    def __init__(self, crystal: Crystal, pll: SystemPll, clock_hz: int) -> None:
        self._crystal, self._pll, self._clock_hz = crystal, pll, clock_hz
        super().__init__(
            "CLOCKS",
            CLOCKS_BASE,
            {
                _REF_CTRL: Register("CLK_REF_CTRL", bits=3, on_write=self._check_reference),
                _REF_SELECTED: Register(
                    "CLK_REF_SELECTED", on_read=lambda: 1 << self.value(_REF_CTRL), writable=False
                ),
                _SYS_CTRL: Register("CLK_SYS_CTRL", bits=0xE1, on_write=self._check_system),
                _SYS_SELECTED: Register(
                    "CLK_SYS_SELECTED", on_read=lambda: 1 << (self.value(_SYS_CTRL) & 1), writable=False
                ),
                _PERI_CTRL: Register("CLK_PERI_CTRL", bits=_PERI_ENABLE),
            },
        )

    @property
    def peripheral_hz(self) -> int | None:
        """CLK_PERI, which follows CLK_SYS; None where it is off, or not at its final rate yet."""
        ready = self.value(_SYS_CTRL) == _SYS_FROM_PLL and self.value(_PERI_CTRL) & _PERI_ENABLE
        return self._clock_hz if ready else None

    @property
    def reference_is_crystal(self) -> bool:
        return self.value(_REF_CTRL) == _REF_FROM_CRYSTAL

    def _check_reference(self, value: int) -> None:
        if value not in (0, _REF_FROM_CRYSTAL) or (value and not self._crystal.runs):
            raise Unmodelled(
                f"CLOCKS.CLK_REF_CTRL is set to {value}: 0, and 2 with the crystal on, are modelled"
            )

    def _check_system(self, value: int) -> None:
        if value == 0:
            return
        if value != _SYS_FROM_PLL or self._pll.output_hz != self._clock_hz:
            raise Unmodelled(
                f"CLOCKS.CLK_SYS_CTRL is set to 0x{value:02x} with PLL_SYS at {self._pll.output_hz} Hz; "
                f"the board profile says {self._clock_hz:,} Hz"
            )
