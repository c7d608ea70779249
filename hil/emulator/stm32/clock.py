"""What the clock controllers (RCC) of the families share: enable bits, and a look at what was set up.

When the firmware changes over to its PLL, the frequency has to be the profile's, flash has to have the
profile's wait states, and the supply has to be ready for it.  Otherwise a real chip would run at another
speed, or not at all, and every figure would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hil.board import Board
from hil.emulator.registers import Register, RegisterBlock, Unmodelled

HSI_HZ = 16_000_000


@dataclass(frozen=True)
class Needs:
    """What has to hold when the core changes over to the PLL.

    Attributes:
        wait_states: set in the flash interface.
        supply: None where the voltage is ready for so many Hz, else what is missing.
    """

    wait_states: Callable[[], int]
    supply: Callable[[int], str | None]


class Clock(RegisterBlock):
    """RCC.

    Args:
        registers: those of the family.
        enables: offset -> name and reset value of the enable registers.
    """

    def __init__(
        self,
        base: int,
        registers: Mapping[int, Register],
        enables: Mapping[int, tuple[str, int]],
        board: Board,
        needs: Needs,
    ) -> None:
        self._board, self._needs = board, needs
        switches = {offset: Register(name, reset=reset) for offset, (name, reset) in enables.items()}
        super().__init__("RCC", base, 0x400, {**registers, **switches})

    def clocks(self, offset: int, bit: int) -> Callable[[], bool]:
        """Whether a peripheral has a clock: bit `bit` of the enable register at `offset`."""
        return lambda: bool(self.value(offset) >> bit & 1)

    def check(self, hz: float) -> None:
        """The core now runs at `hz`.

        Raises:
            Unmodelled: at another speed than the profile says, or before flash and supply are ready.
        """
        wanted, waits = self._board.core.clock_hz, self._board.flash.wait_states
        if hz != wanted:
            raise Unmodelled(f"the core is clocked at {hz:,.0f} Hz, the board profile says {wanted:,}")
        found = self._needs.wait_states()
        if found != waits:
            raise Unmodelled(
                f"the core is clocked at {wanted:,} Hz with {found} wait states of flash, "
                f"the board profile says {waits}"
            )
        missing = self._needs.supply(wanted)
        if missing is not None:
            raise Unmodelled(f"the core is clocked at {wanted:,} Hz while {missing}")


def ready(value: int, *pairs: tuple[int, int]) -> int:
    """`value` with each bit `flag` as its bit `switch` is: what is switched on is ready at once."""
    for switch, flag in pairs:
        value = value & ~(1 << flag) | (value >> switch & 1) << flag
    return value


class Flash(RegisterBlock):
    """ACR of the flash interface.

    Args:
        bits: those that the firmware sets.
        on_write: told the new value.
    """

    def __init__(self, base: int, bits: int, on_write: Callable[[int], None] | None = None) -> None:
        super().__init__("FLASH", base, 0x400, {0x00: Register("ACR", bits=bits, on_write=on_write)})

    def wait_states(self) -> int:
        return self.value(0x00) & 0xF
