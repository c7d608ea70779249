"""Every kernel, on the host under sanitizers, against TensorFlow Lite Micro: the same bytes, always."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.codegen import PORTABLE, Target, generate
from hil.graph import read
from tests.firmware.host import HostRunner
from tests.support.operator_cases import KINDS, Case, fixed_cases

pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")


TARGETS = pytest.mark.parametrize("target", [PORTABLE, Target(dsp=True)], ids=["portable", "dsp"])

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    with HostRunner() as host:
        yield host


def check(runner: HostRunner, case: Case, target: Target) -> None:
    output = runner.run(generate(read(case.model), target), case.data)
    np.testing.assert_array_equal(output, case.truth(), err_msg=case.name)


@TARGETS
@pytest.mark.parametrize("case", fixed_cases(), ids=lambda case: case.name)
def test_corner_case_is_bit_exact(runner: HostRunner, case: Case, target: Target) -> None:
    check(runner, case, target)


@TARGETS
@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_random_operator_is_bit_exact(
    runner: HostRunner, kind: str, target: Target, data: st.DataObject
) -> None:
    check(runner, data.draw(KINDS[kind]), target)
