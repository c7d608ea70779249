"""In stripes a network computes the same bytes: on the host, sanitized, and vww on the emulated board."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import hil
from hil.codegen import PORTABLE, Target, generate
from hil.codegen.fuse_pad import fuse_pad
from hil.graph import read
from hil.macs import model_macs
from hil.optimize import Reduction, remove_constant_channels
from hil.patches import Patches
from hil.stripes import cut, stages
from hil.stripes.stage import boundaries
from tests.firmware.host import HostRunner
from tests.support.dead_channels import fixed_dead_networks
from tests.support.firmware import needs_toolchain
from tests.support.operator_models import Case
from tests.support.stripe_cases import chains, fixed_chains

pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")

VWW = Path(__file__).parents[2].parent / "shared" / "models" / "vww.tflite"
#: Begin of the SHA-256 of the output bytes for the bench's input (hil.bench.input_bytes).
VWW_GOLDEN = "29aa0a9061563b8e"

TARGETS = (PORTABLE, Target(dsp=True))


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    with HostRunner() as host:
        yield host


@needs_gcc
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


@needs_gcc
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


@needs_gcc
@pytest.mark.parametrize("target", TARGETS, ids=["portable", "dsp"])
@pytest.mark.parametrize("case", fixed_dead_networks(), ids=lambda case: case.name)
def test_network_without_its_dead_channels_is_bit_exact_in_stripes(
    runner: HostRunner, case: Case, target: Target
) -> None:
    """What is left of it, cut into as many stripes as its rows allow."""
    lean = remove_constant_channels(read(case.model))
    assert model_macs(lean) < model_macs(read(case.model))
    graph = fuse_pad(lean)
    for stage in stages(graph):
        height = graph.tensors[stage.output].shape[1]
        every = [boundaries(graph, stage, stripes) for stripes in range(2, height + 1)]
        finest = [edges for edges in every if edges is not None][-1]
        program = generate(cut(graph, stage, finest), target)
        np.testing.assert_array_equal(runner.run(program, case.data), case.truth(), err_msg=f"{stage}")


@needs_toolchain
def test_vww_in_stripes_gives_its_golden_output_on_the_emulated_board() -> None:
    """In the smallest arena of all; its image of 96x96x3 bytes alone takes 27,648 of them."""
    if not VWW.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {VWW}")
    plans = hil.plans(VWW, board="nrf52840_dk")
    smallest = plans[-1]
    assert smallest.arena_bytes <= 0.85 * plans[0].arena_bytes
    measured = hil.measure(
        VWW, device="emulated:nrf52840_dk", arena_limit=smallest.arena_bytes, per_layer=True
    )
    assert measured.check.output_digest.startswith(VWW_GOLDEN)
    assert (measured.arena_bytes, measured.macs) == (smallest.arena_bytes, smallest.macs)
    assert Patches.from_settings(measured.origin.settings) == smallest.patches
    assert [layer.operator for layer in measured.layers] == [op.name for op in read(VWW).operators]


@needs_toolchain
def test_vww_without_its_constant_channels_gives_its_golden_output_in_stripes() -> None:
    if not VWW.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {VWW}")
    limit = 34 * 1024
    measured = hil.measure(
        VWW,
        device="emulated:nrf52840_dk",
        optimize=("constant-channels",),
        arena_limit=limit,
        per_layer=True,
    )
    assert measured.check.output_digest.startswith(VWW_GOLDEN)
    assert measured.arena_bytes <= limit
    patches = Patches.from_settings(measured.origin.settings)
    reduction = Reduction.from_settings(measured.origin.settings)
    assert patches is not None
    assert reduction is not None
    assert patches.plain_arena_bytes > limit
    assert reduction.macs_after < reduction.macs_before
    assert measured.macs == reduction.macs_after + patches.recomputed_macs
    assert [layer.operator for layer in measured.layers] == [op.name for op in read(VWW).operators]
