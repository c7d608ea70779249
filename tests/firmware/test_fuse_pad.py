"""PAD in front of a convolution is gone, where that is exact and nowhere else; the bytes stay the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.codegen import PORTABLE, Target, generate
from hil.codegen.fuse_pad import fuse_pad
from hil.graph import read
from hil.graph.types import Graph, Pad
from tests.firmware.host import HostRunner
from tests.support.network_cases import NetworkBuilder
from tests.support.operator_models import Case
from tests.support.tflite_builder import TensorRef

TARGETS = (PORTABLE, Target(dsp=True))
Paddings = tuple[tuple[int, int], tuple[int, int]]


@pytest.fixture(scope="module")
def runner() -> Iterator[HostRunner]:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed on this host")
    with HostRunner() as host:
        yield host


def padded(
    reader: str,
    paddings: Paddings = ((1, 1), (1, 1)),
    *,
    seed: int = 0,
    size: tuple[int, int] = (9, 7),
    kernel: tuple[int, int] = (3, 3),
    stride: int = 2,
    dilation: int = 1,
    padding: str = "VALID",
    value: int | None = None,
    channel_padding: tuple[int, int] = (0, 0),
    read_twice: bool = False,
) -> Case:
    """PAD, then "conv", "depthwise" or "max_pool"; the PAD's output may be read by a pool as well."""
    n = NetworkBuilder(seed)
    source = n.b.input((1, *size, 4), scale=0.02, zero_point=-10)
    x = n.b.pad(source, ((0, 0), *paddings, channel_padding), value=value)
    window: dict[str, Any] = {"stride": (stride, stride), "padding": padding}
    outputs = 4 + sum(channel_padding)
    weights: dict[str, Any] = {"weight_scales": [0.01] * outputs, "out_scale": 0.05, "out_zero_point": -20}
    bias = n.random.integers(-500, 500, outputs)
    y: TensorRef
    match reader:
        case "conv":
            values = n.random.integers(-127, 128, (outputs, *kernel, outputs))
            y = n.b.conv2d(x, values, bias, dilation=(dilation, dilation), **weights, **window)
        case "depthwise":
            values = n.random.integers(-127, 128, (1, *kernel, outputs))
            y = n.b.depthwise_conv2d(x, values, bias, dilation=(dilation, dilation), **weights, **window)
        case _:
            y = n.b.max_pool2d(x, kernel, (stride, stride), padding=padding)
    y = n.b.mean(y, (1, 2), out_scale=y.scale, out_zero_point=0)
    if read_twice:
        other = n.b.mean(x, (1, 2), out_scale=y.scale, out_zero_point=0)
        y = n.add(y, other)
    data = n.random.integers(-128, 128, source.shape).astype(np.int8)
    return Case(f"pad {paddings} {reader} k{kernel} s{stride} {padding}", n.b.finish(y), data)


def pads(graph: Graph) -> int:
    return sum(isinstance(operator.options, Pad) for operator in graph.operators)


@pytest.mark.parametrize("reader", ["conv", "depthwise"])
def test_pad_before_a_convolution_is_fused(reader: str) -> None:
    graph = read(padded(reader).model)
    fused = fuse_pad(graph)
    assert (pads(graph), pads(fused)) == (1, 0)
    assert len(fused.operators) == len(graph.operators) - 1
    assert [operator.index for operator in fused.operators] == list(range(len(fused.operators)))
    assert all(tensor.index == index for index, tensor in enumerate(fused.tensors))
    assert fused.digest == graph.digest
    assert pads(generate(graph).graph) == 0
    assert generate(graph).plan.arena_bytes < generate_arena_with_pad(graph)


def generate_arena_with_pad(graph: Graph) -> int:
    """The source and its padded copy, which exist at the same time."""
    pad = next(operator for operator in graph.operators if isinstance(operator.options, Pad))
    return graph.tensors[pad.inputs[0]].size_bytes + graph.tensors[pad.output].size_bytes


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(padded("conv", value=3), id="another value than the zero point"),
        pytest.param(padded("conv", channel_padding=(0, 4)), id="channels"),
        pytest.param(padded("max_pool"), id="a pool, which takes no padding into account"),
        pytest.param(padded("conv", read_twice=True), id="another reader, which cannot do without"),
        pytest.param(padded("conv", ((3, 0), (0, 0))), id="a window of padding alone above"),
        pytest.param(padded("depthwise", ((0, 3), (0, 0)), stride=1), id="a window of padding alone below"),
    ],
)
def test_other_pads_stay(case: Case) -> None:
    graph = read(case.model)
    assert fuse_pad(graph) is graph


_widths = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    reader=st.sampled_from(["conv", "depthwise"]),
    paddings=st.tuples(_widths, _widths),
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(5, 10), st.integers(5, 10)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["SAME", "VALID"]),
    target=st.sampled_from(TARGETS),
)
def test_fused_pad_is_bit_exact(
    runner: HostRunner,
    reader: str,
    paddings: Paddings,
    seed: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: int,
    dilation: int,
    padding: str,
    target: Target,
) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    case = padded(
        reader,
        paddings,
        seed=seed,
        size=size,
        kernel=kernel,
        stride=1 if dilation > 1 else stride,
        dilation=dilation,
        padding=padding,
    )
    np.testing.assert_array_equal(runner.run(generate(read(case.model), target), case.data), case.truth())
