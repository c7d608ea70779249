"""The portable kernels as avr-gcc compiles them, on an emulated Mega: an int of 16 bits, constants in flash.

Each kernel with the cheapest of the cases that hold it on the other cores (test_kernels_emulated.py holds
all of them on the Cortex-M4), against the same truth, TensorFlow Lite Micro.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from hil.board import load_board
from hil.codegen import Target, generate
from hil.codegen.registry import FLASH_APART_VARIANTS, VARIANTS
from hil.elf import read_elf
from hil.graph import read
from hil.program import Program
from tests.support.arm_models import ArmRunner
from tests.support.avr import needs_avr_toolchain
from tests.support.operator_cases import Case, fixed_cases
from tests.support.tflite_builder import truth

pytestmark = needs_avr_toolchain

AVR = Target(flash_apart=True)
#: Every kernel that this core can be given, and the copies of constant operands.
KERNELS = {
    variant.name
    for table in (VARIANTS, FLASH_APART_VARIANTS)
    for variants in table.values()
    for variant in variants
    if variant.name
}


@functools.cache
def compiled(case: Case) -> Program:
    return generate(read(case.model), AVR)


@functools.cache
def cheapest_cases() -> tuple[Case, ...]:
    """One case to a kernel at most, of the smallest arena."""
    chosen: list[Case] = []
    missing = set(KERNELS)
    for case in sorted(fixed_cases(), key=lambda case: compiled(case).plan.arena_bytes):
        if missing & set(compiled(case).variants):
            chosen.append(case)
            missing -= set(compiled(case).variants)
    return tuple(chosen)


@pytest.fixture(scope="module")
def mega(tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp("mega"), "mega2560")


def check(runner: ArmRunner, case: Case) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    inputs = [case.data, ~case.data, np.full_like(case.data, -128), np.full_like(case.data, 127)]
    for data, output in zip(inputs, runner.run(compiled(case), *inputs), strict=True):
        np.testing.assert_array_equal(output, truth(case.model, data), err_msg=case.name)


def test_the_cases_reach_every_kernel() -> None:
    assert {name for case in cheapest_cases() for name in compiled(case).variants if name} == KERNELS


@pytest.mark.parametrize("case", cheapest_cases(), ids=lambda case: case.name)
def test_kernel_is_bit_exact_on_a_mega(mega: ArmRunner, case: Case) -> None:
    check(mega, case)


def test_constants_cost_no_ram(mega: ArmRunner) -> None:
    """Weights, factors, tables and parameters of two very different models leave static data as it was."""
    static = {
        read_elf(mega.build(compiled(case))).static_bytes
        for case in fixed_cases()
        if case.name.startswith(("fully_connected 1x64", "tanh"))
    }
    assert static == {load_board("mega2560").simulator.static_bytes}
