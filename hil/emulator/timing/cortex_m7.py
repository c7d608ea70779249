"""Cortex-M7: which instructions issue together, and how long results take.

Arm publishes no table for this core.  The pipeline below is that of LLVM's ARMScheduleM7.td, written by
people at Arm; where it is silent, that of GCC's cortex-m7.md.  Measurements of others agree: `subs` and a
predicted `bne` make a loop of one cycle (rust-embedded/cortex-m issue 430), operations on packed values
issue only ahead of their partner, and only one operand a cycle passes the shifter.

    stage   what happens there                                       operand needed there is
    EX1     addresses, shifted operands; base registers updated       "early": a cycle before
    EX2     arithmetic; words that were loaded                        (the point of reference)
    EX3     products; bytes and halfwords that were loaded            "late": a cycle after
            sum that a product is added to, data that is stored

Two instructions issue in one cycle where nothing the second needs is still on its way, their pipes are
free (two for arithmetic, two for loads, one of each other kind), and neither has to issue alone.  In order:
where the first waits, so does the second.

Two words loaded in one cycle come from different banks, told apart by bit 2 of the address (the core has
D0TCM and D1TCM, and a data cache of two banks).  The model knows that only for two loads from one base.

Branches are predicted: backward taken, forward not; a wrong one costs MISPREDICT, and so does every jump
whose target is in a register or comes from memory.  The real predictor learns, so this is an upper bound
for forward branches.

Left out: what is on its way where a block ends, the alignment of branch targets, immediates that occupy the
shifter, results of the floating-point unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.emulator.instructions import PC, Instruction
from hil.emulator.timing import kinds
from hil.emulator.timing.types import NoTiming, Timing

MISPREDICT = 6  # ARMScheduleM7.td: "Mispredict cost for forward branches is 6"
DIVIDE = 7  # ARMScheduleM7.td; 4 in cortex-m7.md
TABLE_BRANCH = 2  # ARMScheduleM7.td; its target comes from memory besides
FLOAT_DIVIDE = 16  # both
EXCEPTION_ENTRY = 12  # as Cortex-M4; not confirmed
EXCEPTION_RETURN = 10  # as Cortex-M4; not confirmed
EXCEPTION_RETURN_FLOAT = 27  # as Cortex-M4; not confirmed

_PIPES = {"alu": 2, "load": 2, "shift": 1, "mac": 1, "store": 1, "packed": 1, "branch": 1, "float": 1}


@dataclass(frozen=True)
class _Issue:
    """How an instruction issues.

    Attributes:
        pipes: that it occupies.
        latency: cycles until arithmetic can use its result.
        alone: cycles that it issues by itself; 0 where it may have a partner.
        first: only ahead of its partner.
    """

    pipes: tuple[str, ...] = ()
    latency: int = 1
    alone: int = 0
    first: bool = False


_KINDS: tuple[tuple[frozenset[str], _Issue], ...] = (
    (kinds.SIMPLE, _Issue(("alu",))),
    (kinds.SHIFT, _Issue(("alu", "shift"))),
    (frozenset({"bfc", "bfi"}), _Issue(("alu", "shift"), first=True)),
    (frozenset({"sbfx", "ubfx"}), _Issue(("packed", "alu", "shift"), first=True)),
    (kinds.EXTEND, _Issue(("packed", "alu"), first=True)),
    (kinds.EXTEND_AND_ADD, _Issue(("packed", "alu", "shift"), first=True)),
    (kinds.REVERSE, _Issue(("packed", "alu", "shift"), latency=0, first=True)),
    (kinds.COUNT, _Issue(("alu",), first=True)),
    (kinds.PARALLEL, _Issue(("packed", "alu"), first=True)),
    (kinds.SATURATE, _Issue(("packed", "alu"), latency=2, first=True)),
    (kinds.MULTIPLY | kinds.ACCUMULATE, _Issue(("mac",), latency=2)),
    (kinds.DIVIDE, _Issue(alone=DIVIDE)),
    (kinds.WORD_LOADS, _Issue(("load",))),
    (kinds.NARROW_LOADS, _Issue(("load",), latency=2)),
    (kinds.STORES, _Issue(("store",))),
    (kinds.DOUBLES, _Issue(alone=1)),
    (kinds.TABLE_BRANCHES, _Issue(alone=TABLE_BRANCH)),
    (kinds.BRANCHES, _Issue(("branch",))),
    (kinds.SYSTEM, _Issue(alone=1, latency=3)),
    (kinds.FLOAT_DIVIDES, _Issue(alone=FLOAT_DIVIDE)),
    (kinds.FLOAT_LOADS | kinds.FLOAT_ACCUMULATES | kinds.FLOAT, _Issue(("float",))),
)
_ISSUES = {name: issue for names, issue in _KINDS for name in names}
_SLOT_ONLY = _Issue()  # IT and NOP: a place in the pair, and no pipe
_EARLY = kinds.FIELD - {"bfc", "bfi"} | kinds.REVERSE | {"ssat", "usat", "qdadd", "qdsub"}


def _issue(instruction: Instruction) -> _Issue:
    name = instruction.name
    if name in kinds.LISTS:
        words = instruction.registers * (2 if instruction.doubles else 1)
        return _Issue(alone=max(1, (words + 1) // 2))  # two words a cycle (cortex-m7.md)
    if name in ("it", "nop", "hint"):
        return _SLOT_ONLY
    if name not in _ISSUES:
        raise NoTiming(instruction)
    issue = _ISSUES[name]
    if instruction.shifted and name in kinds.SIMPLE:
        return _Issue(("alu", "shift"), latency=2 if name in ("cmp", "cmn", "teq", "tst") else 1)
    return issue


def _needed_after(register: int, instruction: Instruction) -> int:
    """Cycles from EX2 to where `instruction` needs `register`."""
    name, access = instruction.name, instruction.access
    if access is not None and register in (access.base, access.index):
        return -1
    if access is not None and access.store:
        return 1
    if name in kinds.ACCUMULATE and register in instruction.added:
        return 1
    if name in _EARLY or register in instruction.shifted:
        return -1
    return 0


class _Pipeline:
    """The cycle that issues now: -1 before the first."""

    def __init__(self) -> None:
        self.cycle = -1
        self._partner: Instruction | None = None  # what issued in this cycle and may be joined
        self._pipes: tuple[str, ...] = ()
        self._ready: dict[int, int] = {}  # register -> cycle in which arithmetic can use it

    def issue(self, instruction: Instruction) -> None:
        how = _issue(instruction)
        waits_for_nothing = instruction.name in kinds.BRANCHES or instruction.name == "it"
        earliest = max(
            (
                self._ready[register] - _needed_after(register, instruction)
                for register in (() if waits_for_nothing else instruction.read)
                if register in self._ready
            ),
            default=0,
        )
        if self._joins(instruction, how, earliest):
            self._partner = None
        else:
            self.cycle = max(self.cycle + 1, earliest) + max(0, how.alone - 1)
            self._partner = None if how.alone else instruction
            self._pipes = how.pipes
        for register in instruction.written:
            self._ready[register] = self.cycle + how.latency
        if instruction.access is not None and instruction.writes_back:
            self._ready[instruction.access.base] = self.cycle  # updated in EX1

    def _joins(self, instruction: Instruction, how: _Issue, earliest: int) -> bool:
        partner = self._partner
        if partner is None or how.alone or how.first or earliest > self.cycle:
            return False
        wanted = (*self._pipes, *how.pipes)
        return all(wanted.count(pipe) <= _PIPES[pipe] for pipe in how.pipes) and not _same_bank(
            partner, instruction
        )


def _same_bank(first: Instruction, second: Instruction) -> bool:
    one, other = first.access, second.access
    if one is None or other is None or one.store or other.store:
        return False
    if one.base != other.base or one.index is not None or other.index is not None or one.base == PC:
        return False
    return (one.displacement ^ other.displacement) & 4 == 0


def costs(instructions: Sequence[Instruction]) -> tuple[int, ...]:
    """Cycles that each instruction adds to those before it: 0 where it issues together with one.

    Raises:
        NoTiming: an instruction that the model does not know.
    """
    pipeline = _Pipeline()
    result = []
    for instruction in instructions:
        before = pipeline.cycle
        pipeline.issue(instruction)
        result.append(pipeline.cycle - before)
    return tuple(result)


def leaving(last: Instruction) -> tuple[int, int]:
    """Cycles more where the branch `last` is taken, and where it is not."""
    if last.target is None:
        return MISPREDICT, 0
    if not last.read - {PC}:
        return 0, 0  # always taken
    return (0, MISPREDICT) if last.target <= last.address else (MISPREDICT, 0)


TIMING = Timing(costs, leaving, EXCEPTION_ENTRY, EXCEPTION_RETURN, EXCEPTION_RETURN_FLOAT)
