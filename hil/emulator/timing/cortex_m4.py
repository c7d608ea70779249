"""Cycles of each Cortex-M4 instruction at zero wait states.

Source: Arm Cortex-M4 Technical Reference Manual r0p1 (DDI 0439D), tables 3-1 (core) and 3-2 (DSP), section
3.3.2 (load and store timings) and table 7-1 (floating-point unit).  Where the manual gives a range, the
constants below say which value is taken.

    P   REFILL          refill of the pipeline, added where a branch is taken ("1 to 3": 2 came nearest to
                        published latencies, docs/emulator.md)
    N                   registers in a list

A taken branch is seen when the program runs, so REFILL is not part of the costs here.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.emulator.instructions import PC, Instruction
from hil.emulator.timing.types import NoTiming, Timing, refill

REFILL = 2
DIVIDE = 7  # SDIV, UDIV take 2 to 12 by their operands; the manual does not say how
LOAD_TO_PC = 5 - REFILL  # "at least five cycles", of which three refill the pipeline (3.3.2)
TABLE_BRANCH = 6 - REFILL  # TBB, TBH: "at least six cycles" (3.3.2); table 3-1 has 2 + P
SPECIAL_REGISTER = 2  # MRS, MSR: "1 or 2"
EXCEPTION_ENTRY = 12  # 3.9.1, zero wait states; with lazy stacking also where floats are in use
EXCEPTION_RETURN = 10  # 3.9.1
EXCEPTION_RETURN_FLOAT = 27  # 3.9.1, where the frame holds floating-point registers

_ONE = (
    "adc add addw adr and asr bfc bfi bic clz clrex cmn cmp eor lsl lsr mov movs movt movw mvn mul mla "
    "mls neg nop orn orr pkhbt pkhtb qadd qadd16 qadd8 qasx qdadd qdsub qsax qsub qsub16 qsub8 rbit rev "
    "rev16 revsh ror rrx rsb sadd16 sadd8 sasx sbc sbfx sel shadd16 shadd8 shasx shsax shsub16 shsub8 "
    "smlabb smlabt smlad smladx smlal smlalbb smlalbt smlald smlaldx smlaltb smlaltt smlatb smlatt smlawb "
    "smlawt smlsd smlsdx smlsld smlsldx smmla smmlar smmls smmlsr smmul smmulr smuad smuadx smulbb smulbt "
    "smull smultb smultt smulwb smulwt smusd smusdx ssat ssat16 ssax ssub16 ssub8 sub subw sxtab sxtab16 "
    "sxtah sxtb sxtb16 sxth teq tst uadd16 uadd8 uasx ubfx uhadd16 uhadd8 uhasx uhsax uhsub16 uhsub8 "
    "umaal umlal umull uqadd16 uqadd8 uqasx uqsax uqsub16 uqsub8 usad8 usada8 usat usat16 usax usub16 "
    "usub8 uxtab uxtab16 uxtah uxtb uxtb16 uxth b bl blx bx cbz cbnz sev wfe wfi yield hint cps cpsie "
    "cpsid dmb dsb pld svc bkpt udf undefined fconsts fmstat vabs vadd vcmp vcmpe vcvt vcvtr vcvtb vcvtt "
    "vmov fmdhr fmdlr vmrs vmsr vmul vneg vnmul vsub "
)

_FIXED: dict[str, int] = {
    **dict.fromkeys(_ONE.split(), 1),
    **dict.fromkeys(("sdiv", "udiv"), DIVIDE),
    **dict.fromkeys(("mrs", "msr"), SPECIAL_REGISTER),
    **dict.fromkeys(("tbb", "tbh"), TABLE_BRANCH),
    **dict.fromkeys(("ldrd", "strd"), 3),
    **dict.fromkeys(("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms"), 3),
    **dict.fromkeys(("vdiv", "vsqrt"), 14),
    "isb": 1 + REFILL,
}
_LISTS = {
    "push",
    "pop",
    "ldm",
    "stm",
    "ldmdb",
    "stmdb",
    "vldmia",
    "vstmia",
    "vldmdb",
    "vstmdb",
    "vpush",
    "vpop",
}
_LOADS = {
    *("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "ldrt", "ldrbt", "ldrht", "ldrsbt", "ldrsht"),
    *("ldrex", "ldrexb", "ldrexh", "strex", "strexb", "strexh"),  # "can be pipelined exactly as LDR"
}
_STORES = {"str", "strb", "strh", "strt", "strbt", "strht"}


def _cost(instruction: Instruction, previous: Instruction | None) -> int:
    name = instruction.name
    if name in _LOADS or name in _STORES:
        return _single(instruction, previous)
    if name in _LISTS:
        return 1 + instruction.registers * (2 if instruction.doubles else 1)
    if name in ("vldr", "vstr"):
        return 3 if instruction.doubles else 2
    if name == "vmov" and instruction.core_float_moves:
        return 2
    if name == "it":
        # Folded onto a 16-bit instruction before it (table 3-1, note on IT).
        return 0 if previous is not None and previous.size == 2 else 1
    if name not in _FIXED:
        raise NoTiming(instruction)
    return _FIXED[name]


def _single(instruction: Instruction, previous: Instruction | None) -> int:
    access = instruction.access
    if instruction.name in _STORES and (access is None or access.index is None):
        return 1  # its data phase falls into the next instruction
    if PC in instruction.written:
        return LOAD_TO_PC
    if previous is None or previous.name not in _LOADS or PC in previous.written:
        return 2
    used = set() if access is None else {access.base, access.index}
    # Address phase in the data phase of the load before it, unless that load yields the address.
    return 2 if used & previous.written else 1


def costs(instructions: Sequence[Instruction]) -> tuple[int, ...]:
    """Cycles of each instruction of a straight run of code, refills excluded.

    The first one is charged as if nothing came before it.

    Raises:
        NoTiming: an instruction that the manual's tables do not list.
    """
    previous: Instruction | None = None
    result = []
    for instruction in instructions:
        result.append(_cost(instruction, previous))
        previous = instruction
    return tuple(result)


TIMING = Timing(costs, refill(REFILL), EXCEPTION_ENTRY, EXCEPTION_RETURN, EXCEPTION_RETURN_FLOAT)
