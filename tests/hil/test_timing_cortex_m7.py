"""The rules by which Cortex-M7 issues instructions (hil/emulator/timing/cortex_m7.py), one case each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.emulator.timing import cortex_m7
from hil.emulator.timing.cortex_m7 import DIVIDE, FLOAT_DIVIDE, MISPREDICT
from hil.emulator.timing.types import NoTiming
from tests.support.arm_programs import needs_compiler
from tests.support.thumb import decode

pytestmark = needs_compiler

RULES = [
    ("independent arithmetic issues together", "adds r0, r1, r2\n subs r3, r4, r5", (1, 0)),
    ("three need two cycles", "adds r0, r1, r2\n adds r3, r4, r5\n adds r6, r7, r1", (1, 0, 1)),
    ("a result is there in the next cycle", "adds r0, r1, r2\n adds r3, r0, r5", (1, 1)),
    ("flags are results, too", "adds r0, r1, r2\n adcs r3, r4", (1, 1)),
    ("one shifter in a pair", "add r0, r1, r2, lsl #1\n add r3, r4, r5, lsl #2", (1, 1)),
    ("a shifted operand is needed early", "adds r0, r1, r2\n add r3, r4, r0, lsl #2", (1, 2)),
    ("the other operand is not", "adds r0, r1, r2\n add r3, r0, r4, lsl #2", (1, 1)),
    ("an operand that is rotated is, too", "adds r0, r1, r2\n sxtab16 r3, r4, r0, ror #8", (1, 2)),
    ("an address is needed early", "adds r0, r1, r2\n ldr r3, [r0]", (1, 2)),
    ("an index likewise", "adds r0, r1, r2\n ldr r3, [r4, r0]", (1, 2)),
    ("a word is loaded for the next cycle", "ldr r0, [r1]\n adds r2, r0, r3", (1, 1)),
    ("a byte a cycle later", "ldrb r0, [r1]\n adds r2, r0, r3", (1, 2)),
    ("a loaded address", "ldr r0, [r1]\n ldr r2, [r0]", (1, 2)),
    ("two loads from two banks", "ldr r0, [r1]\n ldr r2, [r1, #4]", (1, 0)),
    ("two loads from one bank", "ldr r0, [r1]\n ldr r2, [r1, #8]", (1, 1)),
    ("two loads from anywhere", "ldr r0, [r1], #4\n ldr r2, [r3], #4", (1, 0)),
    ("an updated base is there at once", "ldr r0, [r1], #4\n ldr r2, [r1], #4", (1, 1)),
    ("a load beside a store", "ldr r0, [r1]\n str r2, [r3]", (1, 0)),
    ("two stores", "str r0, [r1]\n str r2, [r3]", (1, 1)),
    ("stored data is needed late", "mul r0, r1, r2\n str r0, [r3]", (1, 1)),
    ("a product takes two cycles", "mul r0, r1, r2\n adds r3, r0, r4", (1, 2)),
    ("one multiplier", "mul r0, r1, r2\n mul r3, r4, r5", (1, 1)),
    ("a sum is needed late", "smlad r0, r1, r2, r0\n smlad r0, r3, r4, r0", (1, 1)),
    ("factors are not", "smlad r0, r1, r2, r0\n smlad r3, r0, r4, r3", (1, 2)),
    ("a long sum is needed late", "smlal r0, r1, r2, r3\n smlal r0, r1, r4, r5", (1, 1)),
    ("a product beside arithmetic", "smlad r0, r1, r2, r0\n adds r3, r4, r5", (1, 0)),
    ("packed arithmetic ahead of its partner", "sxtb16 r0, r1\n adds r2, r3, r4", (1, 0)),
    ("packed arithmetic not behind it", "adds r2, r3, r4\n sxtb16 r0, r1", (1, 1)),
    ("saturation takes two cycles", "ssat r0, #8, r1\n adds r2, r0, r3", (1, 2)),
    ("reversed bytes are there at once", "rev r0, r1\n adds r2, r0, r3", (1, 0)),
    ("lists issue alone, two words a cycle", "ldm r0, {r1, r2, r3}\n adds r4, r5, r6", (2, 1)),
    ("pairs of words issue alone", "ldrd r0, r1, [r2]\n adds r4, r5, r6", (1, 1)),
    ("division stalls", "sdiv r0, r1, r2\n adds r3, r0, r4", (DIVIDE, 1)),
    ("division of floats stalls", "vdiv.f32 s0, s1, s2\n nop", (FLOAT_DIVIDE, 1)),
    ("special registers issue alone", "mrs r0, primask\n nop", (1, 1)),
    ("compare and branch issue together", "cmp r0, r1\n bne .", (1, 0)),
    ("IT takes a place", "cmp r0, r1\n it eq\n moveq r2, r3", (1, 0, 1)),
]


@pytest.mark.parametrize(("text", "cycles"), [pytest.param(t, c, id=name) for name, t, c in RULES])
def test_rule_of_issue(text: str, cycles: tuple[int, ...], tmp_path: Path) -> None:
    assert cortex_m7.costs(decode(text, tmp_path)) == cycles


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        pytest.param("1: nop\n bne 1b", (0, MISPREDICT), id="backward is predicted as taken"),
        pytest.param("beq 1f\n 1:", (MISPREDICT, 0), id="forward as not taken"),
        pytest.param("cbz r0, 1f\n nop\n 1:", (MISPREDICT, 0), id="compare and branch in one"),
        pytest.param("b 1f\n 1:", (0, 0), id="no condition, no doubt"),
        pytest.param("bx lr", (MISPREDICT, 0), id="a target in a register"),
        pytest.param("pop {pc}", (MISPREDICT, 0), id="a target from memory"),
    ],
)
def test_leaving_a_block(text: str, cycles: tuple[int, int], tmp_path: Path) -> None:
    branch = next(i for i in decode(text, tmp_path) if i.name != "hint")
    assert cortex_m7.leaving(branch) == cycles


def test_unknown_instruction_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoTiming, match="dbg"):
        cortex_m7.costs(decode("dbg #1", tmp_path))
