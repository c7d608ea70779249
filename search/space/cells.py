"""Space "cells": a normal and a reduction cell, searched once and stacked (NASNet).

Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition" (CVPR 2018).  Genes are
the two cells (`search/space/cell.py` says what a cell is and what differs from the paper); the rest are
options:

    stem, (normal x stacks, reduction) x reductions, normal x stacks, global average, dense, softmax

and each reduction halves the map and doubles the filters.  An architecture's text says nothing of the data
and nothing of `stacks`, `filters`, `reductions` or the stem.  So a cell that was found on small pictures is
valid, as it stands, in a space for large ones with more repeats: figure 2 and section 3 of the paper, and
docs/spaces/cells.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from search.space.cell import ORDER, CellBuilder, Operator, decided, in_order
from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.layers import Act, Layer
from search.space.options import BadOption, Bounds, Options
from search.space.sketch import Sketch

_SOME = Bounds(at_least=1)


@dataclass(frozen=True)
class CellsOptions(Options):
    """`blocks` and `operators` say what the genes may be; all others may change while texts stay valid.

    Attributes:
        blocks: of each cell; 5 in the paper.
        operators: "conv1", "conv3" (convolutions 1x1, 3x3), "sep3", "sep5" (depthwise-separable), "max3",
            "avg3" (pools), "identity".
        stacks: how often the normal cell is repeated before, between and after the reductions; N in the
            paper.
        reductions: how many reduction cells there are.
        filters: of the first normal cells; doubled by each reduction.  Multiples of 4 are much faster on a
            Cortex-M.
        stem_filters, stem_kernel, stem_stride: of the convolution in front of the cells.
        separable_layers: how many separable convolutions stand behind "sep3" and "sep5"; 2 in the paper.
        activation: of all convolutions.
    """

    blocks: Annotated[int, Bounds(at_least=1, at_most=8)] = 3
    operators: Annotated[tuple[Operator, ...], _SOME] = ORDER
    stacks: Annotated[int, Bounds(at_least=1, at_most=24)] = 1
    reductions: Annotated[int, Bounds(at_least=1, at_most=6)] = 2
    filters: Annotated[int, Bounds(at_least=1, at_most=1024)] = 8
    stem_filters: Annotated[int, Bounds(at_least=1, at_most=1024)] = 8
    stem_kernel: Annotated[int, Bounds(at_least=1, at_most=15)] = 3
    stem_stride: Annotated[int, Bounds(at_least=1, at_most=4)] = 1
    separable_layers: Annotated[int, Bounds(at_least=1, at_most=4)] = 1
    activation: Act = "relu6"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stem_stride == 3:
            raise BadOption(("stem_stride",), "got 3, expected 1, 2 or 4")
        object.__setattr__(self, "operators", in_order(self.operators))  # order means nothing


class CellsSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be, and how cells are stacked.
        input_shape: (height, width, channels).
        classes: how many the data set has.
    """

    name = "cells"

    def __init__(self, options: CellsOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options

    def decode(self, choose: Choose) -> Iterable[Layer]:
        """The normal cell, then the reduction cell, block by block."""
        options = self.options
        normal = decided(choose, "normal", options.blocks, options.operators)
        reduction = decided(choose, "reduction", options.blocks, options.operators)
        sketch = Sketch(self.input_shape, options.activation)
        builder = CellBuilder(sketch, options.separable_layers)
        stem = sketch.conv("stem", INPUT, options.stem_filters, options.stem_kernel, options.stem_stride)
        inputs, filters, number = (stem, stem), options.filters, 0
        for stage in range(options.reductions + 1):
            cells = [(normal, 1)] * options.stacks
            if stage > 0:
                cells.insert(0, (reduction, 2))
                filters *= 2
            for cell, stride in cells:
                number += 1
                inputs = (inputs[1], builder.add(f"cell{number}", cell, inputs, filters, stride))
        return sketch.classified(inputs[1], self.classes)
