"""Block: one gene group of the chain space, its short text, and the layers that it stands for.

conv3-16/2      convolution, kernel 3x3, 16 filters, stride 2
ds3-24          depthwise-separable convolution (Howard et al. 2017): depthwise 3x3, then 1x1 to 24 filters
ir5-24x4s       inverted residual (Sandler et al. 2018): 1x1 to 4 times the channels, depthwise 5x5, linear
                1x1 to 24 filters; s: the input is added to the result (skip)
...+max2        followed by 2x2 max pooling; avg2 likewise
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from search.errors import BadArchitecture
from search.space.layers import Act, Conv, Depthwise, Layer, Pool, Sum

Kind: TypeAlias = Literal["conv", "ds", "ir"]
Pooling: TypeAlias = Literal["none", "max2", "avg2"]

POOL_SIZE = 2
_TEXT = re.compile(
    r"(?P<kind>conv|ds|ir)(?P<kernel>[1-9]\d{0,2})-(?P<filters>[1-9]\d{0,4})"
    r"(?:x(?P<expansion>[1-9]\d?))?(?:/(?P<stride>[2-9]))?(?P<skip>s)?(?:\+(?P<pool>max2|avg2))?"
)


class Block(NamedTuple):
    """The genes of one block.

    Attributes:
        expansion: how many times wider the inside of an inverted residual is; 1 in other blocks.
        skip: whether an inverted residual adds its input to its output; False in other blocks.
        pool: what follows the block.
    """

    kind: Kind
    kernel: int
    filters: int
    stride: int = 1
    expansion: int = 1
    skip: bool = False
    pool: Pooling = "none"

    @property
    def text(self) -> str:
        return (
            f"{self.kind}{self.kernel}-{self.filters}"
            + (f"x{self.expansion}" if self.kind == "ir" else "")
            + (f"/{self.stride}" if self.stride > 1 else "")
            + ("s" if self.skip else "")
            + (f"+{self.pool}" if self.pool != "none" else "")
        )


@lru_cache(maxsize=4096)
def parse_block(text: str) -> Block:
    """Read one block.

    Raises:
        BadArchitecture: the text is no block.
    """
    match = _TEXT.fullmatch(text)
    if match is None or (match["kind"] == "ir") != (match["expansion"] is not None):
        raise BadArchitecture(
            f'"{text}" is no block', remedy='write it like "conv3-16/2", "ds3-24+max2" or "ir5-24x4s"'
        )
    if match["skip"] and match["kind"] != "ir":
        raise BadArchitecture(f'"{text}": only an inverted residual (ir) can have a skip (s)')
    return Block(
        kind=match["kind"],  # type: ignore[arg-type]  # the pattern allows no other
        kernel=int(match["kernel"]),
        filters=int(match["filters"]),
        stride=int(match["stride"] or 1),
        expansion=int(match["expansion"] or 1),
        skip=match["skip"] is not None,
        pool=match["pool"] or "none",  # type: ignore[arg-type]  # as above
    )


def block_layers(block: Block, index: int, channels: int, source: str, activation: Act) -> tuple[Layer, ...]:
    """The layers of one block.

    Args:
        index: position in the chain, from 1; goes into the layers' names.
        channels: of the tensor that it reads.
        source: name of the layer that it reads.
        activation: after each layer but the last of an inverted residual, which is linear.
    """
    name, kernel, stride = f"b{index}", block.kernel, block.stride
    made: list[Layer] = []
    if block.kind == "conv":
        made.append(Conv(f"{name}_conv", (source,), block.filters, kernel, stride, activation))
    elif block.kind == "ds":
        made.append(Depthwise(f"{name}_depthwise", (source,), kernel, stride, activation))
        made.append(Conv(f"{name}_pointwise", (made[-1].name,), block.filters, 1, 1, activation))
    else:
        if block.expansion > 1:
            made.append(Conv(f"{name}_expand", (source,), channels * block.expansion, 1, 1, activation))
        inside = made[-1].name if made else source
        made.append(Depthwise(f"{name}_depthwise", (inside,), kernel, stride, activation))
        made.append(Conv(f"{name}_project", (made[-1].name,), block.filters, 1, 1, "none"))
        if block.skip:
            made.append(Sum(f"{name}_add", (source, made[-1].name)))
    if block.pool != "none":
        kind: Literal["max", "average"] = "max" if block.pool == "max2" else "average"
        made.append(Pool(f"{name}_pool", (made[-1].name,), kind, POOL_SIZE))
    return tuple(made)
