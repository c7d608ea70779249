"""The Cortex-M0+ timing table, instruction by instruction, as SysTick shows it to a program.

Numbers: Arm Cortex-M0+ Technical Reference Manual r0p1 (DDI 0484C), table 3-1; MULS as RP2040 has it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.emulator.timing.cortex_m0plus import EXCEPTION_ENTRY
from hil.errors import EmulationError
from tests.support.arm_programs import needs_compiler
from tests.support.rp2040_programs import RESULT, pico, run

pytestmark = needs_compiler

READ_SYSTICK = 2  # the first reading lies in what is timed; the second is sampled before it runs

# r4: SysTick, r5: 64 bytes of RAM, r6: small number, r7: 7
MEASURE = """
    .globl main
    .thumb_func
main:
    ldr r4, =0xE000E018
    ldr r5, =0x20000100
    movs r6, #4
    movs r7, #7
    b 1f
    .ltorg
    .align 4
1:  ldr r0, [r4]
    {body}
    ldr r1, [r4]
    subs r0, r0, r1
    ldr r1, =0x20000000
    str r0, [r1]
2:  wfe
    b 2b
    .ltorg
"""

SINGLE = [
    ("nop", 1),
    ("movs r1, #9", 1),
    ("mov r8, r7", 1),
    ("adds r1, r7, r6", 1),
    ("add r1, r8", 1),
    ("adcs r1, r7", 1),
    ("add r1, sp, #8", 1),
    ("adr r1, 3f\n .align 2\n3:", 1),
    ("subs r1, r7, #3", 1),
    ("sbcs r1, r7", 1),
    ("rsbs r1, r7, #0", 1),
    ("muls r1, r7, r1", 1),
    ("cmp r7, #3", 1),
    ("cmn r7, r6", 1),
    ("tst r7, r6", 1),
    ("ands r1, r7", 1),
    ("eors r1, r7", 1),
    ("orrs r1, r7", 1),
    ("bics r1, r7", 1),
    ("mvns r1, r7", 1),
    ("lsls r1, r7, #2", 1),
    ("lsrs r1, r7", 1),
    ("asrs r1, r7, #2", 1),
    ("rors r1, r7", 1),
    ("sxtb r1, r7", 1),
    ("uxth r1, r7", 1),
    ("rev r1, r7", 1),
    ("rev16 r1, r7", 1),
    ("revsh r1, r7", 1),
    ("ldr r1, [r5]", 2),
    ("ldr r1, [r5, r6]", 2),
    ("ldrb r1, [r5, #1]", 2),
    ("ldrsh r1, [r5, r6]", 2),
    ("str r1, [r5]", 2),
    ("strb r1, [r5, r6]", 2),
    ("strh r1, [r5, #2]", 2),
    ("ldr r1, [sp]", 2),
    ("mrs r1, primask", 3),
    ("msr primask, r1", 3),
    ("dsb", 3),
    ("dmb", 3),
    ("isb", 3),
    ("cpsie i", 1),
    ("sev", 1),
    ("yield", 1),
]


def cycles(body: str, folder: Path) -> int:
    machine = run(MEASURE.format(body=body), folder, board=pico(wait_states=0))
    return machine.memory.word(RESULT) - READ_SYSTICK


@pytest.mark.parametrize(("body", "expected"), SINGLE, ids=[text.split("\n")[0] for text, _ in SINGLE])
def test_instruction(body: str, expected: int, tmp_path: Path) -> None:
    assert cycles(body, tmp_path) == expected


@pytest.mark.parametrize("registers", [1, 3, 4])
def test_lists_take_one_cycle_more_than_registers(registers: int, tmp_path: Path) -> None:
    names = ", ".join(["r1", "r2", "r3", "r6"][:registers])
    expected = 1 + registers
    assert cycles(f"push {{{names}}}", tmp_path) == expected
    assert cycles(f"push {{{names}}}\n pop {{{names}}}", tmp_path) == 2 * expected
    assert cycles(f"stmia r5!, {{{names}}}", tmp_path) == expected
    assert cycles(f"ldmia r5!, {{{names}}}", tmp_path) == expected


def test_nothing_overlaps(tmp_path: Path) -> None:
    assert cycles("ldr r1, [r5]\n ldr r2, [r5, #4]\n str r1, [r5, #8]\n muls r1, r2, r1", tmp_path) == 7


BRANCHES = [
    pytest.param("b 3f\n nop\n3:", 2, id="b"),
    pytest.param("cmp r7, #7\n beq 3f\n nop\n3:", 1 + 2, id="beq taken"),
    pytest.param("cmp r7, #7\n bne 3f\n nop\n3:", 1 + 1 + 1, id="bne not taken"),
    pytest.param("adr r1, 3f\n adds r1, #1\n bx r1\n nop\n .align 2\n3:", 2 + 2, id="bx"),
    pytest.param("adr r1, 3f\n adds r1, #1\n blx r1\n nop\n .align 2\n3:", 2 + 2, id="blx"),
    pytest.param("adr r1, 3f\n mov pc, r1\n nop\n .align 2\n3:", 1 + 2, id="mov to pc"),
    pytest.param("bl 3f\n b 4f\n3: bx lr\n4:", 3 + 2 + 2, id="call and return"),
    pytest.param("bl 3f\n b 4f\n3: push {r1, lr}\n pop {r1, pc}\n4:", 3 + 3 + 5 + 2, id="pop with pc"),
]


@pytest.mark.parametrize(("body", "expected"), BRANCHES)
def test_branch(body: str, expected: int, tmp_path: Path) -> None:
    assert cycles(body, tmp_path) == expected


def test_exception_entry_takes_the_interrupt_latency(tmp_path: Path) -> None:
    handler = """
        .globl on_exception
        .thumb_func
    on_exception:
        ldr r2, [r4]
        ldr r3, =0x20000004
        str r2, [r3]
        bx lr
        .ltorg
    """
    body = "ldr r3, =0x20000008\n str r0, [r3]\n svc 0"
    machine = run(MEASURE.format(body=body) + handler, tmp_path, board=pico(wait_states=0))
    before, within = machine.memory.word(RESULT + 8), machine.memory.word(RESULT + 4)
    to_handler = 2 + 1 + 1 + 2  # of `handler`: ldr, cmp, beq not taken, bx
    assert before - within == READ_SYSTICK + 2 + 2 + 1 + EXCEPTION_ENTRY + to_handler


@pytest.mark.parametrize(
    "text", [".hword 0xfbb0, 0xf0f1", ".hword 0xf240, 0x0001", ".hword 0xb900"], ids=["udiv", "movw", "cbnz"]
)
def test_instruction_of_a_larger_core_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match="no timing for"):
        cycles(text, tmp_path)


# Straight code of `size` bytes, `rounds` times; and so many words of flash read in between.
LOOP = """
    .globl main
    .thumb_func
