"""Space "mlp": perceptrons.  The input is flattened; dense layers follow, then softmax.

For a few dozen to a few hundred inputs (features, short windows of a sensor, tiny pictures) this is the
smallest kind of network on a microcontroller: its activations are two vectors, and each weight is read
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.head import vector_classes
from search.space.layers import Act, Dense, Flat, Layer
from search.space.options import BadOption, Bounds, Options


@dataclass(frozen=True)
class MlpOptions(Options):
    """What the genes may be.

    Attributes:
        min_depth, max_depth: dense layers before the last; with 0 the network is a softmax regression.
        units: of each of them.
        activation: of each of them.
    """

    min_depth: Annotated[int, Bounds(at_least=0)] = 1
    max_depth: Annotated[int, Bounds(at_least=0, at_most=32)] = 4
    units: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=65_536)], ...], Bounds(at_least=1)] = (
        8,
        16,
        32,
        64,
        128,
    )
    activation: Act = "relu"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth > self.max_depth:
            raise BadOption(
                ("min_depth",), f"got {self.min_depth}, expected at most max_depth = {self.max_depth}"
            )
        object.__setattr__(self, "units", tuple(sorted(set(self.units))))  # order means nothing


class MlpSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (height, width, channels) of the data; features are (1, 1, columns).
        classes: how many the data set has.
    """

    name = "mlp"

    def __init__(self, options: MlpOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options

    def decode(self, choose: Choose) -> Iterator[Layer]:
        """Depth, then the units of each layer."""
        depth = choose("depth", range(self.options.min_depth, self.options.max_depth + 1))
        source = "flat"
        yield Flat(source, (INPUT,))
        for number in range(1, depth + 1):
            units = choose(f"dense{number}.units", self.options.units)
            yield Dense(f"dense{number}", (source,), units, self.options.activation)
            source = f"dense{number}"
        yield from vector_classes(source, self.classes)
