"""Space "keyword": depthwise-separable networks for keyword spotting on spectrograms (time, frequency, 1).

DS-CNN of Zhang et al. 2017 ("Hello Edge: Keyword Spotting on Microcontrollers"): a convolution with a
kernel that is longer in time than in frequency (10x4 on 49x10 coefficients), then depthwise-separable
blocks, average pooling, a dense layer and softmax.  Genes are the first kernel, its stride and filters,
the number of blocks, and each block's width, kernel and stride.

What differs from the paper: blocks may differ in width (`one_width = true` brings the paper's rule back)
and in kernel; any block may have a stride.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.head import averaged_classes
from search.space.layers import Act, Conv, Depthwise, Layer
from search.space.options import BadOption, Bounds, Options

_SOME = Bounds(at_least=1)
_SIDES = re.compile(r"([1-9]\d?)x([1-9]\d?)")


@dataclass(frozen=True)
class KeywordOptions(Options):
    """What the genes may be.

    Attributes:
        min_blocks, max_blocks: depthwise-separable blocks behind the first convolution.
        first_kernels: of the first convolution, rows x columns: "10x4" is 10 steps of time and 4 of
            frequency.  They are cut to the data's size: on 8x8, "10x4" is 8x4.
        first_strides: of the first convolution, likewise; where none suits the data it is "1x1".
        widths: filters of the first convolution and of the blocks.
        one_width: all have the same, as in the paper.
        kernels: sides of the blocks' square kernels.
        strides: of the blocks; must hold 1.
        activation: of the whole network.
        smallest_side: no stride makes the map smaller than this.
    """

    min_blocks: Annotated[int, Bounds(at_least=1)] = 1
    max_blocks: Annotated[int, Bounds(at_least=1, at_most=32)] = 5
    first_kernels: Annotated[tuple[str, ...], _SOME] = ("10x4", "8x4", "5x3", "3x3")
    first_strides: Annotated[tuple[str, ...], _SOME] = ("2x2", "2x1", "1x1")
    widths: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4096)], ...], _SOME] = (
        16,
        24,
        32,
        48,
        64,
    )
    one_width: bool = False
    kernels: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=15)], ...], _SOME] = (3, 5)
    strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4)], ...], _SOME] = (1, 2)
    activation: Act = "relu"
    smallest_side: Annotated[int, Bounds(at_least=1)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_blocks > self.max_blocks:
            raise BadOption(
                ("min_blocks",), f"got {self.min_blocks}, expected at most max_blocks = {self.max_blocks}"
            )
        if 1 not in self.strides:
            raise BadOption(("strides",), f"got {list(self.strides)}, expected a list that holds 1")
        for key in ("widths", "kernels", "strides"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))  # order means nothing
        for key in ("first_kernels", "first_strides"):
            for text in getattr(self, key):
                if not _SIDES.fullmatch(text):
                    raise BadOption(
                        (key,), f'got "{text}", expected rows and columns, e.g. "10x4"', near=f'"{text}"'
                    )
            ordered = sorted(set(getattr(self, key)), key=_sides, reverse=True)
            object.__setattr__(self, key, tuple(ordered))


class KeywordSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (steps of time, coefficients, channels) of the data.
        classes: how many the data set has.
    """

    name = "keyword"

    def __init__(self, options: KeywordOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options
        # Never 2 on 2: see search/network.py, which refuses some of those.
        height, width = (3 if side == 2 else side for side in self.input_shape[:2])
        clipped = [
            (min(rows, height), min(columns, width)) for rows, columns in map(_sides, options.first_kernels)
        ]
        self._first_kernels = list(dict.fromkeys(f"{rows}x{columns}" for rows, columns in clipped))
        self._first_strides = [
            text
            for text in options.first_strides
            if all(map(self._may_stride, self.input_shape[:2], _sides(text)))
        ] or ["1x1"]

    def decode(self, choose: Choose) -> Iterator[Layer]:
        """The first convolution, then block by block."""
        options = self.options
        blocks = choose("blocks", range(options.min_blocks, options.max_blocks + 1))
        kernel, stride = (
            _sides(choose("first.kernel", self._first_kernels)),
            _sides(choose("first.stride", self._first_strides)),
        )
        filters = choose("width" if options.one_width else "first.width", options.widths)
        yield Conv("first", (INPUT,), filters, kernel, stride, options.activation)
        height, width = (-(-side // step) for side, step in zip(self.input_shape, stride, strict=False))
        source = "first"
        for number in range(1, blocks + 1):
            name = f"b{number}"
            if not options.one_width:
                filters = choose(f"{name}.width", options.widths)
            side = choose(f"{name}.kernel", options.kernels)
            step = choose(f"{name}.stride", self._strides(height, width))
            height, width = -(-height // step), -(-width // step)
            yield Depthwise(f"{name}_depthwise", (source,), side, step, options.activation)
            yield Conv(f"{name}_pointwise", (f"{name}_depthwise",), filters, 1, 1, options.activation)
            source = f"{name}_pointwise"
        yield from averaged_classes(source, self.classes)

    def _strides(self, height: int, width: int) -> Sequence[int]:
        side = min(height, width)
        return [stride for stride in self.options.strides if self._may_stride(side, stride)]

    def _may_stride(self, side: int, stride: int) -> bool:
        return stride == 1 or side > -(-side // stride) >= self.options.smallest_side


def _sides(text: str) -> tuple[int, int]:
    rows, columns = text.split("x")
    return int(rows), int(columns)
