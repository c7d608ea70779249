"""FULLY_CONNECTED for cores with the DSP extension: two outputs to a halfword, four outputs at a time.

A halfword of flash holds the weights a, b of two outputs A, B for the same input as the int16 value
256 a + b, still one byte per weight.  SMLAD of the raw words gives

    both = 256 A + B

and B alone comes from the product of sums (Winograd's inner product): for inputs x0, x1

    (x1 + b0)(x0 + b1) = x0 b0 + x1 b1 + x0 x1 + b0 b1

SXTAB16, which widens the low bytes b, adds the x for nothing, so that one SMLAD serves four inputs.  The sum
of b0 b1 is subtracted here from what B's sum starts with, that of x0 x1 by the kernel, once per input.
Together 5 instructions serve 4 inputs of 2 outputs.  All sums are modulo 2^32, and both - B is 256 A exactly
where |A| < 2^23: then it is A shifted left by p = 8, just what `by_shift` wants.

Per four outputs (a "quad") the stream holds, in the order of use,

    256 A + B, B, 256 C + D, D                  what the sums start with
    for each 8 inputs, for each pair: halfwords of the inputs 0 2 1 3 4 6 5 7
    4 multipliers, 4 addends, 4 shifts          only where channels differ in them

with zeros for inputs and outputs beyond the last.  The even-odd order is that of SXTB16 and SXTB16 ROR #8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Arguments, Constant, Symbol, Variant
from hil.codegen.dsp import Rescale, Sums, by_shift, sums_of
from hil.codegen.dsp_stream import pack
from hil.codegen.kernels.fully_connected import factors_of
from hil.graph.types import FullyConnected, Graph, Operator

_QUAD = 4
_STEP = 8
_PRESHIFT = 8
#: The kernel clamps to 0..255 and flips the highest bit, for packing four outputs.
_UNSIGNED = 128


def _padded(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    outputs, depth = weights.shape
    return np.pad(weights, ((0, -outputs % _QUAD), (0, -depth % _STEP)))


def _weights(graph: Graph, operator: Operator) -> NDArray[np.int8]:
    return np.asarray(graph.tensors[operator.inputs[1]].data, dtype=np.int8)


def _sums(graph: Graph, operator: Operator) -> Sums | None:
    options = operator.options
    assert isinstance(options, FullyConnected)
    factors = factors_of(graph, operator)
    return sums_of(graph, operator, _weights(graph, operator), factors, options.activation)


def _common(sums: Sums) -> Rescale | None:
    """How all channels are rescaled, where they all are in the same way."""
    if len(set(sums.factors)) > 1:
        return None
    factor = sums.factors[0]
    shift = _PRESHIFT - 1 - factor.shift
    largest = max(-int(sums.low.min()), int(sums.high.max()))
    if factor.shift > -1 or shift > 22 or largest >= 1 << (31 - _PRESHIFT):
        return None
    addend = (1 << (_PRESHIFT - 2)) + (1 << (shift - 1)) + (sums.zero_point << shift)
    return Rescale(0, factor.multiplier, addend, _PRESHIFT, shift)


def _per_channel(sums: Sums) -> list[Rescale] | None:
    """How each channel is rescaled."""
    rescales = [by_shift(sums, channel, _PRESHIFT) for channel in range(len(sums.bias))]
    return None if None in rescales else [rescale for rescale in rescales if rescale is not None]


def _accepts(graph: Graph, operator: Operator) -> bool:
    sums = _sums(graph, operator)
    return (
        sums is not None
        and (_common(sums) is not None or _per_channel(sums) is not None)
        and pack(_padded(_weights(graph, operator))) is not None
    )


def _is_one_row(graph: Graph, operator: Operator) -> bool:
    depth = graph.tensors[operator.inputs[1]].shape[1]
    return graph.tensors[operator.inputs[0]].elements == depth


def _accepts_one_row(graph: Graph, operator: Operator) -> bool:
    return _is_one_row(graph, operator) and _accepts(graph, operator)


def _stream(
    weights: NDArray[np.int8], bias: NDArray[np.int64], table: NDArray[np.int64] | None
) -> NDArray[np.int32]:
    """One row of words per quad, see above.

    Args:
        weights: (outputs, depth).
        bias: (outputs,).
        table: (3, outputs): multiplier, addend and shift; None where all outputs share them.
    """
    padded = _padded(weights)
    quads = len(padded) // _QUAD
    steps = padded.shape[1] // _STEP
    spare = len(padded) - len(weights)
    pairs = pack(padded)
    assert pairs is not None  # _accepts has checked
    words = pairs.reshape(quads, 2, steps, _STEP // 2).transpose(0, 2, 1, 3)
    start = np.pad(bias, (0, spare)).reshape(-1, 2)
    low = padded[1::2].astype(np.int64)
    products = (low[:, 0::2] * low[:, 1::2]).sum(axis=1)
    sums = np.stack([256 * start[:, 0] + start[:, 1], start[:, 1] - products], axis=1)
    parts = [_wrapped(sums).reshape(quads, 4), words.reshape(quads, -1)]
    if table is not None:
        by_quad = np.pad(table, ((0, 0), (0, spare))).reshape(3, quads, _QUAD).transpose(1, 0, 2)
        parts.append(_wrapped(by_quad).reshape(quads, -1))
    return np.concatenate(parts, axis=1)


def _wrapped(values: NDArray[np.int64]) -> NDArray[np.int32]:
    """Modulo 2^32."""
    return np.ascontiguousarray(values).astype(np.uint64).astype(np.uint32).view(np.int32)


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    weights = _weights(graph, operator)
    output_size, input_size = weights.shape
    sums = _sums(graph, operator)
    assert sums is not None  # _accepts has checked
    common = _common(sums)
    if common is not None:
        stream = _stream(weights, sums.bias, None)
        mode = "HIL_FC_RECTIFIED" if sums.rectified else "HIL_FC_SIGNED"
        multiplier, addend, shift = common.multiplier, _unsigned(common), common.shift
    else:
        rescales = _per_channel(sums)
        assert rescales is not None
        table = np.array([(r.multiplier, _unsigned(r), r.shift) for r in rescales], dtype=np.int64).T
        stream = _stream(weights, np.array([r.bias for r in rescales], dtype=np.int64), table)
        mode = "HIL_FC_PER_CHANNEL"
        multiplier, addend, shift = 0, 0, 0
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_fully_connected_dsp_params",
        params={
            "rows": graph.tensors[operator.inputs[0]].elements // input_size,
            "input_size": input_size,
            "output_size": output_size,
            "stream": Constant("stream", stream),
            "quad_words": stream.shape[1],
            "rescale": Symbol(mode),
            "multiplier": multiplier,
            "addend": addend,
            "shift": shift,
        },
    )


def _unsigned(rescale: Rescale) -> int:
    return rescale.addend + (_UNSIGNED << rescale.shift)


def _scratch_bytes(graph: Graph, operator: Operator) -> int:
    depth = graph.tensors[operator.inputs[1]].shape[1]
    return 2 * (depth + -depth % _STEP)


_FUNCTION = "hil_fully_connected_dsp_s8"

VARIANTS = (
    # Of one row nothing is needed once it is expanded; of several, the others are.
    Variant(
        "fully_connected_s8/dsp",
        _FUNCTION,
        _arguments,
        accepts=_accepts_one_row,
        scratch_bytes=_scratch_bytes,
        scratch_over=0,
    ),
    Variant(
        "fully_connected_s8/dsp-rows",
        _FUNCTION,
        _arguments,
        accepts=_accepts,
        scratch_bytes=_scratch_bytes,
    ),
)
