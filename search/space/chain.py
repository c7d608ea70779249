"""Space "chain": blocks in a row, then global average pooling, a dense layer and softmax.

An architecture is the text of its blocks, separated by blanks (`search/space/block.py`): "conv3-16/2
ds3-24+max2".
Two rules decide what is an architecture: nothing shrinks the map below `smallest_side`, and an inverted
    residual has a
skip only where its input and output have the same shape.  `_mended` holds genes to these rules; what it
leaves unchanged is valid.  Sampling, mutation and crossover draw genes freely and have them mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2
from typing import Annotated, Any, TypeVar

import numpy as np

from search.errors import BadArchitecture
from search.space import walk
from search.space.base import Architecture, Choice, Cost, Deployment
from search.space.block import POOL_SIZE, Block, Kind, Pooling, block_layers, parse_block
from search.space.cost import INPUT, count
from search.space.distance import edit_distance
from search.space.layers import Act, ClassProbabilities, Dense, GlobalAverage, Layer
from search.space.options import BadOption, Bounds, Options

Item = TypeVar("Item")

_SOME = Bounds(at_least=1)
_FREE_TRIES = 24


@dataclass(frozen=True)
class ChainOptions(Options):
    """What the genes may be.

    Attributes:
        min_depth, max_depth: number of blocks.
        blocks: kinds of block: "conv", "ds" (depthwise-separable), "ir" (inverted residual).
        kernels: sides of the square kernels.
        strides: must hold 1.
        filters: of a block's output.  Multiples of 4 are much faster on a Cortex-M, whose kernels take
            four at a time (MicroNets, Banbury et al. 2021: 138 filters 37.5 ms, 140 filters 21.5 ms).
        expansions: of inverted residuals.
        skips: whether inverted residuals may have a skip.
        pools: what may follow a block other than the last: "max2", "avg2".  No pooling is always a choice.
        activation: of the whole network.
        smallest_side: no stride and no pooling makes the map smaller than this; a smaller input is left as
            it is.
    """

    min_depth: Annotated[int, Bounds(at_least=1)] = 1
    max_depth: Annotated[int, Bounds(at_least=1, at_most=64)] = 6
    blocks: Annotated[tuple[Kind, ...], _SOME] = ("conv", "ds", "ir")
    kernels: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=15)], ...], _SOME] = (3, 5)
    strides: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4)], ...], _SOME] = (1, 2)
    filters: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=4096)], ...], _SOME] = (
        8,
        16,
        24,
        32,
        48,
        64,
    )
    expansions: Annotated[tuple[Annotated[int, Bounds(at_least=1, at_most=16)], ...], _SOME] = (2, 4)
    skips: bool = True
    pools: tuple[Pooling, ...] = ("max2",)
    activation: Act = "relu6"
    smallest_side: Annotated[int, Bounds(at_least=1)] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth > self.max_depth:
            raise BadOption(
                ("min_depth",), f"got {self.min_depth}, expected at most max_depth = {self.max_depth}"
            )
        if 1 not in self.strides:
            raise BadOption(("strides",), f"got {list(self.strides)}, expected a list that holds 1")
        object.__setattr__(self, "pools", tuple(pool for pool in self.pools if pool != "none"))
        for key in ("blocks", "kernels", "strides", "filters", "expansions", "pools"):
            object.__setattr__(self, key, tuple(sorted(set(getattr(self, key)))))  # order means nothing


class ChainSpace:
    """See the module.

    Args:
        options: what the genes may be.
        input_shape: (height, width, channels) of the data.
        classes: how many the data set has.

    Raises:
        BadOption: input shape or classes that no image classifier has.
    """

    name = "chain"

    def __init__(self, options: ChainOptions, *, input_shape: tuple[int, ...], classes: int) -> None:
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise BadOption(
                (),
                f"space 'chain' got data of shape {tuple(input_shape)}, expected (height, width, channels)",
                remedy="give each image a channel dimension, e.g. (8, 8, 1)",
            )
        if classes < 1:
            raise BadOption((), f"space 'chain' got {classes} classes, expected at least 1")
        self.options = options
        self.input_shape = (input_shape[0], input_shape[1], input_shape[2])
        self.classes = classes
        self._pools: tuple[Pooling, ...] = ("none", *options.pools)
        self._skips = (False, True) if options.skips else (False,)
        self._octaves = log2(max(options.filters) / min(options.filters)) or 1.0
        self._choices: dict[str, frozenset[Any]] = {
            "kind": frozenset(options.blocks),
            "kernel": frozenset(options.kernels),
            "filters": frozenset(options.filters),
            "stride": frozenset(options.strides),
            "skip": frozenset(self._skips),
            "pool": frozenset(self._pools),
            "expansion": frozenset(options.expansions),  # of inverted residuals alone
        }

    # What an architecture is

    def architecture(self, blocks: Sequence[Block]) -> Architecture:
        """The architecture of valid genes."""
        return Architecture(self.name, " ".join([block.text for block in blocks]))

    def blocks(self, architecture: Architecture) -> tuple[Block, ...]:
        """The genes of an architecture.

        Raises:
            BadArchitecture: its text cannot be read, or lies outside this space.
        """
        if architecture.space != self.name:
            raise BadArchitecture(
                f"got an architecture of space '{architecture.space}', expected '{self.name}'"
            )
        blocks = tuple([parse_block(text) for text in architecture.text.split(" ")])
        options = self.options
        if not options.min_depth <= len(blocks) <= options.max_depth:
            raise BadArchitecture(
                f'"{architecture}" has {len(blocks)} blocks, '
                f"expected {options.min_depth} to {options.max_depth}"
            )
        for block in blocks:
            self._check_genes(block)
        mended, changes = self._mended(blocks)
        if changes:
            fixed = self.architecture(mended)
            raise BadArchitecture(f'"{architecture}": {"; ".join(changes)}', remedy=f'valid is "{fixed}"')
        return blocks

    def contains(self, architecture: Architecture) -> bool:
        """Whether it can be built in this space."""
        try:
            self.blocks(architecture)
        except BadArchitecture:
            return False
        return True

    def layers(self, architecture: Architecture) -> tuple[Layer, ...]:
        """Decode: the layers of all blocks, then pooling to a vector, classes and softmax."""
        made: list[Layer] = []
        source, channels = INPUT, self.input_shape[2]
        for index, block in enumerate(self.blocks(architecture), start=1):
            made.extend(block_layers(block, index, channels, source, self.options.activation))
            source, channels = made[-1].name, block.filters
        made.append(GlobalAverage("average", (source,)))
        made.append(Dense("classes", ("average",), self.classes, "none"))
        made.append(ClassProbabilities("probabilities", ("classes",)))
        return tuple(made)

    def cost(self, architecture: Architecture) -> Cost:
        """Analytic cost; see `search/space/cost.py` for what is counted."""
        return count(self.layers(architecture), self.input_shape)

    def distance(self, a: Architecture, b: Architecture) -> float:
        """Edit distance: 1 for a block added or removed, up to 1 for a block changed (the mean over its
        genes)."""
        return edit_distance(self.blocks(a), self.blocks(b), self._block_distance)

    # Moves

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Depth and every gene drawn uniformly, then mended."""
        depth = int(rng.integers(self.options.min_depth, self.options.max_depth + 1))
        return self.architecture(self._mended([self._random_block(rng) for _ in range(depth)])[0])

    def mutate(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one gene, add a block or remove one.

        Where the change makes another gene invalid (a skip over a block whose filters changed), that one
        is mended too; a change that needs no mending is preferred.  The parent itself comes back only
        where the space holds no other.
        """
        genes = self.blocks(parent)
        second_best: tuple[Block, ...] | None = None
        for _ in range(_FREE_TRIES):
            moved = self._random_move(genes, rng)
            mended, changes = self._mended(moved)
            if mended != genes:
                if not changes:
                    return self.architecture(mended)
                second_best = second_best or mended
        if second_best is None:
            others = sorted({self._mended(moved)[0] for moved in self._neighbours(genes)} - {genes})
            second_best = _pick(others, rng) if others else genes
        return self.architecture(second_best)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """The first blocks of `a`, then the last blocks of `b`; genes invalid at the seam are mended."""
        first, second = self.blocks(a), self.blocks(b)
        least, most = self.options.min_depth, self.options.max_depth
        cut = int(rng.integers(0, len(first) + 1))
        lengths = [length for length in range(len(second) + 1) if least <= cut + length <= most]
        taken = _pick(lengths, rng) if lengths else 0
        child = (*first[: cut if lengths else len(first)], *second[len(second) - taken :])
        return self.architecture(self._mended(child)[0])

    def takes(self, architecture: Architecture) -> tuple[int, int, int]:
        """The data's shape."""
        return self.input_shape

    def deployment(self, architecture: Architecture) -> Deployment:
        """As the study says."""
        return Deployment()

    # As a tree of decisions

    def choice(self, path: tuple[int, ...]) -> Choice | None:
        """See `search.space.base.Space`."""
        return walk.next_choice(self._decided, path)

    def follow(self, path: tuple[int, ...]) -> Architecture:
        """See `search.space.base.Space`."""
        return self.architecture(walk.follow(self._decided, path).made)

    def path(self, architecture: Architecture) -> tuple[int, ...]:
        """See `search.space.base.Space`."""
        blocks = self.blocks(architecture)

        def pick(choice: Choice) -> int:
            number = int(choice.part[1:])
            ended = number > len(blocks)
            return choice.options.index("end" if ended else getattr(blocks[number - 1], choice.kind))

        return walk.walk(self._decided, pick).path

    def _decided(self, choose: walk.Choose) -> tuple[Block, ...]:
        """Block by block: kind (or the end), kernel, filters, stride, expansion, skip, pool; only what is
        valid is offered."""
        options, made = self.options, list[Block]()
        (height, width, channels), pool = self.input_shape, "none"
        for number in range(1, options.max_depth + 1):
            may_end = number > max(options.min_depth, 1) and pool == "none"
            kinds: tuple[str, ...] = (*options.blocks, "end") if may_end else options.blocks
            kind = choose(f"b{number}.kind", kinds)
            if kind == "end":
                break
            kernel = choose(f"b{number}.kernel", options.kernels)
            filters = choose(f"b{number}.filters", options.filters)
            strides = [
                s for s in options.strides
                if s == 1 or self._may_shrink(height, width, -(-height // s), -(-width // s))
            ]  # fmt: skip
            stride = choose(f"b{number}.stride", strides)
            expansion = choose(f"b{number}.expansion", options.expansions) if kind == "ir" else 1
            may_skip = kind == "ir" and stride == 1 and filters == channels
            skip = choose(f"b{number}.skip", self._skips if may_skip else (False,))
            height, width, channels = -(-height // stride), -(-width // stride), filters
            pools: tuple[Pooling, ...] = ("none",)
            pooled = (height // POOL_SIZE, width // POOL_SIZE)
            if number < options.max_depth and self._may_shrink(height, width, *pooled):
                pools = self._pools
            pool = choose(f"b{number}.pool", pools)
            if pool != "none":
                height, width = pooled
            made.append(Block(kind, kernel, filters, stride, expansion, skip, pool))  # type: ignore[arg-type]  # offered
        return tuple(made)

    # Genes

    def _mended(self, blocks: Sequence[Block]) -> tuple[tuple[Block, ...], list[str]]:
        """Genes held to the rules of the module, and what had to be changed."""
        height, width, channels = self.input_shape
        made, changes = [], []
        for number, block in enumerate(blocks, start=1):
            stride, pool, skip = block.stride, block.pool, block.skip
            if stride > 1 and not self._may_shrink(height, width, -(-height // stride), -(-width // stride)):
                changes.append(
                    f"block {number}: a stride of {stride} is too much for a map of {height}x{width}"
                )
                stride = 1
            if skip and not (block.kind == "ir" and stride == 1 and block.filters == channels):
                changes.append(f"block {number}: a skip needs equal shapes at its ends")
                skip = False
            height, width, channels = -(-height // stride), -(-width // stride), block.filters
            if pool != "none":
                if number == len(blocks):
                    changes.append(f"block {number}: no pooling after the last block, the average follows")
                    pool = "none"
                elif not self._may_shrink(height, width, height // POOL_SIZE, width // POOL_SIZE):
                    changes.append(f"block {number}: a map of {height}x{width} is too small for pooling")
                    pool = "none"
                else:
                    height, width = height // POOL_SIZE, width // POOL_SIZE
            if (stride, pool, skip) != (block.stride, block.pool, block.skip):
                block = block._replace(stride=stride, pool=pool, skip=skip)
            made.append(block)
        return tuple(made), changes

    def _may_shrink(self, height: int, width: int, to_height: int, to_width: int) -> bool:
        return (
            to_height < height and to_width < width and min(to_height, to_width) >= self.options.smallest_side
        )

    def _check_genes(self, block: Block) -> None:
        kind, kernel, filters, stride, expansion, skip, pool = block
        choices = self._choices
        if (
            kind in choices["kind"]
            and kernel in choices["kernel"]
            and filters in choices["filters"]
            and stride in choices["stride"]
            and (kind != "ir" or expansion in choices["expansion"])
            and skip in choices["skip"]
            and pool in choices["pool"]
        ):
            return
        name = next(name for name in choices if getattr(block, name) not in choices[name])
        known = ", ".join(str(choice) for choice in sorted(choices[name]))
        raise BadArchitecture(f'"{block.text}": {name} {getattr(block, name)} is not in this space ({known})')

    def _random_block(self, rng: np.random.Generator) -> Block:
        options = self.options
        kind = _pick(options.blocks, rng)
        inverted = kind == "ir"
        return Block(
            kind=kind,
            kernel=_pick(options.kernels, rng),
            filters=_pick(options.filters, rng),
            stride=_pick(options.strides, rng),
            expansion=_pick(options.expansions, rng) if inverted else 1,
            skip=_pick(self._skips, rng) if inverted else False,
            pool=_pick(self._pools, rng),
        )

    def _changes(self, block: Block) -> list[list[Block]]:
        """Per gene, the blocks that differ in it alone (a block that becomes an inverted residual gets an
        expansion)."""
        options = self.options
        kinds = [
            block._replace(kind=kind, expansion=expansion, skip=False)
            for kind in options.blocks
            if kind != block.kind
            for expansion in (options.expansions if kind == "ir" else (1,))
        ]
        changes = [
            kinds,
            [block._replace(kernel=kernel) for kernel in options.kernels if kernel != block.kernel],
            [block._replace(filters=filters) for filters in options.filters if filters != block.filters],
            [block._replace(stride=stride) for stride in options.strides if stride != block.stride],
            [block._replace(pool=pool) for pool in self._pools if pool != block.pool],
        ]
        if block.kind == "ir":
            changes.append([block._replace(expansion=x) for x in options.expansions if x != block.expansion])
            changes.append([block._replace(skip=skip) for skip in self._skips if skip != block.skip])
        return [choices for choices in changes if choices]

    def _random_move(self, genes: tuple[Block, ...], rng: np.random.Generator) -> tuple[Block, ...]:
        """Half of the moves change a gene, a quarter adds a block, a quarter removes one, as far as they
        are possible."""
        move = int(rng.integers(4))
        if move == 0 and len(genes) < self.options.max_depth:
            at = int(rng.integers(len(genes) + 1))
            return (*genes[:at], self._random_block(rng), *genes[at:])
        at = int(rng.integers(len(genes)))
        if move == 1 and len(genes) > self.options.min_depth:
            return (*genes[:at], *genes[at + 1 :])
        changes = self._changes(genes[at])
        changed = _pick(_pick(changes, rng), rng) if changes else genes[at]
        return (*genes[:at], changed, *genes[at + 1 :])

    def _neighbours(self, genes: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
        """All removals and changes, and the additions of a plain block: enough to leave `genes` if
        anything does."""
        for at, block in enumerate(genes):
            if len(genes) > self.options.min_depth:
                yield (*genes[:at], *genes[at + 1 :])
            for choices in self._changes(block):
                for changed in choices:
                    yield (*genes[:at], changed, *genes[at + 1 :])
        if len(genes) < self.options.max_depth:
            kind = self.options.blocks[0]
            expansion = self.options.expansions[0] if kind == "ir" else 1
            yield (*genes, Block(kind, self.options.kernels[0], self.options.filters[0], expansion=expansion))

    def _block_distance(self, a: Block, b: Block) -> float:
        """Mean over the genes: 0 or 1 each, the filters' difference in octaves over the widest.  A metric,
        at most 1."""
        octaves = abs(log2(a.filters / b.filters)) / self._octaves
        different = sum(a[gene] != b[gene] for gene in (0, 1, 3, 4, 5, 6))
        return (different + octaves) / len(a)


def _pick(choices: Sequence[Item], rng: np.random.Generator) -> Item:
    return choices[int(rng.integers(len(choices)))]
