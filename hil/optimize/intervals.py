"""Between which bounds every activation stays, whatever the model's input: interval analysis, bit-exact.

    x in [low, high], both int8, for each channel (index along a tensor's last axis) and for all int8 inputs

The model's input takes any value.  Operator by operator the bounds are carried on with the kernels' own
constants (the portable variant's parameters), so that they hold for the very integers that a device computes:

    sums of products   bias + sum of max(w, 0) low + min(w, 0) high, and the other way round; windows that
                       reach outside take in the zero point
    requantization     never falls with its input (factors are >= 0): the bounds are requantized
    pools, means       stay between the bounds of what they take in
    tables             smallest and largest entry between the bounds

Where a sum could leave 32 bits it would wrap and no longer be monotone; there, and for operators without a
rule (SOFTMAX), the bounds are those of the activation, or all of int8: never too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from hil.codegen.call import Constant, Field
from hil.codegen.fixed_point import INT8_MAX, INT8_MIN, FactorOutOfRange
from hil.codegen.geometry import reaches_outside
from hil.codegen.registry import variants
from hil.codegen.target import PORTABLE
from hil.graph import types
from hil.graph.types import Graph, Operator, Tensor

Values: TypeAlias = NDArray[np.int64]
Params: TypeAlias = Mapping[str, Field]

_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1
_ADD_HEADROOM = 1 << 20


@dataclass(frozen=True, eq=False)
class Interval:
    """Bounds of one tensor, each of shape (channels,)."""

    low: Values
    high: Values

    @property
    def is_constant(self) -> NDArray[np.bool_]:
        """Per channel: is it the same value at every place, for every input of the model?"""
        constant: NDArray[np.bool_] = self.low == self.high
        return constant


def intervals(graph: Graph) -> Mapping[int, Interval]:
    """Tensor index -> interval, for the model's input and the output of every operator."""
    known = {graph.input: _anything(graph.input_tensor)}
    for operator in graph.operators:
        output = graph.tensors[operator.output]
        rule, params = _RULES.get(type(operator.options)), _params(graph, operator)
        if rule is None or params is None:
            known[output.index] = _anything(output)
        else:
            known[output.index] = _per_channel(*rule(_Site(graph, operator, params, known)), output)
    return known


def channels_of(tensor: Tensor) -> int:
    """Size of the last axis; a scalar has one channel."""
    return tensor.shape[-1] if tensor.shape else 1


def _anything(tensor: Tensor) -> Interval:
    count = channels_of(tensor)
    return Interval(np.full(count, INT8_MIN, np.int64), np.full(count, INT8_MAX, np.int64))


def _per_channel(low: Values, high: Values, output: Tensor) -> Interval:
    """The narrowest interval around all places of each channel."""
    count = channels_of(output)
    if low.ndim > 1:
        low, high = low.reshape(-1, count).min(axis=0), high.reshape(-1, count).max(axis=0)
    return Interval(np.broadcast_to(low, (count,)), np.broadcast_to(high, (count,)))


def _params(graph: Graph, operator: Operator) -> Params | None:
    """The constants of the portable kernel; None where no kernel serves it, which the compiler will say."""
    try:
        for variant in variants(type(operator.options), PORTABLE):
            if variant.accepts(graph, operator):
                return variant.arguments(graph, operator).params
    except FactorOutOfRange:
        pass
    return None


@dataclass(frozen=True, eq=False)
class _Site:
    """One operator, its constants, and what is known of its inputs."""

    graph: Graph
    operator: Operator
    params: Params
    known: Mapping[int, Interval]

    def number(self, name: str) -> int:
        return cast(int, self.params[name])

    def nested(self, name: str) -> Params:
        return cast(Params, self.params[name])

    def tensor(self, position: int) -> Tensor:
        return self.graph.tensors[self.operator.inputs[position]]

    @property
    def input(self) -> Interval:
        """Bounds of the first input, per channel."""
        return self.known[self.operator.inputs[0]]

    def whole(self, position: int) -> tuple[Values, Values]:
        """Bounds of an input in its own shape; a constant is known place by place."""
        tensor = self.tensor(position)
        if tensor.data is not None:
            data = tensor.data.astype(np.int64)
            return data, data
        interval = self.known[tensor.index]
        shape = tensor.shape or (1,)
        return np.broadcast_to(interval.low, shape), np.broadcast_to(interval.high, shape)


