"""Space "series": one-dimensional convolutions over a time series.

Blocks in a row, then the mean over time, a dense layer and softmax: the fully convolutional network of
Wang, Yan and Oates 2017 ("Time Series Classification from Scratch with Deep Neural Networks", section
II.B: kernels 8, 5, 3, batch normalisation, ReLU, global average pooling), with its depth, kernels and
filters as genes.

What is added here: depthwise-separable blocks, strides and pooling over time, which make room for series
of a few hundred steps.  Data are (steps, 1, channels): the sensors of one moment are channels, so a
kernel of k steps is (k, 1) and the int8 kernels for pictures serve it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.head import averaged_classes
from search.space.layers import Act, Conv, Depthwise, Layer, Pool
from search.space.options import BadOption, Bounds, Options

_SOME = Bounds(at_least=1)
_POOL = 2
SeriesBlock: TypeAlias = Literal["conv", "ds"]
SeriesPool: TypeAlias = Literal["max2", "avg2"]


@dataclass(frozen=True)
class SeriesOptions(Options):
    """What the genes may be.

    Attributes:
        min_depth, max_depth: number of blocks.
        blocks: "conv", or "ds": depthwise over time, then 1x1.
        kernels: steps that a convolution sees.
        strides: over time; must hold 1.
        filters: of a block's output.
        pools: what may follow a block other than the last: "max2", "avg2".  No pooling is always a choice.
        activation: of the whole network.
        smallest_steps: no stride and no pooling leaves fewer steps than this.
    """

    min_depth: Annotated[int, Bounds(at_least=1)] = 1
    max_depth: Annotated[int, Bounds(at_least=1, at_most=32)] = 5
    blocks: Annotated[tuple[SeriesBlock, ...], _SOME] = ("conv", "ds")
    kernels: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=64)], ...], _SOME] = (3, 5, 8)
    strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=8)], ...], _SOME] = (1, 2)
    filters: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4096)], ...], _SOME] = (8, 16, 32, 64)
    pools: tuple[SeriesPool, ...] = ("max2",)
    activation: Act = "relu"
    smallest_steps: Annotated[int, Bounds(at_least=1)] = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth > self.max_depth:
            raise BadOption(
                ("min_depth",), f"got {self.min_depth}, expected at most max_depth = {self.max_depth}"
            )
        if 1 not in self.strides:
            raise BadOption(("strides",), f"got {list(self.strides)}, expected a list that holds 1")
        for key in ("blocks", "kernels", "strides", "filters", "pools"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))  # order means nothing


class SeriesSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (steps, 1, channels) of the data.
        classes: how many the data set has.

    Raises:
        BadOption: data that are no time series.
    """

    name = "series"

    def __init__(self, options: SeriesOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        if input_shape[1] != 1:
            raise BadOption(
                (),
                f"space 'series' got data of shape {tuple(input_shape)}, expected (steps, 1, channels)",
                remedy="store time series as (count, steps, 1, channels); spaces for pictures are "
                "'chain' and 'stages'",
            )
        self.options = options

    def decode(self, choose: Choose) -> Iterator[Layer]:
        """Depth, then block by block: kind, kernel, filters, stride, pool."""
        options = self.options
        depth = choose("depth", range(options.min_depth, options.max_depth + 1))
        steps, source = self.input_shape[0], INPUT
        for number in range(1, depth + 1):
            name = f"b{number}"
            kind = choose(f"{name}.kind", options.blocks)
            kernel = (choose(f"{name}.kernel", options.kernels), 1)
            filters = choose(f"{name}.filters", options.filters)
            stride = choose(f"{name}.stride", self._strides(steps))
            steps = -(-steps // stride)
            if kind == "conv":
                yield Conv(f"{name}_conv", (source,), filters, kernel, (stride, 1), options.activation)
                source = f"{name}_conv"
            else:
                # TensorFlow's depthwise convolution takes equal strides alone; one column stays one column.
                yield Depthwise(f"{name}_depthwise", (source,), kernel, stride, options.activation)
                yield Conv(f"{name}_pointwise", (f"{name}_depthwise",), filters, 1, 1, options.activation)
                source = f"{name}_pointwise"
            may_pool = number < depth and steps // _POOL >= options.smallest_steps
            pool = choose(f"{name}.pool", ("none", *options.pools) if may_pool else ("none",))
            if pool != "none":
                yield Pool(f"{name}_pool", (source,), "max" if pool == "max2" else "average", (_POOL, 1))
                source, steps = f"{name}_pool", steps // _POOL
        yield from averaged_classes(source, self.classes)

    def _strides(self, steps: int) -> Sequence[int]:
        least = self.options.smallest_steps
        return [
            stride for stride in self.options.strides if stride == 1 or steps > -(-steps // stride) >= least
        ]
