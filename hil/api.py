"""The Python front door: a model in, a Measurement out."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hil.bench import BenchSettings, bench
from hil.devices import open_device
from hil.errors import BadModel, InputError, QuantizationFailed
from hil.graph.types import Graph
from hil.program import Program
from hil.units import read_size

if TYPE_CHECKING:
    from hil.board import Board
    from hil.codegen import Target
    from hil.device import Device
    from hil.measurement import Measurement
    from hil.meters.metering import Metering
    from hil.meters.types import EnergyMeter
    from hil.stripes import StripePlan

Model: TypeAlias = "str | os.PathLike[str] | bytes | Graph | Any"
"""Path of a .tflite or .keras file, the bytes of a .tflite file, a Graph, or a keras.Model."""

_RANDOM_SAMPLES = 16


def measure(
    model: Model,
    *,
    device: str | Device = "simulated:nrf52840_dk",
    board: str | Board | None = None,
    representative: Any = None,
    per_layer: bool = False,
    optimize: Sequence[str] = (),
    arena_limit: int | str | None = None,
    meter: str | EnergyMeter | None = None,
    subtract_idle: bool = False,
    settings: BenchSettings | None = None,
) -> Measurement:
    """Measure a model on a device.

    A Keras model is quantized to int8 first.  Without `representative` data its ranges are taken from random
    data: latency, RAM and flash do not depend on them, accuracy would.  The origin's settings say so
    ("random_ranges": 1).

    Args:
        model: path of a .tflite or .keras file, bytes of a .tflite file, a Graph, or a keras.Model.
        device: "serial:PORT", "emulated:BOARD", "emulated+pty:BOARD" or "simulated:BOARD"; or a Device,
            which stays open.
        board: the board behind a serial port, where its USB id does not tell.
        representative: input samples, shape (n, height, width, channels), as the float model takes them.
        per_layer: also measure each operator.
        optimize: passes over a finished network that keep its output, see hil.optimize.PASSES, e.g.
            ("constant-channels",).  The origin's settings say so, and what it took away; the output is still
            held against the model as it was handed in.
        arena_limit: bytes, or text such as "24 kB" (1024 bytes): where the arena would be larger, the first
            operators run in stripes, as few as it takes (hil.stripes).  The origin's settings say so
            (`hil.patches.Patches.from_settings`).  Where it is smaller, the rest may serve as scratch of
            faster kernels (hil.codegen.choose).
        meter: what measures energy (hil.meters.choose), e.g. "ppk2:/dev/ttyACM1", "ina226", "joulescope" or
            "estimate"; or an EnergyMeter, which stays open.  None: the profile's estimate.
        subtract_idle: leave out what the board takes when it does nothing; with a meter.
        settings: of the bench; `per_layer` given here counts as well.

    Returns:
        The measurement, with its origin.

    Raises:
        HilError: see hil.errors; what needs the least work is checked first (device and board, then the
            model, then whether it fits, then the build, then the device itself).

    Example:
        measure("model.tflite", device="emulated:nrf52840_dk").latency_us
    """
    from hil.interpreter import truth

    _check_optimize(optimize)
    if subtract_idle and meter is None:
        raise InputError("subtract_idle without a meter", remedy="name one, e.g. meter='estimate'")
    settings = settings or BenchSettings()
    if per_layer:
        settings = replace(settings, per_layer=True)
    metering = _metering(meter, subtract_idle)
    opened = _open(device, board, metering) if isinstance(device, str) else device
    try:
        stages_s: dict[str, float] = {}
        graph, random_ranges = _read(model, representative, stages_s)
        graph, facts = _optimize(graph, optimize, stages_s, random_ranges=random_ranges)
        program = _compile(graph, opened.board, arena_limit, stages_s)
        image = opened.build(program)
        measurement = bench(image, opened, settings, truth(graph), metering=metering)
    finally:
        if metering is not None and metering.meter is not meter:
            metering.meter.close()
        if opened is not device:
            opened.close()
    origin = measurement.origin
    if random_ranges:
        facts["random_ranges"] = 1.0
    origin = replace(origin, settings={**origin.settings, **facts})
    return replace(measurement, stages_s={**stages_s, **measurement.stages_s}, origin=origin)


def _metering(meter: str | EnergyMeter | None, subtract_idle: bool) -> Metering | None:
    if meter is None:
        return None
    if isinstance(meter, str):
        from hil.meters.choose import open_meter

        meter = open_meter(meter)
    from hil.meters.metering import Metering

    return Metering(meter, subtract_idle)


def _open(device: str, board: str | Board | None, metering: Metering | None) -> Device:
    opened = open_device(device, board=board)
    if metering is None or not metering.meter.needs_sensor_driver:
        return opened
    from hil.meters.choose import with_sensor_driver

    return open_device(device, board=with_sensor_driver(opened.board))


def compile_model(
    model: Model,
    *,
    board: Board | None = None,
    representative: Any = None,
    optimize: Sequence[str] = (),
    arena_limit: int | str | None = None,
) -> Program:
    """A model as C sources with a memory plan.

    Args:
        model, representative, optimize, arena_limit: as for `measure`.
        board: whose core the kernels are chosen for; None: kernels that run on any core.

    Raises:
        BadModel, UnsupportedOperator, QuantizationFailed.
        ArenaOverLimit: no plan keeps the limit.
        InputError: there is no such optimization, or nothing to base it on.
    """
    _check_optimize(optimize)
    graph, random_ranges = _read(model, representative, {})
    graph, _ = _optimize(graph, optimize, {}, random_ranges=random_ranges)
    return _compile(graph, board, arena_limit, {})


def plans(model: Model, *, board: str | Board | None = None, representative: Any = None) -> list[StripePlan]:
    """The ways to execute a model that are worth having: ever smaller arenas for ever more MACs.

    Args:
        model, representative: as for `measure`.
        board: whose core the kernels are chosen for, or its id; None: kernels that run on any core.

    Returns:
        The model in one piece first.  Nothing is built: arena and MACs are known from the plan.

    Raises:
        BadModel, UnsupportedOperator, QuantizationFailed, UnknownBoard.

    Example:
        [(str(plan), plan.arena_bytes, plan.macs) for plan in plans("model.tflite", board="nrf52840_dk")]
    """
    from hil.board import load_board
    from hil.stripes import all_plans

    graph, _ = _read(model, representative, {})
    return all_plans(graph, _target(load_board(board) if isinstance(board, str) else board))


def _check_optimize(names: Sequence[str]) -> None:
    if names:
        from hil.optimize import check_names

        check_names(names)


def _optimize(
    graph: Graph, names: Sequence[str], stages_s: dict[str, float], *, random_ranges: bool
) -> tuple[Graph, dict[str, float]]:
    """The graph after the passes, and what a measurement's settings say of them."""
    if not names:
        return graph, {}
    from hil.optimize import Reduction, apply

    if random_ranges:
        raise InputError(
            "a Keras model without representative data cannot be optimized: what may be left out depends on "
            "its ranges, which would be random",
            remedy="hand in representative data, or the .tflite file of the finished network",
        )
    start = time.perf_counter()
    smaller = apply(graph, names)
    stages_s["optimize"] = time.perf_counter() - start
    flags = {name.replace("-", "_"): 1.0 for name in names}
    return smaller, {**flags, **Reduction.between(graph, smaller).to_settings()}


