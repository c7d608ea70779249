"""Instructions by what they ask of a pipeline, for the cores whose tables are written as rules."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SIMPLE = _names(
    "adc add addw adr and bic cmn cmp eor mov movs movt movw mvn neg orn orr rsb sbc sub subw teq tst nop "
    "hint yield sev it"
)
SHIFT = _names("asr lsl lsr ror rrx")
FIELD = _names("bfc bfi sbfx ubfx")
EXTEND = _names("sxtb sxth uxtb uxth sxtb16 uxtb16")
EXTEND_AND_ADD = _names("sxtab sxtab16 sxtah uxtab uxtab16 uxtah pkhbt pkhtb")
REVERSE = _names("rbit rev rev16 revsh")
COUNT = frozenset({"clz"})
PARALLEL = _names(
    "sadd16 sadd8 sasx sel shadd16 shadd8 shasx shsax shsub16 shsub8 ssax ssub16 ssub8 uadd16 uadd8 uasx "
    "uhadd16 uhadd8 uhasx uhsax uhsub16 uhsub8 usax usub16 usub8"
)
SATURATE = _names(
    "qadd qadd16 qadd8 qasx qdadd qdsub qsax qsub qsub16 qsub8 ssat ssat16 uqadd16 uqadd8 uqasx uqsax "
    "uqsub16 uqsub8 usad8 usada8 usat usat16"
)
MULTIPLY = _names(
    "mul smmul smmulr smuad smuadx smulbb smulbt smull smultb smultt smulwb smulwt smusd smusdx umull"
)
ACCUMULATE = _names(
    "mla mls smlabb smlabt smlad smladx smlal smlalbb smlalbt smlald smlaldx smlaltb smlaltt smlatb smlatt "
    "smlawb smlawt smlsd smlsdx smlsld smlsldx smmla smmlar smmls smmlsr umaal umlal"
)
DIVIDE = frozenset({"sdiv", "udiv"})
WORD_LOADS = frozenset({"ldr", "ldrt", "ldrex", "lda", "ldaex"})
NARROW_LOADS = _names("ldrb ldrh ldrsb ldrsh ldrbt ldrht ldrsbt ldrsht ldrexb ldrexh ldab ldah ldaexb ldaexh")
STORES = _names("str strb strh strt strbt strht strex strexb strexh stl stlb stlh stlex stlexb stlexh")
DOUBLES = frozenset({"ldrd", "strd"})
LISTS = _names("push pop ldm stm ldmdb stmdb vldmia vstmia vldmdb vstmdb vpush vpop")
TABLE_BRANCHES = frozenset({"tbb", "tbh"})
BRANCHES = _names("b bl blx bx cbz cbnz")
SYSTEM = _names("mrs msr cps cpsie cpsid dmb dsb isb clrex pld svc bkpt udf undefined wfe wfi")
FLOAT_LOADS = frozenset({"vldr", "vstr"})
FLOAT_ACCUMULATES = _names("vmla vmls vnmla vnmls vfma vfms vfnma vfnms")
FLOAT_DIVIDES = frozenset({"vdiv", "vsqrt"})
FLOAT = _names(
    "fconsts fmstat fmdhr fmdlr vabs vadd vcmp vcmpe vcvt vcvta vcvtm vcvtn vcvtp vcvtr vcvtb vcvtt vmaxnm "
    "vminnm vmov vmrs vmsr vmul vneg vnmul vrinta vrintm vrintn vrintp vrintr vrintx vrintz vsel vsub"
)