main:
    ldr r7, ={rounds}
    ldr r5, =table
    b 1f
    .ltorg
    .align 4
1:  .rept {size} / 2
    nop
    .endr
    mov r4, r5
    ldr r6, ={words}
2:  ldr r0, [r4]
    adds r4, #8
    subs r6, #1
    bne 2b
    subs r7, #1
    beq 3f
    ldr r0, =1b + 1
    bx r0
3:  wfe
    b 3b
    .ltorg
    .align 4
table:
    .space 32768
"""


def misses(folder: Path, *, size: int, words: int, rounds: int) -> tuple[int, int, int]:
    state = run(LOOP.format(size=size, words=words, rounds=rounds), folder).counter.state
    return int(state.fetch_lines), int(state.data_lines), int(state.cycles)


def test_code_and_data_that_fit_into_the_flash_cache_are_fetched_once(tmp_path: Path) -> None:
    few = misses(tmp_path, size=4096, words=512, rounds=2)
    many = misses(tmp_path, size=4096, words=512, rounds=12)
    assert many[:2] == few[:2]


def test_data_of_twice_the_flash_cache_misses_always(tmp_path: Path) -> None:
    few = misses(tmp_path, size=64, words=4096, rounds=2)
    many = misses(tmp_path, size=64, words=4096, rounds=4)
    assert 2 * 4096 <= many[1] - few[1] < 2 * 4096 + 10  # and the literals of the loop


def test_a_miss_costs_the_wait_states_of_the_profile(tmp_path: Path) -> None:
    text = LOOP.format(size=4096, words=512, rounds=3)
    slow = run(text, tmp_path).counter.state
    fast = run(text, tmp_path, board=pico(wait_states=0)).counter.state
    lines = int(slow.fetch_lines + slow.data_lines)
    assert lines > 1000
    assert slow.cycles - fast.cycles == pico().flash.wait_states * lines
