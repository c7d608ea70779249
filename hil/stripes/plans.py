"""Arena against work: which stages, cut into how many stripes, are worth having.

All of it is known before anything is built: the arena from the planner, on the graph as it would be cut, and
the work as the MACs of that graph.  More stripes, or a longer stage, mean less RAM and more MACs, up to a
point where the stage's source and output, or the operators behind it, make the peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from hil.codegen import Target, generate
from hil.codegen.prepare import prepared
from hil.errors import ArenaOverLimit
from hil.graph.types import Graph
from hil.macs import model_macs
from hil.patches import Patches
from hil.program import Program
from hil.stripes.arena import Arenas
from hil.stripes.cut import cut
from hil.stripes.stage import Stage, boundaries, stages

# As many as the firmware can count the cycles of one by one (HIL_PROFILE_MAX); each call takes flash, too.
_MOST_OPERATORS = 128


@dataclass(frozen=True, eq=False)
class StripePlan:
    """One way to execute a network.

    Attributes:
        graph: the network, cut.
        arena_bytes: the RAM of its activations, scratch included.
        macs: of one inference.
        patches: what is executed in stripes; None for the network in one piece.
    """

    graph: Graph = field(repr=False)
    arena_bytes: int
    macs: int
    patches: Patches | None = None

    def __str__(self) -> str:
        return "in one piece" if self.patches is None else str(self.patches)


def all_plans(graph: Graph, target: Target) -> list[StripePlan]:
    """The plans of which none needs both less RAM and fewer MACs.

    Returns:
        The plain plan first, then ever smaller arenas for ever more MACs.
    """
    return list(_front(graph, target))


def fit(graph: Graph, target: Target, arena_limit: int) -> StripePlan:
    """The plan of the fewest MACs whose arena fits; the plain one where that fits.

    Args:
        arena_limit: bytes.

    Raises:
        ArenaOverLimit: none does; the text names the smallest.
    """
    smallest: StripePlan | None = None
    for candidate in _front(graph, target):
        if candidate.arena_bytes <= arena_limit:
            return candidate
        smallest = candidate
    assert smallest is not None  # there is the plain one
    raise ArenaOverLimit(smallest.arena_bytes, arena_limit, plan=str(smallest))


def compile_plan(chosen: StripePlan, target: Target, arena_limit: int | None = None) -> Program:
    """The program of a plan; up to `arena_limit` bytes, room that is left goes to faster kernels."""
    return replace(generate(chosen.graph, target, arena_limit=arena_limit), patches=chosen.patches)


def _front(graph: Graph, target: Target) -> Iterator[StripePlan]:
    """The plain plan; then, in the order of rising MACs, each of a smaller arena than all before it."""
    graph = prepared(graph, target)
    arenas = Arenas(graph, target)
    plain = StripePlan(graph, arenas.bytes_of(graph), model_macs(graph))
    yield plain
    smallest = plain
    candidates = [
        (model_macs(cut_graph), stripes, stage, cut_graph)
        for stage in stages(graph)
        for stripes, cut_graph in _cuts(graph, stage)
    ]
    candidates.sort(key=lambda candidate: (candidate[0], candidate[1], candidate[2].last))
    for macs, equals in groupby(candidates, key=lambda candidate: candidate[0]):
        best = smallest
        for _, stripes, stage, cut_graph in equals:
            if arenas.at_least(cut_graph, stage) >= best.arena_bytes:
                continue
            arena_bytes = arenas.bytes_of(cut_graph)
            if arena_bytes < best.arena_bytes:
                best = StripePlan(cut_graph, arena_bytes, macs, _patches(plain, stage, stripes, macs))
        if best is not smallest:
            smallest = best
            yield best


def _patches(plain: StripePlan, stage: Stage, stripes: int, macs: int) -> Patches:
    return Patches(
        first=stage.first,
        last=stage.last,
        stripes=stripes,
        macs=macs,
        recomputed_macs=macs - plain.macs,
        plain_arena_bytes=plain.arena_bytes,
    )


def _cuts(graph: Graph, stage: Stage) -> Iterator[tuple[int, Graph]]:
    """The stage in 2, 3, ... stripes, as long as the highest stripe becomes lower."""
    height = graph.tensors[stage.output].shape[1]
    lowest = height
    for stripes in range(2, height + 1):
        if -(-height // stripes) == lowest:
            continue
        edges = boundaries(graph, stage, stripes)
        if edges is None:
            continue
        highest = max(end - first for first, end in pairwise(edges))
        if highest < lowest:
            lowest = highest
            cut_graph = cut(graph, stage, edges)
            if len(cut_graph.operators) > _MOST_OPERATORS:
                return
            yield stripes, cut_graph
