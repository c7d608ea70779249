"""Cortex-M33: three stages, one instruction a cycle, and some pairs of 16-bit ones.

Arm publishes no table for this core.  What is public, and what the rules below are made of:

    Arm's presentation of the pipeline, as told in "Cortex-M23 und M33 sind erste ARMv8-M-CPUs"
    (elektroniknet.de, 2016): addresses, simple arithmetic, shifts and all branches in the second stage;
    products, packed arithmetic and division in the third; pairs of 16-bit instructions and branches may
    issue together; loads need one cycle, where Cortex-M4 needs two; interrupts are entered in 12.
    A loop of `subs` and `bne` takes 3 cycles (i.MX RT685, measured by the authors of embassy-imxrt, pull
    request 433: a delay of two cycles an iteration came out 50 % too long).

From that: what the third stage yields (loaded words, products, packed results) can be used by the next
instruction only where that works in the third stage, too (a sum, data that is stored); otherwise it waits a
cycle.  A taken branch costs REFILL; the loop above is subs 1, bne 1, refill 1.

Not confirmed: division (taken as for Cortex-M4), lists at one word a cycle, jumps through memory, the
floating-point unit (as Cortex-M4), and which pairs issue together.  Taken here: two 16-bit instructions of
which the second needs nothing of the first, and that are not both accesses to memory, nor both work of the
third stage.  Alignment of pairs and of branch targets is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.emulator.instructions import PC, Instruction
from hil.emulator.timing import kinds
from hil.emulator.timing.types import NoTiming, Timing, refill

REFILL = 1
DIVIDE = 7  # SDIV, UDIV take 2 to 12 on Cortex-M4 by their operands
LOAD_TO_PC = 2  # the target comes out of the third stage
TABLE_BRANCH = 3
FLOAT_DIVIDE = 14
EXCEPTION_ENTRY = 12
EXCEPTION_RETURN = 10  # as Cortex-M4; not confirmed
EXCEPTION_RETURN_FLOAT = 27  # as Cortex-M4; not confirmed

_LOADS = kinds.WORD_LOADS | kinds.NARROW_LOADS
_MEMORY = _LOADS | kinds.STORES | kinds.DOUBLES | kinds.LISTS | kinds.FLOAT_LOADS | kinds.TABLE_BRANCHES
_THIRD_STAGE = (
    kinds.MULTIPLY | kinds.ACCUMULATE | kinds.PARALLEL | kinds.SATURATE | kinds.EXTEND_AND_ADD | kinds.DIVIDE
)
_LATE = _LOADS | _THIRD_STAGE | {"ldrd", "ldm", "ldmdb", "pop"}

_CYCLES: dict[str, int] = {
    **dict.fromkeys(kinds.SIMPLE | kinds.SHIFT | kinds.FIELD | kinds.EXTEND | kinds.REVERSE | kinds.COUNT, 1),
    **dict.fromkeys(_THIRD_STAGE, 1),
    **dict.fromkeys(_LOADS | kinds.STORES | kinds.BRANCHES | kinds.SYSTEM | kinds.FLOAT, 1),
    **dict.fromkeys(kinds.DIVIDE, DIVIDE),
    **dict.fromkeys(kinds.DOUBLES, 2),
    **dict.fromkeys(kinds.TABLE_BRANCHES, TABLE_BRANCH),
    **dict.fromkeys(kinds.FLOAT_ACCUMULATES, 3),
    **dict.fromkeys(kinds.FLOAT_DIVIDES, FLOAT_DIVIDE),
    **dict.fromkeys(("mrs", "msr"), 2),  # Cortex-M4: "1 or 2"
    "isb": 1 + REFILL,
}


def _cycles(instruction: Instruction) -> int:
    name = instruction.name
    if name in kinds.LISTS:
        words = instruction.registers * (2 if instruction.doubles else 1)
        return max(1, words) + (LOAD_TO_PC - 1 if PC in instruction.written else 0)
    if name in kinds.FLOAT_LOADS:
        return 2 if instruction.doubles else 1
    if name in _LOADS and PC in instruction.written:
        return LOAD_TO_PC
    if name not in _CYCLES:
        raise NoTiming(instruction)
    return _CYCLES[name]


def _waits(instruction: Instruction, previous: Instruction) -> bool:
    """Whether `instruction` needs, in the second stage, what `previous` yields in the third."""
    if previous.name not in _LATE:
        return False
    needed = instruction.read
    access = instruction.access
    if access is not None and access.store:
        needed = frozenset(r for r in (access.base, access.index) if r is not None)
    elif instruction.name in _THIRD_STAGE:
        return False
    late = previous.written
    if previous.access is not None and previous.writes_back:
        late -= {previous.access.base}  # an address, known in the second stage
    return bool(needed & late)


def _pairs(first: Instruction, second: Instruction) -> bool:
    if first.size != 2 or second.size != 2 or _cycles(first) != 1 or _cycles(second) != 1:
        return False
    names = {first.name, second.name}
    if names & kinds.SYSTEM or first.name in kinds.BRANCHES or names & kinds.LISTS:
        return False
    if second.read & first.written or second.written & first.written:
        return False
    return not any(first.name in units and second.name in units for units in (_MEMORY, _THIRD_STAGE))


def costs(instructions: Sequence[Instruction]) -> tuple[int, ...]:
    """Cycles that each instruction adds to those before it: 0 where it issues together with one.

    Raises:
        NoTiming: an instruction that the table does not list.
    """
    result: list[int] = []
    for index, instruction in enumerate(instructions):
        cycles = _cycles(instruction)
        previous = instructions[index - 1] if index else None
        if previous is not None:
            if result[-1] == 1 and _pairs(previous, instruction):
                cycles = 0
            elif _waits(instruction, previous):
                cycles += 1
        result.append(cycles)
    return tuple(result)


TIMING = Timing(costs, refill(REFILL), EXCEPTION_ENTRY, EXCEPTION_RETURN, EXCEPTION_RETURN_FLOAT)
