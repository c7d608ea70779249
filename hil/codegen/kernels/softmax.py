"""SOFTMAX along the last axis."""

from __future__ import annotations

from hil.codegen.call import Arguments, Variant
from hil.codegen.fixed_point import FactorOutOfRange, input_radius, quantize_factor
from hil.graph.types import Graph, Operator, Softmax
from hil.memory import Overlap

_DIFF_INTEGER_BITS = 5


def _arguments(graph: Graph, operator: Operator) -> Arguments:
    options = operator.options
    assert isinstance(options, Softmax)
    source = graph.tensors[operator.inputs[0]]
    largest = float((1 << 31) - 1)
    real = min(options.beta * source.scale * (1 << (31 - _DIFF_INTEGER_BITS)), largest)
    if real <= 1:
        # Logits that are all but equal, e.g. of an untrained network; TensorFlow Lite Micro aborts on them.
        raise FactorOutOfRange(
            f"its input's scale {source.scale:.6g} gives the factor {real:g}, expected above 1"
        )
    factor = quantize_factor(real, least_shift=1, largest_shift=31)
    depth = source.shape[-1]
    return Arguments(
        inputs=(operator.inputs[0],),
        params_type="hil_softmax_params",
        params={
            "rows": source.elements // depth,
            "depth": depth,
            "multiplier": factor.multiplier,
            "shift": factor.shift,
            "diff_min": -input_radius(_DIFF_INTEGER_BITS, factor.shift),
        },
    )


VARIANTS = (
    Variant("softmax_s8/generic", "hil_softmax_s8", _arguments, overlap=lambda graph, operator: Overlap(0)),
)
