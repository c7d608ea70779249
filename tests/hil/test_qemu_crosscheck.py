"""Instruction totals of the emulator against QEMU, which shares neither its counter nor this project's code.

Both run the same objects: the kernels and the models as the firmware's flags compile them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import mlperf_tiny
from hil.bench import input_bytes
from hil.board import load_board
from hil.codegen import Target, generate
from hil.graph import read
from hil.program import Program
from tests.support import qemu
from tests.support.arm_models import ArmRunner
from tests.support.bench_models import BENCH_MODELS
from tests.support.firmware import needs_toolchain
from tests.support.network_cases import NetworkBuilder
from tests.support.qemu import needs_qemu
from tests.support.tflite_builder import TensorRef

pytestmark = [needs_toolchain, needs_qemu]

ALLOWED = 0.001  # of the total: QEMU's timer ticks every 40 instructions
REFERENCES = Path(__file__).parents[2] / mlperf_tiny.FOLDER


def one_layer(kind: str) -> bytes:
    """A model of one layer, with weights that the kernels for DSP cores take."""
    n = NetworkBuilder(1)
    size = (1, 256) if kind == "fully connected" else (1, 12, 12, 16)
    x = n.b.input(size, scale=0.02, zero_point=3)
    layers: dict[str, Callable[[], TensorRef]] = {
        "conv2d": lambda: n.conv(x, 16, (3, 3)),
        "pointwise": lambda: n.conv(x, 24, (1, 1)),
        "depthwise": lambda: n.depthwise(x, (3, 3)),
        "depthwise stride 2": lambda: n.depthwise(x, (3, 3), 2),
        "fully connected": lambda: n.dense(x, 64),
    }
    return n.b.finish(layers[kind]())


SINGLE = ("conv2d", "pointwise", "depthwise", "depthwise stride 2", "fully connected")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp("arm"))


def model(name: str) -> bytes:
    if name in SINGLE:
        return one_layer(name)
    if name in BENCH_MODELS:
        return BENCH_MODELS[name]()
    path = REFERENCES / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"the MLPerf Tiny models are not here: {path}")
    return path.read_bytes()


def program_of(name: str, *, dsp: bool) -> Program:
    return generate(read(model(name)), Target(dsp=dsp))


def compare(runner: ArmRunner, program: Program, folder: Path) -> None:
    ours, output = runner.count(program, input_bytes(program.graph.input_tensor.size_bytes))
    theirs = qemu.run(qemu.link(runner.objects(), folder / "qemu.elf"))
    assert theirs.output == output
    assert abs(ours - theirs.instructions) <= max(ALLOWED * theirs.instructions, 2 * qemu.TICK_INSTRUCTIONS)


@pytest.mark.parametrize("name", [*SINGLE, *BENCH_MODELS, *mlperf_tiny.MODELS])
def test_totals_agree_with_qemu(name: str, runner: ArmRunner, tmp_path: Path) -> None:
    compare(runner, program_of(name, dsp=Target.of(load_board("nrf52840_dk")).dsp), tmp_path)


@pytest.mark.parametrize("name", SINGLE)
def test_totals_of_portable_kernels_agree_with_qemu(name: str, runner: ArmRunner, tmp_path: Path) -> None:
    compare(runner, program_of(name, dsp=False), tmp_path)
