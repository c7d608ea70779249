"""Each instruction that the compiler makes of the kernels stands among those held to the manual."""

from __future__ import annotations

from pathlib import Path

from hil.codegen import Target, generate
from hil.graph import read
from tests.hil.test_timing_cortex_m4 import MEASURE, SINGLE
from tests.support.arm_code import instructions_in
from tests.support.arm_models import ArmRunner
from tests.support.arm_programs import assembly_elf
from tests.support.bench_models import separable
from tests.support.firmware import needs_toolchain

pytestmark = needs_toolchain


def test_every_instruction_of_the_kernels_has_its_own_timing_test(tmp_path: Path) -> None:
    bodies = "\n".join(body for body, _ in SINGLE)
    held = {i.name for i in instructions_in(assembly_elf(MEASURE.format(body=bodies), tmp_path))}
    assert {"smlad", "ldm", "b"} <= held
    runner = ArmRunner(tmp_path / "firmware")
    runner.build(generate(read(separable()), Target(dsp=True)))
    used = {
        f"{instruction.name} ({path.stem})" if instruction.name not in held else instruction.name
        for path in runner.objects()
        for instruction in instructions_in(path)
    }
    assert "smlad" in used
    assert used <= held
