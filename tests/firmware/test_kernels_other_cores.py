"""Kernels as Cortex-M7 and Cortex-M33 run them: built with their flags, bit-exact to TensorFlow Lite Micro.

A case for each kernel with instructions of its own; test_kernels_emulated.py has all cases, on Cortex-M4.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hil
from hil.bench import BenchSettings
from hil.codegen import Target, generate
from hil.codegen.registry import DSP_VARIANTS
from hil.graph import read
from tests.firmware.test_kernels_emulated import GOLDEN, MODELS
from tests.support.arm_models import ArmRunner
from tests.support.firmware import needs_toolchain
from tests.support.network_cases import fixed_networks
from tests.support.operator_cases import fixed_cases
from tests.support.tflite_builder import truth

pytestmark = needs_toolchain

BOARDS = ("disco_f746ng", "nucleo_u575zi")
DSP = Target(dsp=True)
ONE_RUN = BenchSettings(warmup_runs=0, min_runs=1, max_runs=1)


@pytest.fixture(scope="module", params=BOARDS)
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp(request.param), request.param)


def test_each_kernel_is_bit_exact(runner: ArmRunner) -> None:
    """As many of the cases as reach every kernel that is written for DSP instructions."""
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    missing = {v.name for variants in DSP_VARIANTS.values() for v in variants if "dsp" in v.name}
    for case in (*fixed_cases(), *fixed_networks()):
        program = generate(read(case.model), DSP)
        if missing.isdisjoint(program.variants):
            continue
        missing.difference_update(program.variants)
        inputs = [case.data, np.full_like(case.data, -128)]
        outputs = runner.run(program, *inputs)
        for data, output in zip(inputs, outputs, strict=True):
            np.testing.assert_array_equal(output, truth(case.model, data), err_msg=case.name)
    assert not missing


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "nucleo_f446re"])
def test_reference_model_is_measured_with_its_golden_output(board: str) -> None:
    path: Path = MODELS / "kws.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    measured = hil.measure(path, device=f"emulated:{board}", settings=ONE_RUN)
    assert measured.check.output_digest.startswith(GOLDEN["kws"])
