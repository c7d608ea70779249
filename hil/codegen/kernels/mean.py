"""MEAN over any axes that leave at most two runs of kept and two of reduced dimensions."""

from __future__ import annotations

from math import prod

from hil.codegen.call import Arguments, Variant
from hil.codegen.fixed_point import Factor, quantize_factor
from hil.graph.types import Graph, Mean, Operator

#: One merged dimension: its size, its step in bytes, and whether it is summed over.
_Run = tuple[int, int, bool]


def runs_of(graph: Graph, operator: Operator) -> list[_Run]:
    options = operator.options
    assert isinstance(options, Mean)
    shape = graph.tensors[operator.inputs[0]].shape
    runs: list[_Run] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        reduced = axis in options.axes
        step = prod(shape[axis + 1 :])
        if runs and runs[-1][2] == reduced:
            runs[-1] = (runs[-1][0] * size, step, reduced)
        else:
            runs.append((size, step, reduced))
    return runs


def _is_supported(graph: Graph, operator: Operator) -> bool:
    runs = runs_of(graph, operator)
    return all(sum(run[2] is reduced for run in runs) <= 2 for reduced in (False, True))


def mean_factor(factor: Factor, count: int) -> Factor:
    """`factor` / `count`, kept as large as the shift allows, as the interpreter folds the division in."""
    shift = min(count.bit_length() - 1, 32, 31 + factor.shift)
    return Factor((factor.multiplier << shift) // count, factor.shift - shift)


def _pair(runs: list[_Run], *, reduced: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes and steps of the kept or reduced runs, outer ones first, filled up to two."""
    chosen = [(size, step) for size, step, is_reduced in runs if is_reduced is reduced]
    filled = [(1, 0)] * (2 - len(chosen)) + chosen
    return tuple(size for size, _ in filled), tuple(step for _, step in filled)


def arguments(graph: Graph, operator: Operator) -> Arguments:
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    runs = runs_of(graph, operator)
    kept_size, kept_step = _pair(runs, reduced=False)
    reduced_size, reduced_step = _pair(runs, reduced=True)
    count = prod(reduced_size)
    factor = mean_factor(quantize_factor(source.scale / output.scale), count)
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_mean_params",
        params={
            "kept_size": kept_size,
            "kept_step": kept_step,
            "reduced_size": reduced_size,
            "reduced_step": reduced_step,
            "offset": -source.zero_point * count,
            "multiplier": factor.multiplier,
            "shift": factor.shift,
            "zero_point": output.zero_point,
        },
    )


VARIANTS = (Variant("mean_s8/generic", "hil_mean_s8", arguments, accepts=_is_supported),)
