"""The interpreters on this computer: which one is chosen, and what it computes."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import interpreter
from hil.errors import BadModel, HostError, InputError
from hil.graph import read
from hil.graph.types import Graph
from tests.support.tflite_builder import Builder, truth

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(3)

needs_micro = pytest.mark.skipif(find_spec("tflite_micro") is None, reason="tflite-micro is not installed")


def small_model() -> bytes:
    b = Builder()
    x = b.input((1, 6, 5, 3), scale=0.1, zero_point=3)
    y = b.conv2d(
        x,
        RNG.integers(-127, 128, (4, 3, 3, 3), dtype=np.int8),
        RNG.integers(-99, 99, 4),
        weight_scales=[0.01] * 4,
        out_scale=0.2,
        out_zero_point=-3,
    )
    return b.finish(b.max_pool2d(y, (2, 2)))


def version_12_model() -> bytes:
    """Per-channel FULLY_CONNECTED, which tflite-runtime 2.14 does not know."""
    b = Builder()
    x = b.input((1, 8), scale=0.1, zero_point=3)
    w = RNG.integers(-127, 128, (4, 8), dtype=np.int8)
    return b.finish(
        b.fully_connected(x, w, weight_scales=[0.01, 0.02, 0.03, 0.04], out_scale=0.2, out_zero_point=0)
    )


def samples(n: int, shape: tuple[int, ...] = (6, 5, 3)) -> np.ndarray[Any, np.dtype[np.int8]]:
    return RNG.integers(-128, 128, (n, *shape), dtype=np.int8)


@needs_micro
def test_host_interpreter_runs_a_batch() -> None:
    model = small_model()
    batch = samples(5)
    host = interpreter.HostInterpreter(read(model))
    outputs = host.run(batch)
    assert outputs.shape == (5, 3, 2, 4)
    assert outputs.dtype == np.int8
    assert host.name == interpreter.host_name()
    for sample, output in zip(batch, outputs, strict=True):
        assert np.abs(truth(model, sample[None])[0].astype(int) - output).max() <= 1


@needs_micro
def test_truth_is_tensorflow_lite_micro() -> None:
    model = small_model()
    reference = interpreter.truth(model)
    assert (reference.exact, reference.tolerance) == (True, 0)
    assert reference.name.startswith("tflite-micro ")
    assert reference.name == interpreter.truth_name()
    for sample in samples(3):
        assert reference.run(sample.tobytes()) == truth(model, sample[None]).tobytes()


def test_without_tflite_micro_the_host_stands_in_with_a_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro.runtime", None)
    model = small_model()
    reference = interpreter.truth(model)
    assert not reference.exact
    assert reference.tolerance >= 1
    sample = samples(1)
    host = interpreter.HostInterpreter(model).run(sample).astype(int)
    difference = np.abs(np.frombuffer(reference.run(sample.tobytes()), np.int8) - host.ravel())
    assert difference.max() <= reference.tolerance
    with pytest.raises(HostError, match="tflite-micro") as caught:
        interpreter.truth_name()
    assert "pip install" in (caught.value.remedy or "")


@needs_micro
def test_a_model_too_new_for_the_host_runs_elsewhere() -> None:
    model = version_12_model()
    batch = samples(2, (8,))
    expected = np.concatenate([truth(model, sample[None]) for sample in batch])
    assert np.abs(interpreter.HostInterpreter(model).run(batch).astype(int) - expected).max() <= 1


def test_no_interpreter_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tflite_runtime.interpreter", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro.runtime", None)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with pytest.raises(HostError, match="no interpreter") as caught:
        interpreter.HostInterpreter(small_model())
    assert "pip install" in (caught.value.remedy or "")


def test_a_model_that_no_interpreter_takes() -> None:
    b = Builder()
    x = b.input((1, 8), scale=0.1, zero_point=3)
    y = b.tensor((1, 8), scale=0.1, zero_point=3)
    b.operator("RELU", [x], [y], version=99)
    b.operator("DENSIFY", [y], [z := b.tensor((1, 8), scale=0.1, zero_point=3)], version=99)
    with pytest.raises(HostError, match="runs the model"):
        interpreter.HostInterpreter(b.finish(z))


@pytest.mark.parametrize(
    "batch",
    [np.zeros((2, 6, 5, 3), np.float32), np.zeros((0, 6, 5, 3), np.int8), np.zeros((2, 6, 5), np.int8)],
)
def test_samples_that_do_not_fit(batch: np.ndarray[Any, Any]) -> None:
    with pytest.raises(InputError):
        interpreter.HostInterpreter(small_model()).run(batch)


def test_graph_without_its_file() -> None:
    graph = read(small_model())
    bare = Graph(graph.digest, graph.tensors, graph.operators, graph.input, graph.output)
    with pytest.raises(BadModel, match=r"hold the model's file"):
        interpreter.truth(bare)


@pytest.mark.slow
@needs_micro
def test_beside_tensorflow_the_runtime_is_not_loaded() -> None:
    code = """
import sys
import tensorflow
import numpy as np
from hil import interpreter
from tests.hil.test_interpreter import small_model, samples
model, batch = small_model(), samples(2)
host, exact = interpreter.HostInterpreter(model), interpreter.truth(model)
assert "tflite_runtime" not in sys.modules
expected = np.frombuffer(b"".join(exact.run(s.tobytes()) for s in batch), np.int8)
assert np.abs(host.run(batch).ravel().astype(int) - expected).max() <= 1
print(host.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("tensorflow ", "ai-edge-litert "))
    assert "deprecated" not in done.stderr


MODELS = ROOT.parent / "shared" / "models"
GOLDEN = {
    "kws": "9fa3943ae13e7b8b",
    "ic": "62a3b576d8d56498",
    "vww": "29aa0a9061563b8e",
    "ad": "a057d960e98de659",
}


@needs_micro
@pytest.mark.parametrize("name", GOLDEN)
def test_truth_gives_the_golden_outputs(name: str) -> None:
    import hashlib

    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not beside the checkout")
    graph = read(path)
    data = ((73 * np.arange(graph.input_tensor.elements) + 41) % 256 - 128).astype(np.int8)
    output = interpreter.truth(graph).run(data.tobytes())
    assert hashlib.sha256(output).hexdigest().startswith(GOLDEN[name])
