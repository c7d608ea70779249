"""The Cortex-M4 timing table, instruction by instruction, as CYCCNT shows it to a program.

Numbers: Arm Cortex-M4 Technical Reference Manual r0p1 (DDI 0439D), tables 3-1 and 3-2, section 3.3.2, section
3.9.1 and table 7-1.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hil.emulator.instructions import Decoder, Instruction
from hil.emulator.timing import cortex_m4
from hil.emulator.timing.cortex_m4 import DIVIDE, EXCEPTION_ENTRY, REFILL
from hil.emulator.timing.types import NoTiming
from tests.support.arm_programs import assembly_elf, dk, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

READ_CYCCNT = 2  # the first reading lies in what is timed, the second does not: it is sampled before it runs

# r4: CYCCNT, r5: 64 bytes of RAM, r6: small number, r7: 7
MEASURE = """
    .globl main
    .thumb_func
main:
    ldr r4, =0xE0001004
    ldr r5, =0x20000100
    movs r6, #4
    movs r7, #7
    mov r8, r5
    b 1f
    .ltorg
    .align 4
1:  ldr r0, [r4]
    {body}
    ldr r1, [r4]
    subs r0, r1, r0
    ldr r1, =0x20000000
    str r0, [r1]
2:  wfe
    b 2b
    .ltorg
