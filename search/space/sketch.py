"""Sketch: a network of several branches under construction, which knows the shape of each of its maps.

Branches that meet must have maps of one size, and for a sum as many channels.  Here every layer has SAME
padding and a stride that is a power of two, so that the size of a map follows from the product of the
strides before it (its scale) alone: ceil(ceil(n / a) / b) = ceil(n / ab).  So a map of scale s becomes one
of scale t by one layer with stride t / s, whatever the sides of the input are.

A layer without weights that repeats an earlier one (the same pool of the same map) is not made twice: the
converter to int8 would keep one of them, and the analytic cost would count what is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from search.space.cost import INPUT
from search.space.layers import (
    Act,
    ClassProbabilities,
    Concat,
    Conv,
    Dense,
    Depthwise,
    GlobalAverage,
    Layer,
    Pool,
    Side,
    Sum,
)


class Sketch:
    """See the module.

    Args:
        input_shape: (height, width, channels); where one side is 1 (a time series), kernels and strides are
            1 along it, too.
        activation: behind each convolution that does not say otherwise.

    Attributes:
        layers: what was made so far.
        scale: name of a map -> product of the strides before it; "input" has 1.
        channels: name of a map -> its channels.
    """

    def __init__(self, input_shape: tuple[int, int, int], activation: Act) -> None:
        self.layers: list[Layer] = []
        self.scale = {INPUT: 1}
        self.channels = {INPUT: input_shape[2]}
        self._sides = input_shape[:2]
        self._activation = activation
        self._free: dict[Layer, str] = {}  # a layer without weights, its name left out -> its name

    def smallest_side(self, scale: int) -> int:
        """Of a map of that scale, in pixels; a side of 1 that the input has does not count."""
        return min([-(-side // scale) for side in self._sides if side > 1], default=1)

    def conv(
        self, name: str, source: str, filters: int, kernel: int, stride: int = 1, *, linear: bool = False
    ) -> str:
        """A convolution; returns its name."""
        activation: Act = "none" if linear else self._activation
        layer = Conv(name, (source,), filters, self._side(kernel), self._side(stride), activation)
        return self._made(layer, self.scale[source] * stride, filters)

    def separable(self, name: str, source: str, filters: int, kernel: int, stride: int = 1) -> str:
        """A depthwise convolution and one of 1x1 behind it; returns the name of the latter."""
        deep = Depthwise(
            f"{name}_depthwise", (source,), self._side(kernel), self._side(stride), self._activation
        )
        self._made(deep, self.scale[source] * stride, self.channels[source])
        return self.conv(f"{name}_pointwise", deep.name, filters, 1)

    def pool(
        self, name: str, source: str, kind: Literal["max", "average"], size: int, stride: int = 1
    ) -> str:
        """Pooling, SAME; returns the name of the layer that does it."""
        layer = Pool(name, (source,), kind, self._side(size), self._side(stride), same=True)
        return self._shared(layer, self.scale[source] * stride, self.channels[source])

    def sum(self, name: str, sources: Sequence[str]) -> str:
        """The sum of maps of one shape, two at a time; the map itself where it is one alone."""
        total = sources[0]
        for number, source in enumerate(sources[1:], start=1):
            own = name if number == len(sources) - 1 else f"{name}_{number}"
            total = self._shared(Sum(own, (total, source)), self.scale[source], self.channels[source])
        return total

    def concat(self, name: str, sources: Sequence[str]) -> str:
        """Maps of one size behind one another; the map itself where it is one alone."""
        if len(sources) == 1:
            return sources[0]
        channels = sum([self.channels[source] for source in sources])
        return self._shared(Concat(name, tuple(sources)), self.scale[sources[0]], channels)

    def shrunk(self, name: str, source: str, scale: int) -> str:
        """The map at that scale: averaged, or as it is."""
        ratio = scale // self.scale[source]
        return source if ratio == 1 else self.pool(name, source, "average", ratio, ratio)

    def matched(self, name: str, source: str, scale: int, channels: int) -> str:
        """The map at that scale with so many channels: as it is, averaged, or where the channels differ by a
        linear convolution of 1x1."""
        if self.channels[source] == channels:
            return self.shrunk(name, source, scale)
        return self.conv(name, source, channels, 1, scale // self.scale[source], linear=True)

    def classified(self, source: str, classes: int) -> list[Layer]:
        """All layers, with a global average, a dense layer and softmax behind `source`."""
        return [
            *self.layers,
            GlobalAverage("average", (source,)),
            Dense("classes", ("average",), classes, "none"),
            ClassProbabilities("probabilities", ("classes",)),
        ]

    def _side(self, length: int) -> Side:
        height, width = self._sides
        if length == 1 or min(height, width) > 1:
            return length
        return (length if height > 1 else 1, length if width > 1 else 1)

    def _shared(self, layer: Layer, scale: int, channels: int) -> str:
        nameless = replace(layer, name="")
        if nameless not in self._free:
            self._free[nameless] = self._made(layer, scale, channels)
        return self._free[nameless]

    def _made(self, layer: Layer, scale: int, channels: int) -> str:
        self.layers.append(layer)
        self.scale[layer.name] = scale
        self.channels[layer.name] = channels
        return layer.name
