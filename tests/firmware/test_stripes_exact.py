"""In stripes a network computes the same bytes: on the host, sanitized, and vww on the emulated board."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hil.codegen import PORTABLE, Target, generate
from hil.codegen.fuse_pad import fuse_pad
from hil.graph import read
from hil.stripes import cut, stages
from hil.stripes.stage import boundaries
from tests.firmware.host import HostRunner
from tests.support.operator_models import Case
from tests.support.stripe_cases import chains, fixed_chains

pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")

TARGETS = (PORTABLE, Target(dsp=True))


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    with HostRunner() as host:
        yield host


@pytest.mark.parametrize("target", TARGETS, ids=["portable", "dsp"])
@pytest.mark.parametrize("case", fixed_chains(), ids=lambda case: case.name)
def test_network_in_stripes_is_bit_exact(runner: HostRunner, case: Case, target: Target) -> None:
    """The longest stage, in few and in many stripes."""
    graph = fuse_pad(read(case.model))
    stage = list(stages(graph))[-1]
    height = graph.tensors[stage.output].shape[1]
    truth = case.truth()
    tried = 0
    for stripes in {2, 3, height}:
        edges = boundaries(graph, stage, stripes)
        if edges is not None:
            program = generate(cut(graph, stage, edges), target)
            np.testing.assert_array_equal(runner.run(program, case.data), truth, err_msg=f"{edges}")
            tried += 1
    assert tried >= 2


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=chains, target=st.sampled_from(TARGETS), fused=st.booleans(), data=st.data())
def test_random_network_in_stripes_is_bit_exact(
    runner: HostRunner, case: Case, target: Target, fused: bool, data: st.DataObject
) -> None:
    graph = read(case.model)
    graph = fuse_pad(graph) if fused else graph
    possible = [
        (stage, edges)
        for stage in stages(graph)
        for stripes in range(2, graph.tensors[stage.output].shape[1] + 1)
        if (edges := boundaries(graph, stage, stripes)) is not None
    ]
    assume(possible)
    stage, edges = data.draw(st.sampled_from(possible))
    program = generate(cut(graph, stage, edges), target)
    np.testing.assert_array_equal(runner.run(program, case.data), case.truth())
