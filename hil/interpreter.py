"""The one place that chooses which interpreter runs a .tflite model on this computer.

Two uses, two choices:

* `HostInterpreter` is for speed (int8 accuracy over a data set): tflite-runtime where it has wheels, its
  successor ai-edge-litert elsewhere, with their optimised kernels.
* `truth` is for comparison with a device: TensorFlow Lite Micro on the host (package tflite-micro) where it
  is installed, which is exact to the last bit; else the reference kernels of the host interpreter, with a
  tolerance.

Differences to TensorFlow Lite Micro, in int8 steps, largest over 200 (reference) and 20 (optimised) random
inputs of the MLPerf Tiny models.  An operator rounds differently by one at most; a network makes more of it:

    interpreter                  kernels      kws  ic   vww  ad
    tflite-runtime 2.14.0        reference      0   0    0    1
    tflite-runtime 2.14.0        optimised      0  29    0    1
    TensorFlow 2.21.0 (LiteRT)   reference      8  10    1    3
    TensorFlow 2.21.0 (LiteRT)   optimised      0  29    0    1

tflite-runtime breaks when it is imported after TensorFlow (both carry the same C++ symbols; `MemoryError` in
GetSignatureDefs).  In a process that has TensorFlow loaded already, TensorFlow's own copy of it is used
instead.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hil.errors import BadModel, HostError, InputError
from hil.graph.types import Graph

Samples: TypeAlias = NDArray[np.int8]
Model: TypeAlias = "Graph | bytes"

# What interpreters raise on models that they cannot run.
_REFUSALS = (ValueError, RuntimeError, MemoryError)
# Largest difference to the exact truth that the reference kernels of each package are allowed; see the table.
_TOLERANCE = {"tflite-runtime": 1}
_TOLERANCE_ELSE = 16
# tflite-micro cannot tell how much it needs.  Untouched pages cost nothing.
_MICRO_ARENA_BYTES = 32 << 20


class Reference(Protocol):
    """What a device's output is held against."""

    name: str
    exact: bool
    tolerance: int

    def run(self, data: bytes) -> bytes:
        """The model's output for one input, both as the bytes of int8 values in C order."""


class _Engine(Protocol):
    """One loaded model.  `infer` takes and gives one sample with its batch dimension."""

    name: str

    def infer(self, sample: Samples) -> Samples: ...


class _LiteEngine:
    """The Interpreter class that tflite-runtime, ai-edge-litert and TensorFlow share."""

    def __init__(self, name: str, module: Any, model: bytes, *, reference_kernels: bool) -> None:
        self.name = name
        # Never with the default delegate: XNNPACK rounds in its own way.
        kernels = "BUILTIN_REF" if reference_kernels else "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
        with _quiet():
            self._interpreter = module.Interpreter(
                model_content=model,
                num_threads=1,
                experimental_op_resolver_type=module.OpResolverType[kernels],
            )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def infer(self, sample: Samples) -> Samples:
        self._interpreter.set_tensor(self._input["index"], sample.reshape(self._input["shape"]))
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._output), dtype=np.int8)


class _MicroEngine:
    """TensorFlow Lite Micro itself."""

    def __init__(self, name: str, module: Any, model: bytes) -> None:
        self.name = name
        self._interpreter = module.Interpreter.from_bytes(
            model, arena_size=_MICRO_ARENA_BYTES + 10 * len(model)
        )
        self._shape = self._interpreter.get_input_details(0)["shape"]

    def infer(self, sample: Samples) -> Samples:
        self._interpreter.set_input(sample.reshape(self._shape), 0)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_output(0), dtype=np.int8)


class HostInterpreter:
    """Runs an int8 model on this computer, fast.

    Args:
        model: a Graph that was read from a file, or the bytes of a .tflite file.

    Attributes:
        name: which interpreter it is, with its version, e.g. "tflite-runtime 2.14.0".

    Raises:
        HostError: no interpreter is installed, or none runs the model.
    """

    def __init__(self, model: Model) -> None:
        self._engine = _first_engine([*_lite_candidates(), _micro_candidate], _content(model))
        self.name = self._engine.name

    def run(self, batch: Samples) -> Samples:
        """Outputs for a batch.

        Args:
            batch: int8, shape (n, ...) with the model's input shape behind n.

        Returns:
            int8, shape (n, ...) with the model's output shape behind n.

        Raises:
            InputError: `batch` is not int8, is empty, or has the wrong shape.
        """
        if batch.dtype != np.int8 or batch.ndim < 1 or len(batch) < 1:
            raise InputError(
                f"samples of type {batch.dtype} and shape {batch.shape}, expected at least one int8 sample",
                remedy="quantize them with the input tensor's scale and zero point",
            )
        try:
            outputs = [self._engine.infer(np.ascontiguousarray(sample)) for sample in batch]
        except ValueError as error:
            raise InputError(
                f"samples of shape {batch.shape[1:]} do not fit the model: {error}",
                remedy="give them the shape of the model's input, without its batch",
            ) from error
        return np.concatenate(outputs)


