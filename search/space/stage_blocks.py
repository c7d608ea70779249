"""Blocks of the stages space: from the shape of one block to its layers.  A kind is a function and a line.

* ds: depthwise, then 1x1 (Howard et al. 2017, "MobileNets", section 3.1);
* ir: 1x1 to more channels, depthwise, linear 1x1, perhaps with a skip (Sandler et al. 2018, "MobileNetV2",
  section 3.3);
* fire: 1x1 to few channels, from there 1x1 and a larger kernel side by side (Iandola et al. 2016,
  "SqueezeNet", section 3.2);
* res: two convolutions, and their input added to their output, through a 1x1 where shapes differ (He et al.
  2016, "Deep Residual Learning", section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from search.space.layers import Act, Concat, Conv, Depthwise, Layer, Pool, Sum

BlockKind: TypeAlias = Literal["ds", "ir", "fire", "res"]
MULTIPLE = 4  # the kernels of Cortex-M take four channels at a time


class Shape(NamedTuple):
    """One block, to be built.

    Attributes:
        source, channels: the layer that it reads, and the channels of that.
        width: channels that it gives.
        expansion: how many times wider the inside of an inverted residual is, and how many times narrower
            that of a fire block; others have none.
        skip: whether an inverted residual adds its input; needs equal shapes at its ends.
        activation: after each layer that is not linear by nature.
    """

    name: str
    source: str
    channels: int
    width: int
    kernel: int
    stride: int
    expansion: int
    skip: bool
    activation: Act


def rounded(channels: float) -> int:
    """To the nearest multiple of 4, which is never 0."""
    return max(MULTIPLE, int(channels + MULTIPLE / 2) // MULTIPLE * MULTIPLE)


def squeezed(width: int, expansion: int) -> int:
    """Channels inside a fire block."""
    return rounded(width / expansion)


def block_layers(kind: BlockKind, shape: Shape) -> tuple[Layer, ...]:
    """The layers of one block; the last one is its output."""
    return _MAKERS[kind](shape)


def _separable(b: Shape) -> tuple[Layer, ...]:
    return (
        Depthwise(f"{b.name}_depthwise", (b.source,), b.kernel, b.stride, b.activation),
        Conv(f"{b.name}_pointwise", (f"{b.name}_depthwise",), b.width, 1, 1, b.activation),
    )


def _inverted(b: Shape) -> tuple[Layer, ...]:
    made: list[Layer] = []
    inside = b.source
    if b.expansion > 1:
        inside = f"{b.name}_expand"
        made.append(Conv(inside, (b.source,), b.channels * b.expansion, 1, 1, b.activation))
    made.append(Depthwise(f"{b.name}_depthwise", (inside,), b.kernel, b.stride, b.activation))
    made.append(Conv(f"{b.name}_project", (f"{b.name}_depthwise",), b.width, 1, 1, "none"))
    if b.skip:
        made.append(Sum(f"{b.name}_add", (b.source, f"{b.name}_project")))
    return tuple(made)


def _fire(b: Shape) -> tuple[Layer, ...]:
    """Half of the output (the smaller half, in fours) comes from the larger kernel.

    SqueezeNet shrinks maps by max pooling between the blocks, over one pixel more than the stride.
    """
    made: list[Layer] = []
    source = b.source
    if b.stride > 1:
        source = f"{b.name}_pool"
        made.append(Pool(source, (b.source,), "max", b.stride + 1, b.stride, same=True))
    wide = max(b.width // 2 // MULTIPLE * MULTIPLE, MULTIPLE // 2)
    squeeze = f"{b.name}_squeeze"
    made.append(Conv(squeeze, (source,), squeezed(b.width, b.expansion), 1, 1, b.activation))
    made.append(Conv(f"{b.name}_expand1", (squeeze,), b.width - wide, 1, 1, b.activation))
    made.append(Conv(f"{b.name}_expand{b.kernel}", (squeeze,), wide, b.kernel, 1, b.activation))
    made.append(Concat(f"{b.name}_join", (f"{b.name}_expand1", f"{b.name}_expand{b.kernel}")))
    return tuple(made)


def _residual(b: Shape) -> tuple[Layer, ...]:
    made: list[Layer] = [
        Conv(f"{b.name}_first", (b.source,), b.width, b.kernel, b.stride, b.activation),
        Conv(f"{b.name}_second", (f"{b.name}_first",), b.width, b.kernel, 1, "none"),
    ]
    shortcut = b.source
    if b.stride > 1 or b.channels != b.width:
        shortcut = f"{b.name}_shortcut"
        made.append(Conv(shortcut, (b.source,), b.width, 1, b.stride, "none"))
    made.append(Sum(f"{b.name}_add", (shortcut, f"{b.name}_second"), b.activation))
    return tuple(made)


_MAKERS: dict[BlockKind, Callable[[Shape], tuple[Layer, ...]]] = {
    "ds": _separable,
    "ir": _inverted,
    "fire": _fire,
    "res": _residual,
}
