"""A chip with a Cortex-M core, as data: what `chips.CHIPS` holds and `machine.Machine` builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hil.board import Board
from hil.emulator.line import Receiver
from hil.emulator.registers import Peripheral
from hil.emulator.surroundings import Surroundings


class Peripherals(Protocol):
    """What a chip has beside its core.

    Attributes:
        receiver: what takes the bytes of the board's serial line.
        all: every peripheral.
    """

    @property
    def receiver(self) -> Receiver: ...
    @property
    def all(self) -> Sequence[Peripheral]: ...


@dataclass(frozen=True)
class Chip:
    """One kind of chip.

    Attributes:
        architecture: its core, a key of `cores.CORES`.
        flash_base: where flash begins.  A board whose image begins elsewhere has a bootloader in front of
            it, which is not modelled.
        vectors_offset: from there to the vector table that the core starts with.
        interrupts: how many the chip has.
        priority_bits: implemented bits of an interrupt's priority.
        make_peripherals: of one machine.
        not_modelled: what the chip has and the emulator has not: first address, end, what.  Elsewhere the
            core takes a bus fault.
    """

    architecture: str
    flash_base: int
    interrupts: int
    priority_bits: int
    make_peripherals: Callable[[Board, Surroundings], Peripherals]
    not_modelled: tuple[tuple[int, int, str], ...]
    vectors_offset: int = 0

    def unmodelled_at(self, address: int) -> str | None:
        """What the chip has at `address`; None where it has nothing."""
        for first, end, what in self.not_modelled:
            if first <= address < end:
                return what
        return None
