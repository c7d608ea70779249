"""Cycles of each Cortex-M0+ instruction at zero wait states.

Source: Arm Cortex-M0+ Technical Reference Manual r0p1 (DDI 0484C), table 3-1.  Two stages, so a taken branch
costs one cycle more than one that is not, and nothing overlaps: the table's figures add up.

    N                   registers in a list

MULS takes 1 or 32 cycles, as the maker of the chip chose; 1 is charged, as RP2040 has it (its data sheet,
2.4.1.1).  A load or store of the single-cycle I/O port takes 1, which cannot be told from the code; 2 is
charged.  ARMv6-M has few instructions; all others are left out, and meeting one is an error: the core would
take a fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.emulator.instructions import PC, Instruction
from hil.emulator.timing.types import NoTiming, Timing, refill

REFILL = 1
MULTIPLY = 1
EXCEPTION_ENTRY = 15  # TRM 3.5 of r0p1: "15 cycles", of the interrupt latency
EXCEPTION_RETURN = 15  # not confirmed: taken as the entry

_ONE = (
    "adc add adr and asr b bic bkpt blx bx cmn cmp cps cpsid cpsie eor hint lsl lsr mov movs mvn neg nop orr "
    "rev rev16 revsh ror rsb sbc sev sub svc sxtb sxth tst udf undefined uxtb uxth yield"
)
_FIXED: dict[str, int] = {
    **dict.fromkeys(_ONE.split(), 1),
    **dict.fromkeys(("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "str", "strb", "strh"), 2),
    **dict.fromkeys(("wfe", "wfi"), 2),
    **dict.fromkeys(("dmb", "dsb", "isb", "mrs", "msr"), 3),
    "mul": MULTIPLY,
    "bl": 3 - REFILL,
}
_LISTS = {"ldm", "pop", "push", "stm"}
_WIDE = {"bl", "dmb", "dsb", "isb", "mrs", "msr", "udf", "undefined"}


def _cost(instruction: Instruction) -> int:
    name = instruction.name
    if instruction.size == 4 and name not in _WIDE:
        raise NoTiming(instruction)
    if name == "pop" and PC in instruction.written:
        return 3 + instruction.registers - REFILL
    if name in _LISTS:
        return 1 + instruction.registers
    if name not in _FIXED:
        raise NoTiming(instruction)
    return _FIXED[name]


def costs(instructions: Sequence[Instruction]) -> tuple[int, ...]:
    """Cycles of each instruction of a straight run of code, refills excluded.

    Raises:
        NoTiming: an instruction that the core has not.
    """
    return tuple(_cost(instruction) for instruction in instructions)


TIMING = Timing(costs, refill(REFILL), EXCEPTION_ENTRY, EXCEPTION_RETURN)
