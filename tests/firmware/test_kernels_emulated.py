"""Every operator and whole networks as the target runs them: the compiler's Arm code on the emulated board.

The same cases as on the host (test_kernels.py), held to the same truth, TensorFlow Lite Micro; built with
the flags of the real firmware and asked over its frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hil
from hil import firmware
from hil.bench import BenchSettings
from hil.board import load_board
from hil.codegen import PORTABLE, Target, generate
from hil.codegen.registry import DSP_VARIANTS, VARIANTS
from hil.graph import read
from tests.support.arm_models import ArmRunner
from tests.support.firmware import needs_toolchain
from tests.support.flashed import flashed
from tests.support.network_cases import fixed_networks, networks
from tests.support.operator_cases import KINDS, Case, fixed_cases
from tests.support.tflite_builder import truth

MODELS = Path(__file__).parents[2].parent / "shared" / "models"

#: Begin of the SHA-256 of the output bytes for the bench's input, int8 ((73 k + 41) mod 256) - 128.
GOLDEN = {
    "kws": "9fa3943ae13e7b8b",
    "ic": "62a3b576d8d56498",
    "vww": "29aa0a9061563b8e",
    "ad": "a057d960e98de659",
}
ONE_RUN = BenchSettings(warmup_runs=0, min_runs=1, max_runs=1)
DEVICE = "emulated:nrf52840_dk"

DSP = Target(dsp=True)
TARGETS = pytest.mark.parametrize("target", [PORTABLE, DSP], ids=["portable", "dsp"])

pytestmark = needs_toolchain


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp("arm"))


def check(runner: ArmRunner, case: Case, target: Target) -> None:
    """The case's own input, its complement, and the ends of the range, where sums are largest."""
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    inputs = [case.data, ~case.data, np.full_like(case.data, -128), np.full_like(case.data, 127)]
    outputs = runner.run(generate(read(case.model), target), *inputs)
    for data, output in zip(inputs, outputs, strict=True):
        np.testing.assert_array_equal(output, truth(case.model, data), err_msg=case.name)


@TARGETS
@pytest.mark.parametrize("case", fixed_cases(), ids=lambda case: case.name)
def test_corner_case_is_bit_exact(runner: ArmRunner, case: Case, target: Target) -> None:
    check(runner, case, target)


@TARGETS
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8)
@given(data=st.data())
def test_random_operator_is_bit_exact(
    runner: ArmRunner, kind: str, target: Target, data: st.DataObject
) -> None:
    check(runner, data.draw(KINDS[kind]), target)


@TARGETS
@pytest.mark.parametrize("case", fixed_networks(), ids=lambda case: case.name)
def test_network_is_bit_exact(runner: ArmRunner, case: Case, target: Target) -> None:
    check(runner, case, target)


@TARGETS
@settings(max_examples=8)
@given(case=networks)
def test_random_network_is_bit_exact(runner: ArmRunner, target: Target, case: Case) -> None:
    check(runner, case, target)


def test_the_cases_reach_every_kernel() -> None:
    """A new variant needs a case here, or nothing of the above holds it."""
    reached = {
        variant
        for case in (*fixed_cases(), *fixed_networks())
        for target in (PORTABLE, DSP)
        for variant in generate(read(case.model), target).variants
    }
    assert {
        variant.name
        for table in (VARIANTS, DSP_VARIANTS)
        for variants in table.values()
        for variant in variants
    } <= reached


def test_the_runner_builds_what_the_product_builds(runner: ArmRunner) -> None:
    """What all tests above rely on, for the first model and for one that came after it."""
    board = load_board("nrf52840_dk")
    for case in fixed_networks()[:2]:
        program = generate(read(case.model))
        built = firmware.build(program, board).elf
        assert built is not None
        assert flashed(runner.build(program)) == flashed(built)


# ---- the way of a user: file -> measurement


@pytest.mark.parametrize("case", fixed_networks(), ids=lambda case: case.name)
def test_network_is_measured_with_the_exact_output(case: Case) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    measured = hil.measure(case.model, device=DEVICE, settings=ONE_RUN)
    assert measured.check.exact
    assert measured.check.max_difference == 0
    assert measured.check.elements == case.truth().size


@pytest.mark.parametrize("name", GOLDEN)
def test_reference_model_is_measured_with_its_golden_output(name: str) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    measured = hil.measure(path, device=DEVICE, settings=ONE_RUN)
    assert measured.check.output_digest.startswith(GOLDEN[name])
