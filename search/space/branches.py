"""Space "branches": node by node, each with an operator and a set of earlier nodes that it reads.

The encoding with skip connections of Zoph and Le, "Neural Architecture Search with Reinforcement Learning"
(ICLR 2017), section 3.3: at each layer an anchor point decides for every earlier layer whether it is an
input.  A node that reads none takes the image; outputs that no node has read are concatenated in front of
the classifier.

What is added here: an operator is a convolution, a separable one or a pool, with a stride of its own;
inputs are joined by concatenation or, as in residual networks, by a sum; the image is read by convolutions
alone; no more than `max_reads` of the last `reach` nodes are read, so that what has to be kept in RAM is
bounded.  What differs: inputs of different size are averaged down to the smallest of them instead of padded
with zeros to the largest, which would cost memory; for a sum, channels are brought to those of the nearest
input by linear convolutions of 1x1 (as He et al., "Deep Residual Learning for Image Recognition", 2016,
section 3.3, option B).  An average of a size that is its stride is what matches maps, and no operator, lest
two texts stand for one network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, TypeAlias

from search.space.cost import INPUT
from search.space.decisions import Choose, DecisionSpace
from search.space.layers import Act, Layer
from search.space.options import BadOption, Bounds, Options
from search.space.sketch import Sketch

Operator: TypeAlias = Literal["avg", "conv", "ds", "max"]
Join: TypeAlias = Literal["concat", "sum"]

_SOME = Bounds(at_least=1)


@dataclass(frozen=True)
class BranchesOptions(Options):
    """What the genes may be.

    Attributes:
        min_depth, max_depth: number of nodes.
        operators: "conv", "ds" (depthwise-separable convolution), "max", "avg" (pools).
        kernels: sides of the square kernels; "ds" has none of 1x1.
        pool_sizes: sides of the square pools.
        strides: powers of two; must hold 1.
        filters: of a convolution.  Multiples of 4 are much faster on a Cortex-M.
        joins: how a node joins what it reads: "concat", "sum".
        reach: how many nodes back one may read.
        max_reads: how many nodes one may read.
        activation: of all convolutions.
        smallest_side: no stride makes the map smaller than this.
    """

    min_depth: Annotated[int, Bounds(at_least=1)] = 3
    max_depth: Annotated[int, Bounds(at_least=1, at_most=32)] = 8
    operators: Annotated[tuple[Operator, ...], _SOME] = ("conv", "ds", "max", "avg")
    kernels: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=15)], ...], _SOME] = (1, 3, 5)
    pool_sizes: Annotated[tuple[Annotated[int, Bounds(at_least=2, at_most=8)], ...], _SOME] = (2, 3)
    strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4)], ...], _SOME] = (1, 2)
    filters: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4096)], ...], _SOME] = (8, 16, 24, 32)
    joins: Annotated[tuple[Join, ...], _SOME] = ("concat", "sum")
    reach: Annotated[int, Bounds(at_least=1)] = 4
    max_reads: Annotated[int, Bounds(at_least=1)] = 3
    activation: Act = "relu6"
    smallest_side: Annotated[int, Bounds(at_least=1)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth > self.max_depth:
            raise BadOption(
                ("min_depth",), f"got {self.min_depth}, expected at most max_depth = {self.max_depth}"
            )
        if 1 not in self.strides or 3 in self.strides:
            raise BadOption(
                ("strides",),
                f"got {list(self.strides)}, expected a list that holds 1, and else 2 or 4",
                remedy="maps are matched by whole strides, so all of them are powers of two",
            )
        if not {"conv", "ds"} & set(self.operators):
            raise BadOption(("operators",), f'got {list(self.operators)}, expected "conv" or "ds" among them')
        if "conv" not in self.operators and max(self.kernels) == 1:
            raise BadOption(("kernels",), 'got [1], expected more for the operator "ds"')
        for key in ("operators", "kernels", "pool_sizes", "strides", "filters", "joins"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))  # order means nothing


class Row(NamedTuple):
    """What a node may do.  `filters` of a pool is 0."""

    operator: Operator
    size: int
    stride: int
    filters: int


class BranchesSpace(DecisionSpace):
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (height, width, channels).
        classes: how many the data set has.
    """

    name = "branches"

    def __init__(self, options: BranchesOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.options = options
        self._rows = [
            Row(operator, size, stride, filters)
            for operator in options.operators
            for size in (options.kernels if operator in ("conv", "ds") else options.pool_sizes)
            if operator != "ds" or size > 1
            for stride in options.strides
            if operator != "avg" or size != stride
            for filters in (options.filters if operator in ("conv", "ds") else (0,))
        ]

    def decode(self, choose: Choose) -> Iterable[Layer]:
        """Depth, then per node: what it reads, how that is joined, operator, size, stride, filters."""
        options, sketch = self.options, Sketch(self.input_shape, self.options.activation)
        outputs: list[str] = []
        unread: list[str] = []
        pooled: set[tuple[str, Row]] = set()
        for number in range(1, choose("depth", range(options.min_depth, options.max_depth + 1)) + 1):
            part = f"node{number}"
            reads = self._reads(choose, part, outputs)
            unread = [name for name in unread if name not in reads]
            join = choose(f"{part}.join", options.joins if len(reads) > 1 else options.joins[:1])
            source = _joined(sketch, part, reads, join) if reads else INPUT
            rows = [row for row in self._rows if (source, row) not in pooled and (row.filters or reads)]
            row = _chosen(choose, part, self._fitting(sketch, source, rows))
            if not row.filters:
                pooled.add((source, row))  # no second pool that does the same
            outputs.append(_applied(sketch, part, source, row))
            unread.append(outputs[-1])
        scale = max([sketch.scale[name] for name in unread])
        ends = [sketch.shrunk(f"{name}_at_{scale}", name, scale) for name in unread]
        return sketch.classified(sketch.concat("ends", ends), self.classes)

    def _reads(self, choose: Choose, part: str, outputs: Sequence[str]) -> list[str]:
        """The nearest first."""
        reads: list[str] = []
        for number in range(len(outputs), max(0, len(outputs) - self.options.reach), -1):
            offered = (False, True) if len(reads) < self.options.max_reads else (False,)
            if choose(f"{part}.reads{number}", offered):
                reads.append(outputs[number - 1])
        return reads

    def _fitting(self, sketch: Sketch, source: str, rows: Iterable[Row]) -> list[Row]:
        """Those that leave the map large enough; a small map is left as it is."""
        scale, least = sketch.scale[source], self.options.smallest_side
        fits = {stride: sketch.smallest_side(scale * stride) >= least for stride in self.options.strides}
        return [row for row in rows if row.stride == 1 or fits[row.stride]]


def _joined(sketch: Sketch, part: str, reads: Sequence[str], join: Join) -> str:
    """The maps read, at the scale of the smallest, behind one another or added up."""
    scale = max([sketch.scale[name] for name in reads])
    if join == "concat" or len(reads) == 1:
        same = [sketch.shrunk(f"{name}_at_{scale}", name, scale) for name in reads]
        return sketch.concat(f"{part}_concat", same)
    channels = sketch.channels[reads[0]]
    same = [sketch.matched(f"{part}_from_{name}", name, scale, channels) for name in reads]
    return sketch.sum(f"{part}_sum", same)


def _chosen(choose: Choose, part: str, rows: Sequence[Row]) -> Row:
    """One of `rows`, gene by gene."""
    for place, gene in enumerate(Row._fields):
        value = choose(f"{part}.{gene}", sorted({row[place] for row in rows}))
        rows = [row for row in rows if row[place] == value]
    return rows[0]


def _applied(sketch: Sketch, part: str, source: str, row: Row) -> str:
    if row.operator == "conv":
        return sketch.conv(part, source, row.filters, row.size, row.stride)
    if row.operator == "ds":
        return sketch.separable(part, source, row.filters, row.size, row.stride)
    return sketch.pool(part, source, "max" if row.operator == "max" else "average", row.size, row.stride)
