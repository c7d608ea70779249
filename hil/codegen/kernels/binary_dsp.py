"""ADD, SUB and MUL for cores with the DSP extension.

ADD and SUB of two operands of one shape are the plane of `affine_fit`, if there is one; else they are
computed step by step ("rows"), as with broadcasting.  MUL, with broadcasting, has one
multiplication for both roundings, see `hil.codegen.dsp`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hil.codegen.affine_fit import Plane, fit, scaled
from hil.codegen.call import Arguments, Variant
from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, Factor, FactorOutOfRange, activation_range
from hil.codegen.geometry import broadcast_fields
from hil.codegen.kernels.binary import (
    ADD_HEADROOM_BITS,
    broadcast,
    full_operand,
    is_broadcastable,
    operands,
    product_factor,
    sum_factors,
)
from hil.graph.types import Add, Graph, Mul, Operator, Sub

#: The kernel shifts one operand of a product left by so much, p in `hil.codegen.dsp`.
_PRESHIFT = 8


def _plane(graph: Graph, operator: Operator) -> Plane | None:
    options = operator.options
    assert isinstance(options, Add | Sub)
    a, b = (graph.tensors[index] for index in operator.inputs)
    output = graph.tensors[operator.output]
    if a.shape != b.shape or activation_range(options.activation, output) != (INT8_MIN, INT8_MAX):
        return None
    scales = (a.scale, b.scale, output.scale)
    zero_points = (a.zero_point, b.zero_point, output.zero_point)
    try:
        return _plane_of(scales, zero_points, -1 if isinstance(options, Sub) else 1)
    except FactorOutOfRange:  # the generic variant says why
        return None


@lru_cache(maxsize=256)
def _plane_of(
    scales: tuple[float, float, float], zero_points: tuple[int, int, int], sign: int
) -> Plane | None:
    """Args: those of a, b and the output; sign: 1 for a + b, -1 for a - b."""
    factor_a, factor_b, factor = sum_factors(*scales)
    values = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
    term_a = scaled((values - zero_points[0]) << ADD_HEADROOM_BITS, factor_a)
    term_b = sign * scaled((values - zero_points[1]) << ADD_HEADROOM_BITS, factor_b)
    sums = scaled(term_a[:, None] + term_b[None, :], factor) + zero_points[2]
    table = np.clip(sums, INT8_MIN, INT8_MAX)
    return fit(table, scales[0] / scales[2], sign * scales[1] / scales[2])


def _accepts(graph: Graph, operator: Operator) -> bool:
    return _plane(graph, operator) is not None


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    plane = _plane(graph, operator)
    assert plane is not None  # _accepts has checked
    return Arguments(
        inputs=operands(graph, operator),
        params_type="hil_add_dsp_params",
        params={
            "size": graph.tensors[operator.output].elements,
            "factor_a": plane.factor_a,
            "factor_b": plane.factor_b,
            "offset": plane.offset,
            "shift": plane.shift,
        },
    )


def _fine(graph: Graph, operator: Operator) -> int:
    """Position of the operand with the smaller scale."""
    a, b = (graph.tensors[index].scale for index in operator.inputs)
    return 0 if a < b else 1


def _row_factors(graph: Graph, operator: Operator) -> tuple[Factor, Factor] | None:
    """Of the fine operand and of the sum, or None where the kernel cannot shift by them."""
    scales = [graph.tensors[index].scale for index in (*operator.inputs, operator.output)]
    try:
        *terms, total = sum_factors(*scales)
    except FactorOutOfRange:  # the generic variant says why
        return None
    fine = terms[_fine(graph, operator)]
    # The addend is 2^(shift - 1) + (zero point << shift).
    return (fine, total) if -22 <= total.shift <= -1 else None


def _accepts_rows(graph: Graph, operator: Operator) -> bool:
    options = operator.options
    assert isinstance(options, Add | Sub)
    span = activation_range(options.activation, graph.tensors[operator.output])
    return (
        span == (INT8_MIN, INT8_MAX)
        and is_broadcastable(graph, operator)
        and _row_factors(graph, operator) is not None
    )


def _rows(graph: Graph, operator: Operator) -> Arguments:
    factors = _row_factors(graph, operator)
    assert factors is not None  # _accepts_rows has checked
    signs = (1, -1 if isinstance(operator.options, Sub) else 1)
    order = (0, 1) if _fine(graph, operator) == 0 else (1, 0)
    fine, coarse = (graph.tensors[operator.inputs[position]] for position in order)
    both = operands(graph, operator)
    shift = -factors[1].shift
    # The kernel always shifts to the right; where there is nothing to shift it begins with twice as much.
    doubled = 1 if factors[0].shift == 0 else 0
    scale_fine = 1 << (ADD_HEADROOM_BITS + 1 + doubled)
    scale_coarse = signs[order[1]] << ADD_HEADROOM_BITS
    return Arguments(
        inputs=tuple(both[position] for position in order),
        params_type="hil_add_rows_dsp_params",
        params={
            "shape": broadcast_fields(fine.shape, coarse.shape) or {},
            "scale_fine": scale_fine,
            "offset_fine": -fine.zero_point * scale_fine,
            "multiplier_fine": factors[0].multiplier,
            "shift_fine": doubled - factors[0].shift,
            "sign_fine": 2 * signs[order[0]],
            "scale_coarse": scale_coarse,
            "offset_coarse": -coarse.zero_point * scale_coarse,
            "multiplier": factors[1].multiplier,
            "shift": shift,
            "addend": (1 << (shift - 1)) + (graph.tensors[operator.output].zero_point << shift),
        },
    )


def _product_shift(graph: Graph, operator: Operator) -> int | None:
    """S of `hil.codegen.dsp`, or None.  A product is at most 255 * 255, so that p = 8 always fits."""
    options = operator.options
    assert isinstance(options, Mul)
    if activation_range(options.activation, graph.tensors[operator.output]) != (INT8_MIN, INT8_MAX):
        return None
    try:
        factor = product_factor(graph, operator)
    except FactorOutOfRange:  # the generic variant says why
        return None
    shift = _PRESHIFT - 1 - factor.shift
    return shift if factor.multiplier > 0 and factor.shift <= -1 and shift <= 22 else None


def _accepts_product(graph: Graph, operator: Operator) -> bool:
    return is_broadcastable(graph, operator) and _product_shift(graph, operator) is not None


def _product(graph: Graph, operator: Operator) -> Arguments:
    a, b = (graph.tensors[index] for index in operator.inputs)
    shift = _product_shift(graph, operator)
    assert shift is not None  # _accepts_product has checked
    zero_point = graph.tensors[operator.output].zero_point
    return Arguments(
        inputs=operands(graph, operator),
        params_type="hil_mul_dsp_params",
        params={
            "shape": broadcast(graph, operator) or {},
            "zero_point_a": a.zero_point,
            "zero_point_b": b.zero_point,
            "multiplier": product_factor(graph, operator).multiplier,
            "addend": (1 << (_PRESHIFT - 2)) + (1 << (shift - 1)) + (zero_point << shift),
            "shift": shift,
        },
    )


ADD_VARIANTS = (
    Variant("add_s8/dsp", "hil_add_dsp_s8", _arguments, accepts=_accepts, overlap=full_operand),
    Variant("add_s8/dsp-rows", "hil_add_rows_dsp_s8", _rows, accepts=_accepts_rows, overlap=full_operand),
)
SUB_VARIANTS = (
    Variant("sub_s8/dsp", "hil_add_dsp_s8", _arguments, accepts=_accepts, overlap=full_operand),
    Variant("sub_s8/dsp-rows", "hil_add_rows_dsp_s8", _rows, accepts=_accepts_rows, overlap=full_operand),
)
MUL_VARIANTS = (
    Variant("mul_s8/dsp", "hil_mul_dsp_s8", _product, accepts=_accepts_product, overlap=full_operand),
)