def _read(model: Model, representative: Any, stages_s: dict[str, float]) -> tuple[Graph, bool]:
    """The graph, and whether its ranges come from random data."""
    from hil.graph import read

    if isinstance(model, Graph):
        return model, False
    random_ranges = False
    source: str | Path | bytes
    if isinstance(model, bytes):
        source = model
    elif isinstance(model, str | os.PathLike) and _suffix(model) not in (".keras", ".h5"):
        source = Path(model)
    else:
        random_ranges = representative is None
        start = time.perf_counter()
        source = _quantize(model, representative)
        stages_s["quantize"] = time.perf_counter() - start
    start = time.perf_counter()
    graph = read(source)
    stages_s["graph"] = time.perf_counter() - start
    return graph, random_ranges


def _suffix(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower()


def _quantize(model: Any, representative: Any) -> bytes:
    from hil.quantize import input_of, load_keras, quantize

    keras_model = load_keras(model) if isinstance(model, str | os.PathLike) else model
    if not hasattr(keras_model, "layers"):
        raise BadModel(
            f"a model of type {type(model).__name__}, expected a path, bytes, a Graph or a keras.Model",
            remedy="hand in the path of a .tflite or .keras file",
        )
    if representative is None:
        representative = _random_inputs(input_of(keras_model)[0])
    return quantize(keras_model, representative)


def _random_inputs(shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """Samples that give every activation some range; see `measure` for what may be concluded from them."""
    sizes = tuple(size for size in shape if size is not None)
    if len(sizes) != len(shape):
        raise QuantizationFailed(
            f"the model's input has the shape {shape}, expected one of fixed size",
            remedy="give the model a keras.Input of fixed shape, or hand in representative data",
        )
    samples = np.random.default_rng(0).standard_normal((_RANDOM_SAMPLES, *sizes))
    return samples.astype(np.float32)


def _compile(
    graph: Graph, board: Board | None, arena_limit: int | str | None, stages_s: dict[str, float]
) -> Program:
    from hil.codegen import generate
    from hil.stripes import compile_plan, fit

    start = time.perf_counter()
    target = _target(board)
    if arena_limit is None:
        program = generate(graph, target)
    else:
        limit = read_size(arena_limit)
        program = compile_plan(fit(graph, target, limit), target, limit)
    stages_s["codegen"] = time.perf_counter() - start
    return program


def _target(board: Board | None) -> Target:
    from hil.codegen import PORTABLE, Target

    return PORTABLE if board is None else Target.of(board)
