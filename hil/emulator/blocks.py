"""Basic blocks: straight runs of code, decoded and charged once, and the search for who made an access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from hil.emulator.instructions import Decoder, Instruction
from hil.emulator.timing.types import Timing


@dataclass(frozen=True, slots=True)
class Block:
    """A run of code that the emulator enters at the top only.

    Attributes:
        costs: cycles of each instruction.
        before: cycles of all instructions before each one.
        cycles: of all together, without wait states, and without what leaving it costs.
        leaving: cycles more where the branch at its end is taken, and where it is not.
    """

    address: int
    size: int
    instructions: tuple[Instruction, ...]
    costs: tuple[int, ...]
    before: tuple[int, ...]
    cycles: int
    leaving: tuple[int, int]

    @property
    def end(self) -> int:
        return self.address + self.size

    def index_at(self, address: int) -> int | None:
        """Which instruction starts at `address`."""
        for index, instruction in enumerate(self.instructions):
            if instruction.address == address:
                return index
        return None

    def index_of_access(
        self, address: int, store: bool, register: Callable[[int], int], after: int = -1
    ) -> int | None:
        """Which instruction touches `address`, judged by the registers at that moment.

        The emulator keeps registers exact at each access, but not the program counter.

        Args:
            register: core register number -> value now.
            after: position of the access before, in the same pass through the block: only later ones count.
        """
        for index in range(after + 1, len(self.instructions)):
            access = self.instructions[index].access
            if access is None or access.store != store:
                continue
            start = access.address(self.instructions[index].address, register)
            if (address - start) & 0xFFFF_FFFF < access.bytes:
                return index
        return None


def make_block(decoder: Decoder, timing: Timing, code: bytes, address: int) -> Block:
    """Decode and charge the block `code` at `address`.

    Raises:
        NoTiming: an instruction without an entry in the table.
    """
    instructions = decoder.decode(code, address)
    costs = timing.costs(instructions)
    sums = (0, *accumulate(costs))
    return Block(
        address, len(code), instructions, costs, sums[:-1], sums[-1], timing.leaving(instructions[-1])
    )
