"""RESETS, and what restarts the chip: PSM and WATCHDOG.  RP2040 data sheet, 2.14, 2.13 and 4.7.

The second boot stage has run before the emulation begins: it leaves the flash chip's unique number in
SCRATCH0 and SCRATCH1 (firmware/lib/port/rp2040/boot2), where the emulated chip has "EMULATED".
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator.registers import Register, Unmodelled
from hil.emulator.rp2040.atomic import AtomicBlock

RESETS_BASE, PSM_BASE, WATCHDOG_BASE = 0x4000_C000, 0x4001_0000, 0x4005_8000
UNIT_ID = b"EMULATED"
_RESET, _RESET_DONE = 0x0, 0x8
_ALL_HELD = 0x01FF_FFFF
_BITS = {"IO_BANK0": 5, "PADS_BANK0": 8, "PLL_SYS": 12, "TIMER": 21, "UART0": 22}
_WDSEL = 0x8
_ALL_BUT_OSCILLATORS = 0x0001_FFFC
_CTRL, _TICK = 0x00, 0x2C
_TRIGGER = 1 << 31
_TICK_ENABLE, _TICK_RUNNING = 1 << 9, 1 << 10
_REFERENCE_MHZ = 12


class Resets(AtomicBlock):
    """Which peripherals are held in reset.  Those that are not modelled must stay there."""

    def __init__(self) -> None:
        modelled = sum(1 << bit for bit in _BITS.values())
        super().__init__(
            "RESETS",
            RESETS_BASE,
            {
                _RESET: Register("RESET", reset=_ALL_HELD, bits=_ALL_HELD, on_write=self._check),
                _RESET_DONE: Register(
                    "RESET_DONE", on_read=lambda: ~self.value(_RESET) & _ALL_HELD, writable=False
                ),
            },
        )
        self._modelled = modelled

    def holds(self, name: str) -> Callable[[], bool]:
        """A function that says whether the peripheral `name` is held in reset."""
        bit = 1 << _BITS[name]
        return lambda: bool(self.value(_RESET) & bit)

    def _check(self, value: int) -> None:
        released = ~value & _ALL_HELD & ~self._modelled
        if released:
            raise Unmodelled(f"RESETS lets go of peripherals that are not modelled: bits 0x{released:08x}")


class PowerOnStates(AtomicBlock):
    """PSM: what a reset by the watchdog reaches."""

    def __init__(self) -> None:
        super().__init__("PSM", PSM_BASE, {_WDSEL: Register("WDSEL", bits=0x0001_FFFF)})

    @property
    def resets_all(self) -> bool:
        """Whether the watchdog resets everything but the oscillators."""
        return self.value(_WDSEL) & _ALL_BUT_OSCILLATORS == _ALL_BUT_OSCILLATORS


class Watchdog(AtomicBlock):
    """TICK, the trigger, and the scratch registers of the second boot stage.

    Args:
        states: what its reset reaches.
        restart: resets the machine.
    """

    def __init__(self, states: PowerOnStates, restart: Callable[[], None]) -> None:
        self._states, self._restart = states, restart
        scratch = {
            0x0C + 4 * n: Register(
                f"SCRATCH{n}", reset=int.from_bytes(UNIT_ID[4 * n : 4 * n + 4], "little"), writable=False
            )
            for n in range(2)
        }
        super().__init__(
            "WATCHDOG",
            WATCHDOG_BASE,
            {
                _CTRL: Register(
                    "CTRL", reset=0x0700_0000, bits=_TRIGGER | 0x0700_0000, on_write=self._control
                ),
                _TICK: Register("TICK", reset=_TICK_ENABLE, bits=0x3FF, on_read=self._tick),
                **scratch,
            },
        )

    @property
    def ticks_microseconds(self) -> bool:
        """Whether TIMER gets a tick each microsecond: 12 of the crystal's."""
        return self.value(_TICK) == _TICK_ENABLE | _REFERENCE_MHZ

    def _tick(self) -> int:
        value = self.value(_TICK)
        return value | (_TICK_RUNNING if value & _TICK_ENABLE else 0)

    def _control(self, value: int) -> None:
        if value & _TRIGGER:
            if not self._states.resets_all:
                raise Unmodelled("the watchdog is triggered, but PSM.WDSEL leaves parts of the chip running")
            self._restart()