"""

SINGLE = [
    # core, table 3-1
    ("nop", 1),
    ("mov r1, r7", 1),
    ("movw r1, #1234", 1),
    ("add r1, r7, r6", 1),
    ("add.w r1, r7, r6, lsl #3", 1),
    ("adc r1, r7", 1),
    ("subs r1, r7, #3", 1),
    ("mul r1, r6, r7", 1),
    ("mla r1, r6, r7, r6", 1),
    ("mls r1, r6, r7, r6", 1),
    ("smull r1, r2, r6, r7", 1),
    ("smlal r1, r2, r6, r7", 1),
    ("smlad r1, r6, r7, r6", 1),
    ("smmlar r1, r6, r7, r6", 1),
    ("smmulr r1, r6, r7", 1),
    ("sxtab16 r1, r6, r7", 1),
    ("ssat r1, #8, r7", 1),
    ("clz r1, r7", 1),
    ("ubfx r1, r7, #2, #3", 1),
    ("pkhbt r1, r6, r7, lsl #16", 1),
    ("adcs r1, r7", 1),
    ("and r1, r7, #12", 1),
    ("bic r1, r7, #3", 1),
    ("eors r1, r7", 1),
    ("mvn r1, r7", 1),
    ("orr r1, r7, r6, lsl #8", 1),
    ("rsb r1, r7, #0", 1),
    ("asr r1, r7, #2", 1),
    ("asr r1, r7, r6", 1),
    ("lsl r1, r7, #2", 1),
    ("lsr r1, r7, #2", 1),
    ("ror r1, r7, #2", 1),
    ("cmp r7, #3", 1),
    ("tst r7, #1", 1),
    ("adr r1, 3f\n .align 2\n3:", 1),
    ("bfi r1, r7, #4, #8", 1),
    ("bfc r1, #4, #8", 1),
    ("sbfx r1, r7, #2, #3", 1),
    ("sxtb r1, r7", 1),
    ("sxth r1, r7", 1),
    ("sxtah r1, r6, r7", 1),
    ("uxtah r1, r6, r7", 1),
    ("uxtb r1, r7", 1),
    ("uxth r1, r7", 1),
    ("rev r1, r7", 1),
    ("umull r1, r2, r6, r7", 1),
    ("umlal r1, r2, r6, r7", 1),
    # DSP, table 3-2
    ("sxtb16 r1, r7", 1),
    ("sxtb16 r1, r7, ror #8", 1),
    ("sxtab16 r1, r6, r7, ror #8", 1),
    ("uxtb16 r1, r7, ror #8", 1),
    ("pkhbt r1, r6, r7", 1),
    ("pkhtb r1, r6, r7, asr #16", 1),
    ("smlabb r1, r6, r7, r6", 1),
    ("smlabt r1, r6, r7, r6", 1),
    ("smlatb r1, r6, r7, r6", 1),
    ("smlatt r1, r6, r7, r6", 1),
    ("smulbb r1, r6, r7", 1),
    ("smultt r1, r6, r7", 1),
    ("smlawb r1, r6, r7, r6", 1),
    ("smuad r1, r6, r7", 1),
    ("smusd r1, r6, r7", 1),
    ("smladx r1, r6, r7, r6", 1),
    ("smlald r1, r2, r6, r7", 1),
    ("smmla r1, r6, r7, r6", 1),
    ("smmul r1, r6, r7", 1),
    ("smmls r1, r6, r7, r6", 1),
    ("sadd16 r1, r6, r7", 1),
    ("ssub16 r1, r6, r7", 1),
    ("ssub8 r1, r6, r7", 1),
    ("qadd r1, r6, r7", 1),
    ("qadd16 r1, r6, r7", 1),
    ("ssat r1, #8, r7, asr #3", 1),
    ("ssat r1, #8, r7, lsl #3", 1),
    ("ssat16 r1, #8, r7", 1),
    ("usat r1, #8, r7", 1),
    ("sel r1, r6, r7", 1),
    ("sdiv r1, r7, r6", DIVIDE),
    ("udiv r1, r7, r6", DIVIDE),
    ("mrs r1, primask", 2),
    ("dsb", 1),
    ("isb", 1 + REFILL),
    # loads and stores
    ("str r6, [r5]", 1),
    ("strb r6, [r5, #3]", 1),
    ("str r6, [r5, r6]", 1),  # 2, less one in the data phase of the load of CYCCNT
    ("nop\n str r6, [r5, r6]", 3),
    ("nop\n ldr r1, [r5]\n nop", 4),
    ("nop\n ldr r1, [r5, #4]!\n nop", 4),
    ("nop\n ldr r1, [r5], #4\n nop", 4),
    ("nop\n ldr.w r1, [r5, r6, lsl #2]\n nop", 4),
    ("nop\n ldr r1, 3f\n b 4f\n .align 2\n3: .word 0\n4:", 1 + 2 + 1 + REFILL),
    ("nop\n ldrb r1, [r5, #1]\n nop", 4),
    ("nop\n ldrh r1, [r5], #2\n nop", 4),
    ("nop\n ldrsb r1, [r5], #1\n nop", 4),
    ("nop\n ldrsh r1, [r5, r6]\n nop", 4),
    ("str r6, [r5], #4", 1),
    ("str r6, [r5, #4]!", 1),
    ("strh r6, [r5, #2]", 1),
    ("strh r6, [r5], #2", 1),
    ("nop\n strh.w r6, [r5, r6, lsl #1]", 3),
    ("nop\n strb r6, [r5, r6]", 3),
    ("nop\n ldrd r1, r2, [r5, #8]!\n nop", 5),
    ("strd r6, r7, [r5], #8", 3),
    ("nop\n ldm r5!, {r1, r2}\n nop", 5),
    ("nop\n ldm r5!, {r1, r2, r3, r9, r10, r11, r12}\n nop", 10),
    ("nop\n ldmdb r5!, {r1, r2}\n nop", 5),
    ("stm r5!, {r6, r7}", 3),
    ("stmdb r5!, {r6, r7}", 3),
    ("nop\n ldrd r1, r2, [r5]\n nop", 5),
    ("strd r6, r7, [r5]", 3),
    ("nop\n ldm r5, {r1, r2, r3}\n nop", 6),
    ("stm r5, {r1, r2, r3, r6}", 5),
    ("push {r1, r2, r3}\n nop\n add sp, #12", 6),
    ("push {r1}\n pop {r2}\n nop", 5),
    ("ldrex r1, [r5]\n nop", 2),  # in the data phase of the load of CYCCNT
    # branches: 1, and P where taken
    ("b 3f\n nop\n3:", 1 + REFILL),
    ("cmp r7, #7\n bne 3f\n nop\n3:", 3),
    ("cmp r7, #7\n beq 3f\n nop\n3:", 2 + REFILL),
    ("movs r1, #3\n3: subs r1, #1\n bne 3b", 1 + 3 * 2 + 2 * REFILL),
    ("movs r1, #3\n3: subs r1, #1\n bgt.w 3b", 1 + 3 * 2 + 2 * REFILL),
    ("cmp r7, r6\n blt 3f\n nop\n3:", 3),
    ("cmp r7, r6\n bcs 3f\n nop\n3:", 2 + REFILL),
    ("adr r1, 3f\n orr r1, #1\n push {r1}\n ldr pc, [sp], #4\n nop\n .align 2\n3:", 2 + 2 + 5),
    ("adr r1, 3f\n orr r1, #1\n blx r1\n .align 2\n3:", 3 + REFILL),
    ("cbz r7, 3f\n nop\n3:", 2),
    ("cbnz r7, 3f\n nop\n3:", 1 + REFILL),
    ("bl 3f\n b 4f\n3: bx lr\n4:", 3 * (1 + REFILL)),
    ("adr r1, 3f\n orr r1, #1\n bx r1\n .align 2\n3:", 3 + REFILL),
    ("movs r1, #0\n tbb [pc, r1]\n .byte 1\n .byte 0\n3:", 1 + 6),
    ("nop\n ldr.w pc, 4f\n .align 2\n4: .word 3f + 1\n3:", 1 + 5),
    ("adr r1, 3f\n orr r1, #1\n push {r1}\n pop {pc}\n nop\n nop\n .align 2\n3:", 2 + 2 + 2 + REFILL),
    # IT: folded onto a 16-bit instruction before it
    ("cmp r7, #7\n it eq\n moveq r1, r6", 2),
    ("cmp.w r7, #7\n it eq\n moveq r1, r6", 3),
    # floating-point unit, table 7-1
    ("vadd.f32 s0, s1, s2", 1),
    ("vmul.f32 s0, s1, s2", 1),
    ("vmla.f32 s0, s1, s2", 3),
    ("vfma.f32 s0, s1, s2", 3),
    ("vdiv.f32 s0, s1, s2", 14),
    ("vsqrt.f32 s0, s1", 14),
    ("vmov.f32 s0, s1", 1),
    ("vmov.f32 s0, #1.0", 1),
    ("vmov s0, r6", 2),
    ("vmov r1, s0", 2),
    ("vmov r1, r2, s0, s1", 2),
    ("vmov r1, r2, d0", 2),
    ("vcvt.s32.f32 s0, s1", 1),
    ("vcmp.f32 s0, s1\n vmrs apsr_nzcv, fpscr", 2),
    ("vldr s0, [r5]", 2),
    ("vldr d0, [r5]", 3),
    ("vstr s0, [r5]", 2),
    ("vldmia r5, {s0, s1, s2}", 4),
    ("vldmia r5, {d0, d1}", 5),
    ("vpush {s0, s1}\n vpop {s0, s1}", 6),
]


def cycles_of(body: str, folder: Path, *, more: str = "") -> int:
    """Cycles between two readings of CYCCNT around `body`, without flash wait states."""
    board = dk()
    fast = dataclasses.replace(board, flash=dataclasses.replace(board.flash, wait_states=0))
    machine = machine_of(assembly_elf(MEASURE.format(body=body) + more, folder), board=fast)
    run_to_sleep(machine)
    return machine.memory.word(0x2000_0000) - READ_CYCCNT


@pytest.mark.parametrize(("body", "cycles"), [pytest.param(b, c, id=b.replace("\n", ";")) for b, c in SINGLE])
def test_instruction_takes_the_cycles_of_the_manual(body: str, cycles: int, tmp_path: Path) -> None:
    assert cycles_of(body, tmp_path) == cycles


PIPELINED = [
    (
        "loads follow each other in one cycle each",
        "nop\n ldr r1, [r5]\n ldr r2, [r5, #4]\n ldr r3, [r5, #8]",
        5,
    ),
    ("a load that yields the next address", "nop\n ldr r1, [r8]\n ldr r2, [r1]", 5),
    ("a load that yields the next index", "nop\n ldr r1, [r5, #32]\n ldr r2, [r5, r1]", 5),
    ("an indexed store after a load", "nop\n ldr r1, [r5]\n str r1, [r5, r6]", 4),
    ("nothing in the data phase of a store", "nop\n str r1, [r5]\n ldr r2, [r5]\n nop", 5),
    ("an instruction in between", "nop\n ldr r1, [r5]\n nop\n ldr r2, [r5]\n nop", 7),
    ("exclusive accesses like loads", "nop\n ldrex r1, [r5]\n strex r2, r1, [r5]\n ldr r3, [r5]", 5),
    ("lists are not pipelined", "nop\n ldr r1, [r5]\n ldm r5, {r2, r3}\n nop", 7),
]


@pytest.mark.parametrize(("body", "cycles"), [pytest.param(b, c, id=name) for name, b, c in PIPELINED])
def test_neighbouring_accesses(body: str, cycles: int, tmp_path: Path) -> None:
    assert cycles_of(body, tmp_path) == cycles


@pytest.mark.parametrize(("before", "leave"), [("nop", 10), ("vmov.f32 s0, #1.0", 27)])
def test_exceptions_take_the_cycles_of_the_manual(before: str, leave: int, tmp_path: Path) -> None:
    handler = ".globl on_exception\n .thumb_func\non_exception: bx lr\n"
    to_handler = 2 + 1 + (1 + REFILL)  # ldr, cbz, bx
    cycles = cycles_of(f"{before}\n svc #0", tmp_path, more=handler)
    assert cycles == 1 + 1 + EXCEPTION_ENTRY + to_handler + 1 + leave


def test_half_of_a_double_word_moves_in_one_cycle() -> None:
    # The assembler refuses it for this floating-point unit; table 7-1 lists it.
    code = bytes.fromhex("20ee106b") + bytes.fromhex("30ee101b")  # vmov.32 d0[1], r6; vmov.32 r1, d0[1]
    assert cortex_m4.costs(Decoder().decode(code, 0x100)) == (1, 1)


def test_instruction_without_an_entry_is_named() -> None:
    dbg = bytes.fromhex("aff3f180")
    (instruction,) = Decoder().decode(dbg, 0x100)
    with pytest.raises(NoTiming, match="dbg"):
        cortex_m4.costs([instruction])


def test_bytes_that_are_no_instruction_have_the_size_that_the_core_sees() -> None:
    narrow, wide = bytes.fromhex("feb7"), bytes.fromhex("ffffffff")
    decoded = Decoder().decode(narrow + wide + bytes.fromhex("00bf"), 0x100)
    assert [(i.name if i.name != "hint" else "nop", i.size) for i in decoded] == [
        ("undefined", 2),
        ("undefined", 4),
        ("nop", 2),
    ]


def test_access_knows_its_addresses() -> None:
    registers = {1: 0x1000, 2: 3, 13: 0x2000}

    def addresses(code: str) -> tuple[int, int, bool]:
        (instruction,) = Decoder().decode(bytes.fromhex(code), 0x102)
        assert isinstance(instruction, Instruction)
        assert instruction.access is not None
        access = instruction.access
        return access.address(0x102, lambda n: registers[n]), access.bytes, access.store

    assert addresses("51f82200") == (0x100C, 4, False)  # ldr.w r0, [r1, r2, lsl #2]
    assert addresses("51f8040b") == (0x1000, 4, False)  # ldr r0, [r1], #4
    assert addresses("51f8080f") == (0x1008, 4, False)  # ldr r0, [r1, #8]!
    assert addresses("0748") == (0x120, 4, False)  # ldr r0, [pc, #28]
    assert addresses("f0b5") == (0x2000 - 20, 20, True)  # push {r4-r7, lr}
    assert addresses("0cb4") == (0x2000 - 8, 8, True)  # push {r2, r3}
    assert addresses("0b80") == (0x1000, 2, True)  # strh r3, [r1]
