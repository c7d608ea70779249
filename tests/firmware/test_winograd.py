"""3x3 convolutions by Winograd, in every form: the same bytes as TensorFlow Lite Micro, on host and board."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hil
from hil.bench import BenchSettings
from hil.codegen import Target, generate, registry
from hil.codegen.call import Faster
from hil.codegen.kernels import conv2d_work
from hil.codegen.kernels.conv2d_winograd_dsp import Form, variant
from hil.graph import read
from hil.graph.types import Conv2D
from hil.program import Program
from tests.firmware.host import HostRunner
from tests.support.arm_models import ArmRunner
from tests.support.firmware import needs_toolchain
from tests.support.network_cases import NetworkBuilder
from tests.support.operator_models import Case, Scale, conv2d
from tests.support.tflite_builder import truth

pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed on this host")
ROOM = 1 << 20
DSP = Target(dsp=True)

X = Scale(0.05, 3)
FORMS = st.builds(Form, st.sampled_from([3, 6, 9, 12, 24]), st.booleans())


def case(
    seed: int,
    size: tuple[int, int],
    channels: tuple[int, int],
    padding: str = "SAME",
    x: Scale = X,
    out_zero_point: int = -128,
    activation: str = "NONE",
    **options: Any,
) -> Case:
    """A 3x3 convolution; `channels`: (in, out)."""
    steps = (1, 1)
    return conv2d(
        seed, size, channels, (3, 3), steps, steps, padding, activation, x, out_zero_point, **options
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Whatever the kernel takes: odd sizes, maps smaller than a tile, 4 to 40 channels."""
    zero_points = st.sampled_from([-128, 127, 0]) | st.integers(-128, 127)
    return case(
        draw(st.integers(0, 2**32 - 1)),
        draw(st.tuples(st.integers(1, 9), st.integers(1, 9))),
        (4 * draw(st.integers(1, 10)), 2 * draw(st.integers(1, 6))),
        draw(st.sampled_from(["SAME", "VALID"])),
        Scale(0.05, draw(zero_points)),
        draw(zero_points),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        spread=draw(st.sampled_from([0.1, 1.0, 4.0])),
    )


def fixed_cases() -> list[tuple[Case, Form]]:
    """Both output forms, both sorts of weights, a last band and a last group that are not full."""
    low = Scale(0.02, -128)
    return [
        (case(1, (8, 8), (16, 4)), Form(3)),
        (case(2, (7, 5), (4, 6), out_zero_point=7), Form(6)),
        (case(3, (9, 9), (20, 2), "VALID", low, activation="RELU"), Form(9)),
        (case(4, (6, 11), (32, 8), "SAME", low, -3), Form(12)),
        (case(5, (1, 1), (40, 4), spread=4.0), Form(3, transformed=True)),
        (case(6, (5, 8), (24, 6), "VALID", low, 127, spread=4.0), Form(3, transformed=True)),
        (case(7, (4, 4), (8, 2), per_channel=False, bias=False), Form(24)),
    ]


def compiled(model: bytes, form: Form) -> Program:
    """The program of a model of one convolution, in a given form."""
    graph = read(model)
    with pytest.MonkeyPatch.context() as patch:
        offers = (Faster(variant(form), saved_instructions=1),)
        patch.setattr(registry, "DSP_FASTER", {Conv2D: lambda graph, operator: offers})
        program = generate(graph, DSP, arena_limit=ROOM)
    assert program.variants == (form.name,)
    assert f".band = {form.band}," in program.sources["model.c"]
    return program


@pytest.fixture(scope="module")
def host() -> Iterator[HostRunner]:
    with HostRunner() as runner:
        yield runner


@needs_gcc
@pytest.mark.parametrize(("case", "form"), fixed_cases(), ids=str)
def test_corner_case_on_the_host(host: HostRunner, case: Case, form: Form) -> None:
    np.testing.assert_array_equal(host.run(compiled(case.model, form), case.data), case.truth())


@needs_gcc
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(case=cases(), form=FORMS)
def test_random_case_on_the_host(host: HostRunner, case: Case, form: Form) -> None:
    np.testing.assert_array_equal(host.run(compiled(case.model, form), case.data), case.truth())


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp("arm"))


def check_on_board(board: ArmRunner, case: Case, form: Form) -> None:
    """The case's own input, its complement, and the ends of the range, where sums are largest."""
    inputs = [case.data, ~case.data, np.full_like(case.data, -128), np.full_like(case.data, 127)]
    outputs = board.run(compiled(case.model, form), *inputs)
    for data, output in zip(inputs, outputs, strict=True):
        np.testing.assert_array_equal(output, truth(case.model, data), err_msg=case.name)


@needs_toolchain
@pytest.mark.parametrize(("case", "form"), fixed_cases(), ids=str)
def test_corner_case_on_the_board(board: ArmRunner, case: Case, form: Form) -> None:
    check_on_board(board, case, form)


@needs_toolchain
@settings(max_examples=15, deadline=None)
@given(case=cases(), form=FORMS)
def test_random_case_on_the_board(board: ArmRunner, case: Case, form: Form) -> None:
    check_on_board(board, case, form)


@needs_gcc
@pytest.mark.parametrize("form", [Form(3), Form(9), Form(3, transformed=True)], ids=str)
def test_the_output_lies_over_the_input_as_far_as_the_bands_allow(host: HostRunner, form: Form) -> None:
    """The lead is what it has to be, and the bytes are still right."""
    wide = case(8, (12, 14), (8, 16))
    program = compiled(wide.model, form)
    source, output = program.graph.input_tensor, program.graph.output_tensor
    lead = program.plan.offsets[source.index] - program.plan.offsets[output.index]
    assert 0 < lead < output.size_bytes
    np.testing.assert_array_equal(host.run(program, wide.data), wide.truth())


@needs_toolchain
@pytest.mark.parametrize("form", [None, Form(9), Form(3, transformed=True)], ids=str)
def test_the_work_is_estimated_to_within_eight_percent(form: Form | None) -> None:
    """What the choice of kernels relies on, held to the emulator's count."""
    channels, output_c, height, width = 16, 16, 12, 14
    network = NetworkBuilder(9)
    x = network.b.input((1, height, width, channels), scale=0.05, zero_point=-128)
    model = network.b.finish(network.conv(x, output_c, (3, 3)))
    with pytest.MonkeyPatch.context() as patch:
        offers = () if form is None else (Faster(variant(form), saved_instructions=1),)
        patch.setattr(registry, "DSP_FASTER", {Conv2D: lambda graph, operator: offers})
        measured = hil.measure(
            model,
            device="emulated:nrf52840_dk",
            arena_limit=ROOM,
            settings=BenchSettings(warmup_runs=0, min_runs=1, max_runs=1),
        )
    if form is None:
        estimated = conv2d_work.direct(height * width, channels, output_c)
    else:
        tiles = (height // 2) * (width // 2)
        estimated = conv2d_work.winograd(
            tiles, channels, channels, output_c, form.band, transforms_weights=not form.transformed
        )
    assert measured.instructions is not None
    assert abs(measured.instructions - estimated) <= 0.08 * estimated