_Bounds: TypeAlias = tuple[Values, Values]


def _array(params: Params, name: str) -> Values:
    return cast(Constant, params[name]).data.astype(np.int64)


# ---- requantization


def multiply_by_factor(value: Values, multiplier: Values, shift: Values) -> Values:
    """value * multiplier * 2^(shift - 31), rounded twice, as hil_multiply_by_factor where nothing wraps."""
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    high = ((value << left) * multiplier + (1 << 30)) >> 31
    mask = (np.int64(1) << right) - 1
    rounded: Values = (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))
    return rounded


def _requantized(low: Values, high: Values, params: Params) -> _Bounds:
    """The bounds of sums -> of outputs.  `params`: multiplier, shift, zero_point, activation_min and _max."""
    multiplier, shift = _factor(params)
    point, least, most = (
        cast(int, params[name]) for name in ("zero_point", "activation_min", "activation_max")
    )
    room = _INT32_MAX >> np.maximum(shift, 0)
    safe = (low >= -room) & (high <= room)
    ends = [multiply_by_factor(np.where(safe, value, 0), multiplier, shift) + point for value in (low, high)]
    safe = safe & (ends[0] >= _INT32_MIN) & (ends[1] <= _INT32_MAX)
    lowest = np.where(safe, np.clip(ends[0], least, most), least)
    highest = np.where(safe, np.clip(ends[1], least, most), most)
    return lowest.astype(np.int64), highest.astype(np.int64)


def _factor(params: Params) -> tuple[Values, Values]:
    if isinstance(params["multiplier"], Constant):
        return _array(params, "multiplier"), _array(params, "shift")
    return np.asarray(params["multiplier"], np.int64), np.asarray(params["shift"], np.int64)


# ---- operators with weights


def _sums(site: _Site, low: Values, high: Values, positive: Values, negative: Values) -> _Bounds:
    """Bounds of the outputs, from those of the inputs and the parts of the weights, (outputs, inputs)."""
    stage = site.nested("stage")
    bias = _array(stage, "bias")
    return _requantized(
        bias + (positive * low + negative * high).sum(axis=1),
        bias + (positive * high + negative * low).sum(axis=1),
        stage,
    )


def _parts(weights: Values) -> tuple[Values, Values]:
    return np.maximum(weights, 0), np.minimum(weights, 0)


def _with_padding(site: _Site) -> _Bounds:
    """Bounds of what windows see: also the zero point where they reach outside."""
    low, high = site.input.low, site.input.high
    window = cast(Mapping[str, int], site.nested("window"))
    if reaches_outside(window):
        low, high = np.minimum(low, window["padding_value"]), np.maximum(high, window["padding_value"])
    return low, high


def _weights(site: _Site) -> Values:
    return np.asarray(site.tensor(1).data).astype(np.int64)


def _conv2d(site: _Site) -> _Bounds:
    outputs, _, _, channels = site.tensor(1).shape
    positive, negative = _parts(_weights(site).reshape(outputs, -1, channels))
    return _sums(site, *_with_padding(site), positive.sum(axis=1), negative.sum(axis=1))


def _depthwise_conv2d(site: _Site) -> _Bounds:
    options = site.operator.options
    assert isinstance(options, types.DepthwiseConv2D)
    low, high = (np.repeat(bound, options.multiplier)[:, np.newaxis] for bound in _with_padding(site))
    positive, negative = _parts(_weights(site).reshape(-1, low.size).T)
    return _sums(site, low, high, positive, negative)


def _fully_connected(site: _Site) -> _Bounds:
    weights = _weights(site)
    low, high = (bound.reshape(-1, weights.shape[1]) for bound in site.whole(0))
    return _sums(site, low.min(axis=0), high.max(axis=0), *_parts(weights))


# ---- operators on two activations


