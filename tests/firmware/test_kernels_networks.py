"""Whole networks on the host: the arena plan, the order and the constants, besides the kernels."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from hil.codegen import PORTABLE, Target, generate
from hil.graph import read
from tests.firmware.host import HostRunError, HostRunner
from tests.support.network_cases import fixed_networks, networks
from tests.support.operator_models import Case, Scale, depthwise_conv2d

MODELS = Path(__file__).parents[2].parent / "shared" / "models"

#: Begin of the SHA-256 of the output bytes for the input byte k = ((73 k + 41) mod 256) - 128.
GOLDEN = {
    "kws": "9fa3943ae13e7b8b",
    "ic": "62a3b576d8d56498",
    "vww": "29aa0a9061563b8e",
    "ad": "a057d960e98de659",
}


TARGETS = pytest.mark.parametrize("target", [PORTABLE, Target(dsp=True)], ids=["portable", "dsp"])

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    with HostRunner() as host:
        yield host


@TARGETS
@pytest.mark.parametrize("name", GOLDEN)
def test_reference_model_gives_its_golden_output(runner: HostRunner, name: str, target: Target) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    program = generate(read(path), target)
    k = np.arange(program.graph.input_tensor.elements)
    output = runner.run(program, ((73 * k + 41) % 256 - 128).astype(np.int8))
    assert hashlib.sha256(output.tobytes()).hexdigest().startswith(GOLDEN[name])


@TARGETS
@pytest.mark.parametrize("case", fixed_networks(), ids=lambda case: case.name)
def test_network_is_bit_exact(runner: HostRunner, case: Case, target: Target) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    np.testing.assert_array_equal(runner.run(generate(read(case.model), target), case.data), case.truth())


@TARGETS
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=networks)
def test_random_network_is_bit_exact(runner: HostRunner, target: Target, case: Case) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    np.testing.assert_array_equal(runner.run(generate(read(case.model), target), case.data), case.truth())


def test_an_inference_can_be_repeated(runner: HostRunner) -> None:
    """No kernel keeps state: the same input gives the same output after another model and other data ran."""
    case = fixed_networks()[0]
    program = generate(read(case.model))
    first = runner.run(program, case.data)
    runner.run(program, 127 - case.data)
    np.testing.assert_array_equal(runner.run(program, case.data), first)


@pytest.mark.parametrize("change", ["output", "scratch"])
def test_the_runner_stops_a_kernel_that_strays(runner: HostRunner, change: str) -> None:
    """What all tests above rely on: an operator that leaves its own bytes is caught inside the arena."""
    case = depthwise_conv2d(1, (6, 6), 8, 1, (3, 3), (1, 1), (1, 1), "SAME", "NONE", Scale(0.05, 3), 0)
    program = generate(read(case.model))
    plan = program.plan
    offset, size = plan.scratch[0]
    if change == "scratch":
        plan = replace(plan, scratch={0: (offset, size - 8)})
    else:
        offsets = dict(plan.offsets)
        offsets[program.graph.output] += 8
        plan = replace(plan, offsets=offsets)
    with pytest.raises(HostRunError, match=r"use-after-poison|buffer-overflow"):
        runner.run(replace(program, plan=plan), case.data)
    np.testing.assert_array_equal(runner.run(program, case.data), case.truth())
