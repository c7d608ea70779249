"""Analytic cost of a layer list: parameters, MACs, weight bytes and peak activation.  No Keras, microseconds.

Conventions, shared with the compiler's own figures:

* batch normalisation is folded: a convolution has weights and one bias per filter;
* MACs count padding, so SAME costs output height x output width x kernel area, whatever lies outside the
  image;
* pooling, sums, concatenations and softmax multiply nothing;
* weights are int8, biases int32;
* a layer's output may lie over one input that is not needed again, as the memory planner has it where the
  kernel allows; how far it may differs from kernel to kernel, so the peak counts only the larger of the two;
* branches may run in any order, so the peak counts what no order avoids (`search/space/live.py`): no plan of
  the whole network needs less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

from search.errors import BadArchitecture
from search.space import live
from search.space.base import Cost
from search.space.layers import (
    ClassProbabilities,
    Concat,
    Conv,
    Dense,
    Depthwise,
    Flat,
    GlobalAverage,
    Layer,
    Pool,
    Side,
    Sum,
    sides,
)

Shape: TypeAlias = tuple[int, ...]

INPUT = live.INPUT
BIAS_BYTES = 4


def output_shapes(layers: Sequence[Layer], input_shape: Shape) -> dict[str, Shape]:
    """Name of each layer -> shape of its output, without the batch dimension; "input" is the network's input.

    Raises:
        BadArchitecture: a layer whose inputs do not exist, or do not have the shape that it needs.
    """
    shapes: dict[str, Shape] = {INPUT: tuple(input_shape)}
    for layer in layers:
        try:
            first = shapes[layer.inputs[0]]
            rule = _OUTPUT_SHAPE[type(layer)]
        except KeyError:
            raise _cannot_follow(layer, shapes) from None
        shapes[layer.name] = rule(layer, first, shapes)
    return shapes


def count(layers: Sequence[Layer], input_shape: Shape) -> Cost:
    """Cost of one inference.

    Args:
        layers: in order of execution; the last one is the output.
        input_shape: (height, width, channels).

    Raises:
        BadArchitecture: as `output_shapes`.
    """
    shapes = output_shapes(layers, input_shape)
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    weights = biases = macs = 0
    for layer in layers:
        if isinstance(layer, Conv):
            area = prod(sides(layer.kernel)) * shapes[layer.inputs[0]][2]
            macs += sizes[layer.name] * area
            weights += layer.filters * area
            biases += layer.filters
        elif isinstance(layer, Depthwise):
            area = prod(sides(layer.kernel))
            channels = shapes[layer.name][2]
            macs += sizes[layer.name] * area
            weights += channels * area
            biases += channels
        elif isinstance(layer, Dense):
            own = sizes[layer.inputs[0]] * layer.units
            macs += own
            weights += own
            biases += layer.units
    peak_bytes, striped_bytes = live.peak_bytes(layers, sizes)
    return Cost(
        parameters=weights + biases,
        macs=macs,
        weight_bytes=weights + BIAS_BYTES * biases,
        peak_activation_bytes=peak_bytes,
        striped_activation_bytes=striped_bytes,
    )


def _cannot_follow(layer: Layer, shapes: dict[str, Shape]) -> BadArchitecture:
    if type(layer) not in _OUTPUT_SHAPE:
        kind = type(layer).__name__
        return BadArchitecture(f"layer '{layer.name}': the cost model does not know {kind}")
    return BadArchitecture(f"layer '{layer.name}' reads '{layer.inputs[0]}', which no earlier layer gives")


def _conv(layer: Any, shape: Shape, _: dict[str, Shape]) -> Shape:
    if len(shape) != 3:
        raise _wrong_rank(layer, shape, 3)
    return (*_shrunk(shape, layer.stride), layer.filters)


def _depthwise(layer: Any, shape: Shape, _: dict[str, Shape]) -> Shape:
    if len(shape) != 3:
        raise _wrong_rank(layer, shape, 3)
    return (*_shrunk(shape, layer.stride), shape[2])


def _shrunk(shape: Shape, stride: Side) -> tuple[int, int]:
    rows, columns = sides(stride)
    return (-(-shape[0] // rows), -(-shape[1] // columns))


def _sum(layer: Any, shape: Shape, shapes: dict[str, Shape]) -> Shape:
    if layer.inputs[1] not in shapes:
        raise BadArchitecture(f"layer '{layer.name}' reads '{layer.inputs[1]}', which no earlier layer gives")
    other = shapes[layer.inputs[1]]
    if other != shape:
        raise BadArchitecture(f"layer '{layer.name}' adds tensors of different shapes: {shape} and {other}")
    return shape


def _pool(layer: Any, shape: Shape, _: dict[str, Shape]) -> Shape:
    if len(shape) != 3:
        raise _wrong_rank(layer, shape, 3)
    (rows, columns), stride = sides(layer.size), sides(layer.size if layer.stride is None else layer.stride)
    if layer.same:
        return (*_shrunk(shape, stride), shape[2])
    if shape[0] < rows or shape[1] < columns:
        raise BadArchitecture(f"layer '{layer.name}' pools {rows}x{columns} of a map of {shape}")
    return ((shape[0] - rows) // stride[0] + 1, (shape[1] - columns) // stride[1] + 1, shape[2])


def _concat(layer: Any, shape: Shape, shapes: dict[str, Shape]) -> Shape:
    if len(shape) != 3:
        raise _wrong_rank(layer, shape, 3)
    channels = 0
    for name in layer.inputs:
        if name not in shapes:
            raise BadArchitecture(f"layer '{layer.name}' reads '{name}', which no earlier layer gives")
        if shapes[name][:2] != shape[:2]:
            raise BadArchitecture(
                f"layer '{layer.name}' joins maps of different sizes: {shape[:2]} and {shapes[name][:2]}"
            )
        channels += shapes[name][2]
    return (*shape[:2], channels)


def _global_average(layer: Any, shape: Shape, _: dict[str, Shape]) -> Shape:
    if len(shape) != 3:
        raise _wrong_rank(layer, shape, 3)
    return (shape[2],)


def _dense(layer: Any, shape: Shape, _: dict[str, Shape]) -> Shape:
    if len(shape) != 1:
        raise _wrong_rank(layer, shape, 1)
    return (layer.units,)


def _wrong_rank(layer: Layer, shape: Shape, dimensions: int) -> BadArchitecture:
    return BadArchitecture(f"layer '{layer.name}' needs {dimensions} dimensions, its input has shape {shape}")


# One line per kind of layer: (layer, shape of its first input, all shapes so far) -> shape of its output.
_OUTPUT_SHAPE: dict[type[Layer], Callable[[Any, Shape, dict[str, Shape]], Shape]] = {
    Conv: _conv,
    Depthwise: _depthwise,
    Sum: _sum,
    Concat: _concat,
    Pool: _pool,
    GlobalAverage: _global_average,
    Flat: lambda _layer, shape, _shapes: (prod(shape),),
    Dense: _dense,
    ClassProbabilities: lambda _layer, shape, _shapes: shape,
}
