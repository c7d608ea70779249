"""Fit the simulator's coefficients to measurements: `python -m hil.calibrate --device DEVICE MODEL...`

    symbol   shape      meaning
    y        (n,)       measured cycles of the n calls of one kernel, or of one kind of operator
    A        (n, 3)     per call: 1, work (hil.macs.operator_work: MACs), output elements
    x        (3,)       fixed, per_mac, per_output; none negative

    minimise  sum over i of ((A_i x - y_i) / y_i)^2   subject to  x >= 0

Relative errors are minimised, so that small layers count as much as large ones.  With three unknowns the
constrained minimum is found exactly: it is the best of the unconstrained minima over each subset of the
unknowns whose solution has no negative part.

The error that is printed is that of whole models left out: each model is predicted by coefficients that were
fitted to the other models only.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.analytic import kernel_of
from hil.api import compile_model, measure
from hil.board import OperatorCost, Simulator, load_board, parse_board
from hil.errors import HilError
from hil.graph import read
from hil.graph.types import Graph
from hil.macs import operator_work
from hil.measurement import Measurement

#: A kernel with fewer calls than this is served by the coefficients of its operator.
_LEAST_CALLS = 4


@dataclass(frozen=True)
class Sample:
    """One measured model: its graph as it was compiled, and its measurement with layers."""

    graph: Graph
    measured: Measurement


@dataclass(frozen=True)
class Calibration:
    """Coefficients, and how well they predict.

    Attributes:
        simulator: operator costs with DEFAULT; code, static data and stack are the medians of the samples.
        errors: per sample, (predicted - measured) / measured of its cycles, predicted without that sample.
    """

    simulator: Simulator
    errors: tuple[float, ...]


@dataclass(frozen=True)
class _Call:
    """One operator of one model: what it counts, and what it took."""

    operator: str
    variant: str
    work: int
    outputs: int
    cycles: int
    runs: bool


def calibrate(samples: Sequence[Sample]) -> Calibration:
    """Fit coefficients to measurements of one board.

    Args:
        samples: two or more.

    Raises:
        ValueError: fewer than two, or one without layers.
    """
    with_layers = sum(bool(sample.measured.layers) for sample in samples)
    if len(samples) < 2 or with_layers < len(samples):
        raise ValueError(
            f"{len(samples)} measurements, {with_layers} with layers; expected two or more, all with layers"
        )
    calls = [_calls(sample) for sample in samples]
    errors = []
    for index, left_out in enumerate(calls):
        costs = _fit_all([*calls[:index], *calls[index + 1 :]])
        predicted = sum(_predict(costs, call) for call in left_out)
        errors.append(predicted / sum(call.cycles for call in left_out) - 1)
    measured = [sample.measured for sample in samples]
    simulator = Simulator(
        operators=_fit_all(calls),
        code_bytes=statistics.median_low(m.code_bytes for m in measured),
        static_bytes=statistics.median_low(m.static_bytes for m in measured),
        stack_bytes=statistics.median_low(m.stack_bytes for m in measured),
    )
    return Calibration(simulator, tuple(errors))


def _calls(sample: Sample) -> list[_Call]:
    graph = sample.graph
    return [
        _Call(
            operator=operator.name,
            variant=kernel_of(layer.variant),
            work=operator_work(graph, operator),
            outputs=graph.tensors[operator.output].elements,
            cycles=layer.cycles,
            runs=bool(layer.variant),
        )
        for operator, layer in zip(graph.operators, sample.measured.layers, strict=True)
    ]


def _predict(costs: Mapping[str, OperatorCost], call: _Call) -> float:
    cost = costs.get(call.variant) or costs.get(call.operator) or costs["DEFAULT"]
    return cost.fixed + cost.per_mac * call.work + cost.per_output * call.outputs


def _fit_all(models: Sequence[Sequence[_Call]]) -> dict[str, OperatorCost]:
    groups: dict[str, list[_Call]] = defaultdict(list)
    for call in itertools.chain.from_iterable(models):
        groups[call.operator].append(call)
    costs = {operator: _fit(calls) for operator, calls in sorted(groups.items())}
    kernels: dict[str, list[_Call]] = defaultdict(list)
    for call in itertools.chain.from_iterable(groups.values()):
        kernels[call.variant].append(call)
    for variant, calls in sorted(kernels.items()):
        if len(calls) >= _LEAST_CALLS and len(calls) < len(groups[calls[0].operator]):
            costs[variant] = _fit(calls)
    # An operator that was never seen is charged like those that only pass over their values.
    passing = [call for calls in groups.values() for call in calls if call.runs and not call.work]
    costs["DEFAULT"] = _fit(passing or [call for calls in groups.values() for call in calls])
    return costs


def _fit(calls: Sequence[_Call]) -> OperatorCost:
    """See the module.  Unknowns that the calls cannot tell apart are left at 0."""
    matrix = np.array([[1.0, call.work, call.outputs] for call in calls])
    cycles = np.array([float(call.cycles) for call in calls])
    weight = 1 / np.maximum(cycles, 1.0)
    best, best_error = np.zeros(3), float(np.sum((weight * cycles) ** 2))
    for count in (1, 2, 3):
        for subset in itertools.combinations(range(3), count):
            columns = matrix[:, subset] * weight[:, None]
            scale = np.abs(columns).max(axis=0)
            if not scale.all() or np.linalg.matrix_rank(columns / scale) < count:
                continue
            solution, *_ = np.linalg.lstsq(columns / scale, weight * cycles, rcond=None)
            error = float(np.sum((columns / scale @ solution - weight * cycles) ** 2))
            if (solution >= 0).all() and error < best_error - 1e-12:
                best, best_error = np.zeros(3), error
                best[list(subset)] = solution / scale
    return OperatorCost(*(float(value) for value in best))


def to_toml(calibration: Calibration, source: str) -> str:
    """The tables to paste into the profile; `source` says what they were fitted to."""
    mean = statistics.fmean(abs(error) for error in calibration.errors)
    worst = max(abs(error) for error in calibration.errors)
    simulator = calibration.simulator
    lines = [
        "[simulator]",
        f"code_bytes = {simulator.code_bytes}",
        f"static_bytes = {simulator.static_bytes}",
        f"stack_bytes = {simulator.stack_bytes}",
        "",
        "[simulator.operators]",
    ]
    for operator, cost in simulator.operators.items():
        lines.append(
            f"{_key(operator)} = {{ fixed = {cost.fixed:.0f}, per_mac = {cost.per_mac:.3f}, "
            f"per_output = {cost.per_output:.2f} }}"
        )
    lines += [
        "",
        "[sources]",
        f'simulator = "fitted to {source}; whole models left out of the fit are off by {mean:.1%} '
        f'on average, {worst:.1%} at worst"',
    ]
    return "\n".join(lines)


def _key(name: str) -> str:
    return f'"{name}"' if "/" in name else name


def update_profile(profile: str, tables: str) -> str:
    """The text of a profile with its simulator's tables, and their source, replaced.

    Args:
        profile: text of a board profile.
        tables: from `to_toml`.
    """
    new_tables, _, new_source = tables.partition("[sources]\n")
    kept: list[str] = []
    inside = ""
    for line in profile.splitlines():
        if line.startswith("["):
            if line == "[simulator]":
                kept += new_tables.rstrip().splitlines()
                kept.append("")
            inside = line
        if inside.startswith("[simulator"):
            continue
        if inside == "[sources]" and line.startswith(("simulator", '"simulator')):
            continue
        kept.append(line)
        if line == "[sources]":
            kept += new_source.splitlines()
    return "\n".join(kept) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="python -m hil.calibrate", description="Fit a board's simulator.")
    parser.add_argument("--device", required=True, help="what to fit to, e.g. emulated:nrf52840_dk")
    parser.add_argument("--board", help="the board behind a serial port")
    parser.add_argument(
        "--write", type=Path, metavar="PROFILE", help="board profile to write the result into"
    )
    parser.add_argument("models", nargs="+", help="int8 .tflite files, two or more, as different as can be")
    options = parser.parse_args(arguments)
    if len(options.models) < 2:
        parser.error("two models or more are needed, to tell the error on models that were left out")
    samples, names = [], []
    for model in options.models:
        try:
            graph = read(model)
            measured = measure(graph, device=options.device, board=options.board, per_layer=True)
            compiled = compile_model(graph, board=load_board(measured.origin.board_id)).graph
        except HilError as error:
            print(f"{model}: skipped: {error}", file=sys.stderr)
            continue
        print(f"{model}: {measured.cycles:,} cycles, {measured.macs:,} MACs", file=sys.stderr)
        samples.append(Sample(compiled, measured))
        names.append(model)
    if len(samples) < 2:
        print("fewer than two models could be measured", file=sys.stderr)
        return 1
    calibration = calibrate(samples)
    source = f"{options.device} over {len(samples)} models by `python -m hil.calibrate`"
    tables = to_toml(calibration, source)
    print(tables)
    if options.write is not None:
        text = update_profile(options.write.read_text(), tables)
        parse_board(text, board_id=options.write.stem, where=str(options.write))
        options.write.write_text(text)
    for model, left_out_error in zip(names, calibration.errors, strict=True):
        print(f"{model}: left out, predicted {left_out_error:+.1%}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
