"""The general path: operators that missed the kernels which the core has for their kind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

import hil
from hil.cli.tables import measurement_table
from hil.codegen import PORTABLE, Target, generate, registry
from hil.codegen.kernels import conv2d
from hil.graph import Graph, Operator, read
from hil.graph.types import Conv2D
from hil.macs import model_macs, operator_macs
from hil.measurement_json import from_dict, to_dict
from tests.support.bench_models import separable

DSP = Target(dsp=True)


def pointwise(graph: Graph, operator: Operator) -> bool:
    return graph.tensors[operator.inputs[1]].shape[1:3] == (1, 1)


#: A core with a fast kernel for pointwise layers of few channels, and another for all pointwise layers.
FAST = replace(
    conv2d.VARIANTS[-1],
    name="conv2d_s8/fast",
    accepts=lambda graph, operator: (
        pointwise(graph, operator) and graph.tensors[operator.inputs[0]].shape[3] <= 8
    ),
)
BEHIND = replace(conv2d.VARIANTS[-1], name="conv2d_s8/behind", accepts=pointwise, general=True)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    monkeypatch.setattr(registry, "DSP_VARIANTS", {Conv2D: (FAST, BEHIND)})
    return read(separable())


def macs_of(graph: Graph, variant: str) -> int:
    program = generate(graph, DSP)
    served = zip(graph.operators, program.variants, strict=True)
    return sum(operator_macs(graph, operator) for operator, name in served if name == variant)


def test_macs_behind_the_fast_kernel_count_whether_their_kernel_is_portable_or_not(graph: Graph) -> None:
    fast, behind = macs_of(graph, FAST.name), macs_of(graph, BEHIND.name)
    portable = macs_of(graph, "conv2d_s8/generic")
    assert min(fast, behind, portable) > 0
    assert generate(graph, DSP).general_macs == behind + portable


def test_kinds_without_a_fast_kernel_and_cores_without_any_have_no_general_path(graph: Graph) -> None:
    program = generate(graph, DSP)
    named = {name for name, general in zip(program.variants, program.general, strict=True) if general}
    assert named == {BEHIND.name, "conv2d_s8/generic"}
    assert generate(graph, PORTABLE).general_macs == 0


def test_share_is_shown_and_kept(graph: Graph) -> None:
    measured = hil.measure(graph, device="simulated:nrf52840_dk")
    assert measured.general_macs == generate(graph, DSP).general_macs
    share = measured.general_macs / model_macs(graph)
    assert measured.general_share == share
    data = to_dict(measured)
    assert data["general_share"] == share
    assert from_dict(data) == measured
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115  # closed with the process
    console.print(measurement_table("model", measured))
    assert f"{share:.1%}" in console.export_text()


def test_measurements_kept_before_it_was_counted_can_be_read(graph: Graph) -> None:
    measured = hil.measure(graph, device="simulated:nrf52840_dk")
    data = to_dict(measured)
    del data["general_macs"]
    assert from_dict(data) == replace(measured, general_macs=0)
