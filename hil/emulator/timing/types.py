"""What a timing table gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.emulator.instructions import Instruction


class NoTiming(Exception):
    """The table has no entry for an instruction."""

    def __init__(self, instruction: Instruction) -> None:
        super().__init__(f"no timing for '{instruction.text}'")
        self.instruction = instruction


@dataclass(frozen=True)
class Timing:
    """Cycles of one core at zero wait states.

    Attributes:
        costs: of each instruction of a straight run of code, refills excluded; the first one is charged as
            if nothing came before it.  Raises NoTiming.
        leaving: given the last instruction of such a run, cycles more where it is a branch that is taken, and
            where it is not.
        exception_entry, exception_return: stacking and unstacking.
        exception_return_float: where the frame holds floating-point registers.
    """

    costs: Callable[[Sequence[Instruction]], tuple[int, ...]]
    leaving: Callable[[Instruction], tuple[int, int]]
    exception_entry: int
    exception_return: int
    exception_return_float: int = 0


def refill(cycles: int) -> Callable[[Instruction], tuple[int, int]]:
    """`leaving` of a core that predicts nothing: each branch that is taken refills the pipeline."""
    return lambda last: (cycles, 0)
