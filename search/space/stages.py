"""Space "stages": a stem and a few stages; a stage repeats one kind of block.

The factorised hierarchy of MnasNet (Tan et al. 2019, section 4.1): what kind of block, how large its kernel,
how wide, how often is decided for each stage and holds for all its blocks, so few genes make deep networks of
diverse layers.  Beside them stand the two dials of MobileNets (Howard et al. 2017, sections 3.3 and 3.4): a
multiplier of all widths, and the resolution of the input.

What differs from MnasNet: blocks are those that int8 kernels of microcontrollers are good at, with
SqueezeNet's and ResNet's among them; no squeeze-and-excitation; the number of stages and their strides are
genes.  Widths are rounded to multiples of 4.  The stem's width is no gene: it alone tells two multipliers
apart, so that different text is a different network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from search.space.base import Architecture
from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.head import averaged_classes
from search.space.layers import Act, Conv, Layer
from search.space.options import BadOption, Bounds, Options
from search.space.stage_blocks import BlockKind, Shape, block_layers, rounded, squeezed

_SOME = Bounds(at_least=1)
_STEM_KERNEL = 3
RESOLUTION = "resolution"


@dataclass(frozen=True)
class StagesOptions(Options):
    """What the genes may be.

    Attributes:
        min_stages, max_stages: how many stages.
        blocks: kinds of block (`search/space/stage_blocks.py`).
        repeats: blocks in a stage; the first one has the stage's stride.
        kernels: sides of the square kernels.
        strides: of the stem and of each stage; must hold 1.
        widths: channels that a stage gives, before the multiplier.
        expansions: how many times wider the inside of an inverted residual is, and how many times narrower
            that of a fire block.
        skips: whether inverted residuals may have a skip.
        stem_width: channels of the first convolution, before the multiplier.
        width_multipliers: of all widths.
        resolutions: shares of the data's height and width; the data are made smaller for the network.
        activation: of the whole network.
        smallest_side: no stride makes the map smaller than this; a smaller input is left as it is.
    """

    min_stages: Annotated[int, Bounds(at_least=1)] = 1
    max_stages: Annotated[int, Bounds(at_least=1, at_most=16)] = 4
    blocks: Annotated[tuple[BlockKind, ...], _SOME] = ("ds", "ir", "fire", "res")
    repeats: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=16)], ...], _SOME] = (1, 2, 3)
    kernels: Annotated[tuple[Annotated[int, Bounds(at_least=2, at_most=15)], ...], _SOME] = (3, 5)
    strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4)], ...], _SOME] = (1, 2)
    widths: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4096)], ...], _SOME] = (
        8,
        16,
        24,
        32,
        48,
    )
    expansions: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=16)], ...], _SOME] = (2, 4)
    skips: bool = True
    stem_width: Annotated[int, Bounds(at_least=1, at_most=4096)] = 16
    width_multipliers: Annotated[tuple[Annotated[float, Bounds(above=0, at_most=8)], ...], _SOME] = (1.0,)
    resolutions: Annotated[tuple[Annotated[float, Bounds(above=0, at_most=1)], ...], _SOME] = (1.0,)
    activation: Act = "relu6"
    smallest_side: Annotated[int, Bounds(at_least=1)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_stages > self.max_stages:
            raise BadOption(
                ("min_stages",), f"got {self.min_stages}, expected at most max_stages = {self.max_stages}"
            )
        if 1 not in self.strides:
            raise BadOption(("strides",), f"got {list(self.strides)}, expected a list that holds 1")
        for key in ("blocks", "repeats", "kernels", "strides", "widths", "expansions"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))  # order means nothing
        for key in ("width_multipliers", "resolutions"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)), reverse=True)))
        stems = [rounded(self.stem_width * multiplier) for multiplier in self.width_multipliers]
        for before, stem in enumerate(stems[1:]):
            if stem == stems[before]:
                same = self.width_multipliers[before : before + 2]
                raise BadOption(
                    ("width_multipliers",),
                    f"{same[0]:g} and {same[1]:g} both make a stem of {stem} channels",
                    remedy="leave one of them out, or raise stem_width",
                )


class StagesSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (height, width, channels) of the data.
        classes: how many the data set has.
    """

    name = "stages"

    def __init__(self, options: StagesOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options
        shapes = {self._shape(resolution): resolution for resolution in reversed(options.resolutions)}
        self._resolutions = tuple(sorted(shapes.values(), reverse=True))  # of two with one shape the larger

    def takes(self, architecture: Architecture) -> tuple[int, int, int]:
        """The data's shape, height and width times the resolution."""
        genes = self.way(architecture).genes
        return self._shape(float(genes.get(RESOLUTION, self._resolutions[0])))

    def decode(self, choose: Choose) -> Iterator[Layer]:
        """Resolution, multiplier and number of stages; the stem; then stage by stage."""
        options = self.options
        height, width, _ = self._shape(choose(RESOLUTION, self._resolutions))
        multiplier = choose("width_multiplier", options.width_multipliers)
        stages = choose("stages", range(options.min_stages, options.max_stages + 1))

        channels = rounded(options.stem_width * multiplier)
        stride = choose("stem.stride", self._strides(height, width))
        height, width = -(-height // stride), -(-width // stride)
        yield Conv("stem", (INPUT,), channels, _STEM_KERNEL, stride, options.activation)
        source = "stem"
        for stage in range(1, stages + 1):
            name = f"stage{stage}"
            kind = choose(f"{name}.block", options.blocks)
            repeats = choose(f"{name}.repeats", options.repeats)
            kernel = choose(f"{name}.kernel", options.kernels)
            filters = rounded(multiplier * choose(f"{name}.width", self._widths(multiplier)))
            stride = choose(f"{name}.stride", self._strides(height, width))
            expansion = choose(f"{name}.expansion", self._expansions(kind, filters))
            may_skip = (
                options.skips and kind == "ir" and (repeats > 1 or (stride == 1 and filters == channels))
            )
            skip = choose(f"{name}.skip", (False, True) if may_skip else (False,))
            height, width = -(-height // stride), -(-width // stride)
            for block in range(1, repeats + 1):
                made = block_layers(
                    kind,
                    Shape(
                        name=f"s{stage}b{block}",
                        source=source,
                        channels=channels,
                        width=filters,
                        kernel=kernel,
                        stride=stride,
                        expansion=expansion,
                        skip=skip and stride == 1 and filters == channels,
                        activation=options.activation,
                    ),
                )
                yield from made
                source, channels, stride = made[-1].name, filters, 1
        yield from averaged_classes(source, self.classes)

    # What is offered: no two options that would be the same network

    def _shape(self, resolution: float) -> tuple[int, int, int]:
        height, width, channels = self.input_shape
        return max(1, round(height * resolution)), max(1, round(width * resolution)), channels

    def _strides(self, height: int, width: int) -> Sequence[int]:
        side, least = min(height, width), self.options.smallest_side
        return [
            stride for stride in self.options.strides if stride == 1 or side > -(-side // stride) >= least
        ]

    def _widths(self, multiplier: float) -> Sequence[int]:
        return _first_of_each(self.options.widths, [rounded(w * multiplier) for w in self.options.widths])

    def _expansions(self, kind: BlockKind, width: int) -> Sequence[int]:
        options = self.options.expansions
        if kind == "ir":
            return options
        if kind == "fire":
            return _first_of_each(options, [squeezed(width, expansion) for expansion in options])
        return (1,)


def _first_of_each(options: Sequence[int], become: Sequence[int]) -> Sequence[int]:
    """The first option of all that become the same."""
    return list(dict(zip(reversed(become), reversed(options), strict=True)).values())[::-1]