class _Truth:
    """An engine as a Reference."""

    def __init__(self, engine: _Engine, *, exact: bool, tolerance: int) -> None:
        self._engine = engine
        self.name = engine.name
        self.exact = exact
        self.tolerance = tolerance

    def run(self, data: bytes) -> bytes:
        return self._engine.infer(np.frombuffer(data, np.int8)).tobytes()


def truth(model: Model) -> Reference:
    """The best reference for a device's output that is installed.

    Returns:
        TensorFlow Lite Micro (exact, tolerance 0) where it is installed; else the reference kernels of the
        host interpreter, with the tolerance that they need.

    Raises:
        HostError: as HostInterpreter.
    """
    content = _content(model)
    try:
        return _Truth(_first_engine([_micro_candidate], content), exact=True, tolerance=0)
    except HostError:
        engine = _first_engine(_lite_candidates(reference_kernels=True), content)
    package = engine.name.split()[0]
    return _Truth(engine, exact=False, tolerance=_TOLERANCE.get(package, _TOLERANCE_ELSE))


def host_name() -> str:
    """Name and version of the interpreter that HostInterpreter tries first.

    Raises:
        HostError: none is installed.
    """
    for candidate in _lite_candidates():
        if (found := candidate()) is not None:
            return found[0]
    raise _nothing_installed([])


def truth_name() -> str:
    """Name and version of the exact reference.

    Raises:
        HostError: it is not installed.
    """
    if (found := _micro_candidate()) is not None:
        return found[0]
    raise HostError(
        "tflite-micro, the exact reference, is not installed",
        remedy="pip install --pre tflite-micro  (Linux, Python 3.11); without it outputs are compared "
        "with a tolerance",
    )


# ---- choosing

# A candidate gives (name, how to load a model), or None where it is not installed.
_Loader: TypeAlias = Callable[[bytes], _Engine]
_Candidate: TypeAlias = Callable[[], tuple[str, _Loader] | None]


def _content(model: Model) -> bytes:
    content = model.flatbuffer if isinstance(model, Graph) else model
    if not content:
        raise BadModel(
            "the graph does not hold the model's file, which interpreters run",
            remedy="read the model with hil.graph.read",
        )
    return content


def _lite_candidates(*, reference_kernels: bool = False) -> list[_Candidate]:
    """tflite-runtime and its kin, in the order of preference."""
    packages = [
        ("tflite-runtime", "tflite_runtime.interpreter"),
        ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ]
    if "tensorflow" in sys.modules:
        if "tflite_runtime" not in sys.modules:
            del packages[0]  # it would break; see the module
        packages.append(("tensorflow", "tensorflow.lite.python.interpreter"))
    return [partial(_lite_candidate, *package, reference_kernels) for package in packages]


def _lite_candidate(package: str, module_name: str, reference_kernels: bool) -> tuple[str, _Loader] | None:
    if (found := _import(package, module_name)) is None:
        return None
    name, module = found
    return name, lambda model: _LiteEngine(name, module, model, reference_kernels=reference_kernels)


def _micro_candidate() -> tuple[str, _Loader] | None:
    if (found := _import("tflite-micro", "tflite_micro.python.tflite_micro.runtime")) is None:
        return None
    name, module = found
    return name, lambda model: _MicroEngine(name, module, model)


def _import(package: str, module_name: str) -> tuple[str, Any] | None:
    try:
        name = f"{package} {version(package)}"
        return name, import_module(module_name)
    except (PackageNotFoundError, ImportError):
        return None


def _first_engine(candidates: list[_Candidate], model: bytes) -> _Engine:
    """The first candidate that is installed and takes the model."""
    refusals = []
    for candidate in candidates:
        found = candidate()
        if found is None:
            continue
        name, load = found
        try:
            return load(model)
        except _REFUSALS as error:
            refusals.append(f"{name}: {str(error).strip() or type(error).__name__}")
    raise _nothing_installed(refusals)


def _nothing_installed(refusals: list[str]) -> HostError:
    if refusals:
        return HostError(
            "no interpreter on this computer runs the model (" + "; ".join(refusals) + ")",
            remedy="convert it with an older TensorFlow, or install a newer interpreter: "
            "pip install -U ai-edge-litert",
        )
    return HostError(
        "no interpreter for .tflite models is installed",
        remedy="pip install tflite-runtime  (from Python 3.12 on: pip install ai-edge-litert)",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow announces that its interpreter moves to another package: nothing that a user can act on."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