def _terms(site: _Site) -> tuple[_Bounds, _Bounds]:
    """Both operands of ADD and SUB on their common scale, which keeps the order."""
    terms = []
    for position, name in enumerate("ab"):
        factor = [np.asarray(site.number(f"{part}_{name}"), np.int64) for part in ("multiplier", "shift")]
        point = site.number(f"zero_point_{name}")
        low, high = (
            multiply_by_factor((bound - point) * _ADD_HEADROOM, *factor) for bound in site.whole(position)
        )
        terms.append((low, high))
    return terms[0], terms[1]


def _add(site: _Site) -> _Bounds:
    (low_a, high_a), (low_b, high_b) = _terms(site)
    return _requantized(low_a + low_b, high_a + high_b, site.params)


def _sub(site: _Site) -> _Bounds:
    (low_a, high_a), (low_b, high_b) = _terms(site)
    return _requantized(low_a - high_b, high_a - low_b, site.params)


def _mul(site: _Site) -> _Bounds:
    """A product of two intervals ends at a product of two of their ends."""
    a, b = (
        [bound - site.number(f"zero_point_{name}") for bound in site.whole(position)]
        for position, name in enumerate("ab")
    )
    products = [end_a * end_b for end_a in a for end_b in b]
    return _requantized(np.minimum.reduce(products), np.maximum.reduce(products), site.params)


# ---- operators on one activation


def _requantize(site: _Site) -> _Bounds:
    point = site.number("input_zero_point")
    return _requantized(site.input.low - point, site.input.high - point, site.params)


def _lookup(site: _Site) -> _Bounds:
    """Not every table is monotone (HARD_SWISH), so all entries between the bounds count."""
    table = _array(site.params, "table")
    spans = [
        table[low - INT8_MIN : high - INT8_MIN + 1]
        for low, high in zip(site.input.low.tolist(), site.input.high.tolist(), strict=True)
    ]
    return np.array([span.min() for span in spans]), np.array([span.max() for span in spans])


def _pool2d(site: _Site) -> _Bounds:
    """Padding takes no part in a pool, and the mean of equal values is that value, rounding included."""
    bounds = site.number("activation_min"), site.number("activation_max")
    return np.clip(site.input.low, *bounds), np.clip(site.input.high, *bounds)


def _mean(site: _Site) -> _Bounds:
    options = site.operator.options
    assert isinstance(options, types.Mean)
    offset = site.number("offset")
    low, high = (bound.sum(axis=options.axes, keepdims=options.keep_dims) + offset for bound in site.whole(0))
    return _requantized(low, high, {**site.params, "activation_min": INT8_MIN, "activation_max": INT8_MAX})


# ---- operators that move bytes


def _concatenation(site: _Site) -> _Bounds:
    options = site.operator.options
    assert isinstance(options, types.Concatenation)
    low, high = zip(*(site.whole(position) for position in range(len(site.operator.inputs))), strict=True)
    return np.concatenate(low, axis=options.axis), np.concatenate(high, axis=options.axis)


def _pad(site: _Site) -> _Bounds:
    options = site.operator.options
    assert isinstance(options, types.Pad)
    low, high = (np.pad(bound, options.paddings, constant_values=options.value) for bound in site.whole(0))
    return low, high


def _reshape(site: _Site) -> _Bounds:
    shape = site.graph.tensors[site.operator.output].shape or (1,)
    low, high = (bound.reshape(shape) for bound in site.whole(0))
    return low, high


_RULES: Mapping[type, Callable[[_Site], _Bounds]] = {
    types.Conv2D: _conv2d,
    types.DepthwiseConv2D: _depthwise_conv2d,
    types.FullyConnected: _fully_connected,
    types.Add: _add,
    types.Sub: _sub,
    types.Mul: _mul,
    types.Concatenation: _concatenation,
    types.Pad: _pad,
    types.AveragePool2D: _pool2d,
    types.MaxPool2D: _pool2d,
    types.Mean: _mean,
    types.Reshape: _reshape,
    types.Logistic: _lookup,
    types.Tanh: _lookup,
    types.HardSwish: _lookup,
    types.LeakyRelu: _lookup,
    types.Relu: _requantize,
    types.Quantize: _requantize,
}
