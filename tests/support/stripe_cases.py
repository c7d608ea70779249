"""Chains of operators that can run in stripes, with an input; then something that needs the whole map.

A chain is a list of links, so that a failing one shrinks to few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from hypothesis import strategies as st

from tests.support.network_cases import NetworkBuilder
from tests.support.operator_models import Case
from tests.support.tflite_builder import TensorRef


@dataclass(frozen=True)
class Link:
    """One operator, or a few that belong together.

    Attributes:
        kind: one of `KINDS`.
        kernel, stride, dilation: (vertical, horizontal).
        channels: of a convolution's output.
    """

    kind: str
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    channels: int = 4


def _conv(n: NetworkBuilder, x: TensorRef, link: Link) -> TensorRef:
    shape = (link.channels, *link.kernel, x.shape[3])
    return n.b.conv2d(
        x,
        n.random.integers(-127, 128, shape),
        n.random.integers(-1000, 1000, link.channels),
        weight_scales=[0.02 / prod(shape[1:]) ** 0.5] * link.channels,
        out_scale=x.scale,
        out_zero_point=int(n.random.integers(-128, 60)),
        stride=link.stride,
        dilation=link.dilation,
        padding=link.padding,
        activation=str(n.random.choice(["NONE", "RELU", "RELU6"])),
    )


def _depthwise(n: NetworkBuilder, x: TensorRef, link: Link) -> TensorRef:
    multiplier = 2 if link.channels == 1 else 1
    channels = x.shape[3] * multiplier
    stride = link.stride[0] if link.dilation == (1, 1) else 1
    return n.b.depthwise_conv2d(
        x,
        n.random.integers(-127, 128, (1, *link.kernel, channels)),
        n.random.integers(-1000, 1000, channels),
        weight_scales=[0.02 / prod(link.kernel) ** 0.5] * channels,
        out_scale=x.scale,
        out_zero_point=int(n.random.integers(-128, 60)),
        stride=(stride, stride),
        dilation=link.dilation,
        padding=link.padding,
    )


def _pad(n: NetworkBuilder, x: TensorRef, link: Link) -> TensorRef:
    return n.b.pad(x, ((0, 0), (1, link.kernel[0] // 2), (link.kernel[1] // 2, 1), (0, 0)))


def _link(n: NetworkBuilder, x: TensorRef, link: Link) -> TensorRef:
    match link.kind:
        case "conv":
            return _conv(n, x, link)
        case "depthwise":
            return _depthwise(n, x, link)
        case "max_pool":
            return n.b.max_pool2d(x, link.kernel, link.stride, padding=link.padding)
        case "average_pool":
            return n.b.average_pool2d(x, link.kernel, link.stride, padding=link.padding)
        case "pad_conv":
            return _conv(n, _pad(n, x, link), link)
        case "pad_pool":
            return n.b.max_pool2d(_pad(n, x, link), link.kernel, link.stride, padding="VALID")
        case "tanh":
            return n.b.tanh(x)
        case "scale":
            scales = n.b.constant(
                n.random.integers(-127, 128, (1, 1, 1, x.shape[3])), dtype="int8", scale=0.01, zero_point=3
            )
            return n.b.mul(x, scales, out_scale=x.scale, out_zero_point=-5)
        case "residual":
            return n.add(x, n.conv(x, x.shape[3], link.kernel, activation="NONE"))
        case "concatenation":
            other = n.b.max_pool2d(x, link.kernel, (1, 1), padding="SAME")
            return n.b.concatenation([x, other], axis=3)
    raise ValueError(link.kind)


def _fits(x: TensorRef, link: Link) -> bool:
    """Whether a window of the link lies inside of the map."""
    reach = [(k - 1) * d + 1 for k, d in zip(link.kernel, link.dilation, strict=True)]
    return x.shape[1] >= reach[0] and x.shape[2] >= reach[1]


def chain(seed: int, size: tuple[int, int, int], links: Sequence[Link]) -> Case:
    """The links that fit, one after the other, then a mean over the map and a dense layer."""
    n = NetworkBuilder(seed)
    source = n.b.input((1, *size), scale=0.02, zero_point=-10)
    x = source
    for link in links:
        if _fits(x, link):
            x = _link(n, x, link)
    if x is source:
        x = n.b.tanh(x)
    y = n.dense(n.b.mean(x, (1, 2), out_scale=x.scale / 2, out_zero_point=-128), 8)
    data = n.random.integers(-128, 128, source.shape).astype(np.int8)
    return Case(f"chain {'-'.join(link.kind for link in links)} on {size}", n.b.finish(y), data)


KINDS = (
    *("conv", "depthwise", "max_pool", "average_pool", "pad_conv", "pad_pool"),
    *("tanh", "scale", "residual", "concatenation"),
)


def fixed_chains() -> list[Case]:
    """Every kind of link, and the stems of the usual networks."""
    return [
        chain(1, (24, 8, 4), [Link(kind) for kind in KINDS]),
        # MobileNet: padded by hand before a convolution of stride 2.
        chain(
            2,
            (32, 32, 3),
            [
                Link("pad_conv", stride=(2, 2), padding="VALID", channels=8),
                Link("depthwise"),
                Link("conv", kernel=(1, 1), channels=16),
                Link("depthwise", stride=(2, 2)),
                Link("conv", kernel=(1, 1), channels=16),
            ],
        ),
        # Keyword spotting: one channel, a tall first kernel.
        chain(
            3,
            (49, 10, 1),
            [
                Link("conv", kernel=(10, 4), stride=(2, 2), channels=8),
                Link("depthwise"),
                Link("conv", kernel=(1, 1), channels=8),
            ],
        ),
        # ResNet: the source is read twice.
        chain(4, (16, 16, 4), [Link("residual"), Link("residual"), Link("max_pool", (2, 2), (2, 2))]),
        chain(5, (20, 12, 4), [Link("conv", dilation=(3, 2)), Link("depthwise", (5, 3), dilation=(2, 2))]),
    ]


_kernels = st.tuples(st.integers(1, 5), st.integers(1, 4))
_links = st.builds(
    Link,
    kind=st.sampled_from(KINDS),
    kernel=_kernels,
    stride=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    dilation=st.sampled_from([(1, 1), (1, 1), (1, 1), (2, 1), (2, 2)]),
    padding=st.sampled_from(["SAME", "VALID"]),
    channels=st.integers(1, 8),
)

chains: st.SearchStrategy[Case] = st.builds(
    chain,
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(4, 24), st.integers(2, 9), st.integers(1, 4)),
    st.lists(_links, min_size=1, max_size=5),
)
