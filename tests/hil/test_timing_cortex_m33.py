"""The rules of Cortex-M33 (hil/emulator/timing/cortex_m33.py), one case each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.emulator.timing import cortex_m33
from hil.emulator.timing.cortex_m33 import DIVIDE, FLOAT_DIVIDE, LOAD_TO_PC, REFILL, TABLE_BRANCH
from hil.emulator.timing.types import NoTiming
from tests.support.arm_programs import needs_compiler
from tests.support.thumb import decode

pytestmark = needs_compiler

RULES = [
    ("two short instructions issue together", "adds r0, r1, r2\n subs r3, r4, r5", (1, 1)),
    ("where neither sets what the other does", "mov r0, r1\n mov r2, r3", (1, 0)),
    ("a third does not join", "mov r0, r1\n mov r2, r3\n mov r4, r5", (1, 0, 1)),
    ("long ones issue alone", "add.w r0, r1, r2\n mov r3, r4", (1, 1)),
    ("the second needs the first", "mov r0, r1\n mov r2, r0", (1, 1)),
    ("a branch joins a short instruction", "mov r0, r1\n b .", (1, 0)),
    ("but not where it needs its flags", "subs r0, #1\n bne .", (1, 1)),
    ("two accesses do not pair", "ldr r0, [r1]\n ldr r2, [r3]", (1, 1)),
    ("two products do not pair", "muls r0, r1, r0\n muls r2, r3, r2", (1, 1)),
    ("a load takes one cycle", "ldr.w r0, [r1]\n add.w r2, r3, r4", (1, 1)),
    ("its result is late", "ldr.w r0, [r1]\n add.w r2, r0, r3", (1, 2)),
    ("for an address, too", "ldr.w r0, [r1]\n ldr.w r2, [r0]", (1, 2)),
    ("not for stored data", "ldr.w r0, [r1]\n str.w r0, [r2]", (1, 1)),
    ("an updated base is not late", "ldr r0, [r1], #4\n ldr r2, [r1], #4", (1, 1)),
    ("a product is late", "mul r0, r1, r2\n add.w r3, r0, r4", (1, 2)),
    ("not for the next product", "smlad r0, r1, r2, r0\n smlad r0, r3, r4, r0", (1, 1)),
    ("packed results are late", "sadd16 r0, r1, r2\n add.w r3, r0, r4", (1, 2)),
    ("division", "sdiv r0, r1, r2", (DIVIDE,)),
    ("words of a list", "ldm r0, {r1, r2, r3}", (3,)),
    ("a pair of words", "strd r0, r1, [r2]", (2,)),
    ("a jump through memory", "ldr pc, [r0]", (LOAD_TO_PC,)),
    ("the return from a function", "pop {r4, pc}", (3,)),
    ("a table of branches", "tbb [pc, r0]", (TABLE_BRANCH,)),
    ("a floating-point division", "vdiv.f32 s0, s1, s2", (FLOAT_DIVIDE,)),
    ("a floating-point multiply-accumulate", "vfma.f32 s0, s1, s2", (3,)),
    ("a double word", "vldr d0, [r0]", (2,)),
    ("special registers", "mrs r0, primask", (2,)),
]


@pytest.mark.parametrize(("text", "cycles"), [pytest.param(t, c, id=name) for name, t, c in RULES])
def test_rule(text: str, cycles: tuple[int, ...], tmp_path: Path) -> None:
    assert cortex_m33.costs(decode(text, tmp_path)) == cycles


def test_delay_loop_takes_what_was_measured(tmp_path: Path) -> None:
    """i.MX RT685, embassy-imxrt pull request 433."""
    loop = decode("1: subs r0, #1\n bne 1b", tmp_path)
    assert sum(cortex_m33.costs(loop)) + cortex_m33.TIMING.leaving(loop[-1])[0] == 3
    assert REFILL == 1


def test_unknown_instruction_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoTiming, match="dbg"):
        cortex_m33.costs(decode("dbg #1", tmp_path))
