"""CLOCK and POWER, which share their address space.

nRF52840 product specification, chapters "CLOCK" and "POWER".

The crystal is there at once; the regulator changes nothing here, as power comes from the board profile.
"""

from __future__ import annotations

from hil.emulator.registers import Register, RegisterBlock, task

BASE = 0x4000_0000
_HFCLKSTARTED, _HFCLKSTAT = 0x100, 0x40C
_FROM_CRYSTAL_AND_RUNNING = 1 | 1 << 16


class ClockPower(RegisterBlock):
    """The registers that a start-up touches."""

    def __init__(self) -> None:
        super().__init__(
            "CLOCK/POWER",
            BASE,
            0x1000,
            {
                0x000: task("TASKS_HFCLKSTART", self._start_crystal),
                0x004: task("TASKS_HFCLKSTOP", lambda: self.set_value(_HFCLKSTAT, 0)),
                _HFCLKSTARTED: Register("EVENTS_HFCLKSTARTED", bits=0),
                _HFCLKSTAT: Register("HFCLKSTAT", writable=False),
                # Chapter "Debug and trace", access port protection: kept open or not, no debugger is here.
                0x558: Register("APPROTECT.DISABLE", bits=0xFF, readable=False),
                0x578: Register("DCDCEN", bits=1),
            },
        )

    def _start_crystal(self) -> None:
        self.set_value(_HFCLKSTARTED, 1)
        self.set_value(_HFCLKSTAT, _FROM_CRYSTAL_AND_RUNNING)
