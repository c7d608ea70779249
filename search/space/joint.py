"""Space "joint": what a cell is made of, and how many of which width stand where, searched together.

Micro: a cell of up to `max_blocks` blocks, as in `search/space/cell.py` (Zoph et al., CVPR 2018), the same
for all stages or one for each.  Macro: the stem, the number of stages, and for each stage its filters and
how often the cell is repeated (F_i and N_i in the factorized hierarchical space of Tan et al., "MnasNet:
Platform-Aware Neural Architecture Search for Mobile", CVPR 2019, section 4.1).

What is added here: both at once, and with them where the map is halved, as on a microcontroller the best
cell depends on it: RAM is decided by the first stages, flash by the last.  There is no reduction cell: the
first cell of a stage that halves the map has a stride of 2 in the operators that read its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from search.space.cell import BOTH, ONE, ORDER, Cell, CellBuilder, Operator, decided, in_order
from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.layers import Act, Layer
from search.space.options import BadOption, Bounds, Options
from search.space.sketch import Sketch

_SOME = Bounds(at_least=1)


@dataclass(frozen=True)
class JointOptions(Options):
    """What the genes may be.

    Attributes:
        cells: "shared": one cell for all stages; "per_stage": one for each.
        max_blocks: of a cell; it has at least one.
        operators: "conv1", "conv3" (convolutions 1x1, 3x3), "sep3", "sep5" (depthwise-separable), "max3",
            "avg3" (pools), "identity".
        min_stages, max_stages: number of stages.
        max_repeats: cells in a stage.
        filters: of each operator in a stage.  Multiples of 4 are much faster on a Cortex-M.
        stem_filters, stem_strides: of the convolution 3x3 in front of the first stage; strides 1, 2 or 4.
        activation: of all convolutions.
        smallest_side: nothing makes the map smaller than this.
    """

    cells: Literal["shared", "per_stage"] = "shared"
    max_blocks: Annotated[int, Bounds(at_least=1, at_most=8)] = 3
    operators: Annotated[tuple[Operator, ...], _SOME] = ORDER
    min_stages: Annotated[int, Bounds(at_least=1)] = 1
    max_stages: Annotated[int, Bounds(at_least=1, at_most=8)] = 3
    max_repeats: Annotated[int, Bounds(at_least=1, at_most=16)] = 2
    filters: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=1024)], ...], _SOME] = (
        4,
        8,
        12,
        16,
        24,
    )
    stem_filters: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=1024)], ...], _SOME] = (4, 8, 16)
    stem_strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4)], ...], _SOME] = (1, 2)
    activation: Act = "relu6"
    smallest_side: Annotated[int, Bounds(at_least=1)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_stages > self.max_stages:
            raise BadOption(
                ("min_stages",), f"got {self.min_stages}, expected at most max_stages = {self.max_stages}"
            )
        if 3 in self.stem_strides:
            raise BadOption(("stem_strides",), f"got {list(self.stem_strides)}, expected 1, 2 or 4")
        object.__setattr__(self, "operators", in_order(self.operators))  # order means nothing
        for key in ("filters", "stem_filters", "stem_strides"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))


class Stage(NamedTuple):
    """Cells of one width."""

    filters: int
    repeats: int
    stride: int


class JointSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (height, width, channels).
        classes: how many the data set has.
    """

    name = "joint"

    def __init__(self, options: JointOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options

    def decode(self, choose: Choose) -> Iterable[Layer]:
        """Macro first (stem, stages), then the cell or cells."""
        options = self.options
        sketch = Sketch(self.input_shape, options.activation)
        strides = self._strides(sketch, 1, options.stem_strides)
        stem = sketch.conv(
            "stem", INPUT, choose("stem.filters", options.stem_filters), 3, choose("stem.stride", strides)
        )
        stages = self._stages(choose, sketch, sketch.scale[stem])
        inputs, builder, number = (stem, stem), CellBuilder(sketch), 0
        for cell, stage in zip(self._cells(choose, stages), stages, strict=True):
            for repeat in range(stage.repeats):
                number += 1
                stride = stage.stride if repeat == 0 else 1
                inputs = (inputs[1], builder.add(f"cell{number}", cell, inputs, stage.filters, stride))
        return sketch.classified(inputs[1], self.classes)

    def _strides(self, sketch: Sketch, scale: int, strides: Iterable[int]) -> list[int]:
        """Those that leave the map large enough; a small map is left as it is."""
        least = self.options.smallest_side
        return [s for s in strides if s == 1 or sketch.smallest_side(scale * s) >= least] or [1]

    def _stages(self, choose: Choose, sketch: Sketch, scale: int) -> list[Stage]:
        options, stages = self.options, list[Stage]()
        for number in range(1, choose("stages", range(options.min_stages, options.max_stages + 1)) + 1):
            part = f"stage{number}"
            filters = choose(f"{part}.filters", options.filters)
            repeats = choose(f"{part}.repeats", range(1, options.max_repeats + 1))
            stride = choose(f"{part}.stride", self._strides(sketch, scale, (1, 2)))
            scale *= stride
            stages.append(Stage(filters, repeats, stride))
        return stages

    def _cells(self, choose: Choose, stages: list[Stage]) -> list[Cell]:
        """The cell of each stage."""
        options, shared = self.options, self.options.cells == "shared"
        cells: list[Cell] = []
        for number in range(1, 2 if shared else len(stages) + 1):
            name = "cell" if shared else f"stage{number}.cell"
            # The first cell of all finds the stem behind itself twice.
            alone = number == 1 and sum([s.repeats for s in (stages if shared else stages[:1])]) == 1
            blocks = choose(f"{name}.blocks", range(1, options.max_blocks + 1))
            cells.append(decided(choose, name, blocks, options.operators, ONE if alone else BOTH))
        return cells * len(stages) if shared else cells
