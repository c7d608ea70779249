"""Without constant channels a network computes the same bytes: on the host, and vww on the emulated board."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hil
from hil.codegen import PORTABLE, Target, generate
from hil.graph import read
from hil.macs import model_macs
from hil.optimize import remove_constant_channels
from tests.firmware.host import HostRunner
from tests.support.dead_channels import DEAD_BLOCKS, dead_network, dead_networks, fixed_dead_networks
from tests.support.firmware import needs_toolchain
from tests.support.operator_models import Case
from tests.support.tflite_builder import truth

MODELS = Path(__file__).parents[2].parent / "shared" / "models"

TARGETS = (PORTABLE, Target(dsp=True))

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    with HostRunner() as host:
        yield host


def assert_exact(runner: HostRunner, case: Case, target: Target, *, corner: int) -> None:
    """Random bytes, one byte everywhere, and only the two extremes."""
    program = generate(remove_constant_channels(read(case.model)), target)
    extremes = np.where(case.data < 0, -128, 127).astype(np.int8)
    for data in (case.data, np.full_like(case.data, corner), extremes):
        np.testing.assert_array_equal(runner.run(program, data), truth(case.model, data))


@needs_gcc
@pytest.mark.parametrize("case", fixed_dead_networks(), ids=lambda case: case.name)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_network_without_its_dead_channels_is_bit_exact(
    runner: HostRunner, case: Case, target: Target
) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    assert model_macs(remove_constant_channels(read(case.model))) < model_macs(read(case.model))
    assert_exact(runner, case, target, corner=0)


@needs_gcc
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=dead_networks, target=st.sampled_from(TARGETS), corner=st.sampled_from([-128, -10, 127]))
def test_random_network_without_its_dead_channels_is_bit_exact(
    runner: HostRunner, case: Case, target: Target, corner: int
) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    assert_exact(runner, case, target, corner=corner)


@pytest.mark.parametrize("block", sorted(DEAD_BLOCKS))
def test_the_drawn_networks_do_lose_channels(block: str) -> None:
    """What the tests above rely on: every block is cut in some network."""
    smaller = 0
    for seed in range(12):
        graph = read(
            dead_network(seed, (6, 6, 2), [block, "separable"], 0.8, flatten=False, softmax=False).model
        )
        smaller += remove_constant_channels(graph) is not graph
    assert smaller > 0


@needs_toolchain
def test_vww_gives_its_golden_output_on_the_emulated_board_with_half_the_work() -> None:
    path = MODELS / "vww.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    device = "emulated:nrf52840_dk"
    plain = hil.measure(path, device=device)
    lean = hil.measure(path, device=device, optimize=("constant-channels",))
    assert lean.check.output_digest.startswith("29aa0a9061563b8e")
    assert lean.check.max_difference == 0
    assert lean.macs <= 4_000_000 < plain.macs
    assert lean.weight_bytes < plain.weight_bytes / 3
    assert lean.cycles < plain.cycles
    assert lean.origin.model_digest != plain.origin.model_digest
