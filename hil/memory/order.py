"""The order of a graph's operators in which it needs the least arena.

Where a graph branches, its operators may run in several orders, and it matters which branch keeps what
waiting.  What is needed while an operator runs depends only on which operators have run before it, not on
their order.  So the best order is found over sets of operators, step by step: of all ways to have run the
same set only the best is kept.  Graphs of few branches have few such sets, chains one per step; where there
are more than `_WIDTH` after a step, only the best of them are followed.

The measure is the sum of what is live; the plan has the last word: an order is taken only if its arena is
smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from hil.graph.types import Graph, Operator
from hil.memory.plan import plan
from hil.memory.types import ALIGNMENT, Needs
from hil.memory.views import VIEWS, views_of

_WIDTH = 128


def with_least_peak(graph: Graph, needs: Sequence[Needs]) -> Graph:
    """The graph with its operators in the order of the smallest arena; the graph itself if it has that.

    Args:
        needs: one per operator.

    Raises:
        ValueError: as `hil.memory.plan`.
    """
    order = best_order(graph, needs)
    if order == list(range(len(graph.operators))):
        return graph
    changed = reordered(graph, order)
    before = plan(graph, needs).arena_bytes
    after = plan(changed, [needs[index] for index in order]).arena_bytes
    return changed if after < before else graph


def reordered(graph: Graph, order: Sequence[int]) -> Graph:
    """The graph with operator `order[k]` at position k."""
    operators = tuple(replace(graph.operators[old], index=new) for new, old in enumerate(order))
    return replace(graph, operators=operators)


def best_order(graph: Graph, needs: Sequence[Needs]) -> list[int]:
    """Operators in the order of the least sum of live bytes; the given order if none is better."""
    works = _works(graph, needs)
    paths = {0: _Path(0, 0, _rounded(graph.input_tensor.size_bytes), ())}
    for _ in works:
        reached: dict[int, _Path] = {}
        for done, path in paths.items():
            for index, work in enumerate(works):
                if not done >> index & 1 and not work.after & ~done:
                    now = done | 1 << index
                    following = path.then(index, work, now)
                    if now not in reached or following < reached[now]:
                        reached[now] = following
        paths = dict(sorted(reached.items(), key=lambda item: (item[1], item[0]))[:_WIDTH])
    (best,) = paths.values()
    given = _Path(0, 0, _rounded(graph.input_tensor.size_bytes), ())
    done = 0
    for index, work in enumerate(works):
        done |= 1 << index
        given = given.then(index, work, done)
    path = best if best.peak < given.peak else given
    return _with_views(graph, [works[index].operator for index in path.order])


@dataclass(frozen=True, order=True)
class _Path:
    """Operators that have run: the most bytes that were live, the sum over time, and what is live now."""

    peak: int
    area: int
    live: int
    order: tuple[int, ...]

    def then(self, index: int, work: _Work, done: int) -> _Path:
        """Run one more; `done` includes it."""
        ending = [size for size, readers in work.reads if not readers & ~done]
        hosts = (min(size, most) for size, readers, most in work.hosts if not readers & ~done)
        shared = max(hosts, default=0)
        during = self.live + work.output + work.scratch - shared
        after = self.live + (work.output if work.is_read else 0) - sum(ending)
        return _Path(max(self.peak, during), self.area + during, after, (*self.order, index))


@dataclass(frozen=True)
class _Work:
    """An operator that runs; sets of operators are bits of an integer, `1 << position`.

    Attributes:
        operator: its index in the graph.
        after: the operators that have to run before it.
        output, scratch: bytes.
        is_read: whether anybody reads the output.
        reads: per owner whose bytes it reads, the size and all its readers.
        hosts: those that its output may lie over: size, readers, and how many bytes at most.
    """

    operator: int
    after: int
    output: int
    scratch: int
    is_read: bool
    reads: tuple[tuple[int, int], ...]
    hosts: tuple[tuple[int, int, int], ...]


def _works(graph: Graph, needs: Sequence[Needs]) -> list[_Work]:
    views = views_of(graph, ALIGNMENT)
    running = [operator for operator in graph.operators if not isinstance(operator.options, VIEWS)]
    needed: dict[int, int] = {}  # tensor -> the operators that have to run before it is there
    for operator in graph.operators:
        for tensor in operator.inputs:
            needed[operator.output] = needed.get(operator.output, 0) | needed.get(tensor, 0)
        if not isinstance(operator.options, VIEWS):
            needed[operator.output] = 1 << running.index(operator)
    readers: dict[int, int] = {}

    def owners(tensor: int) -> set[int]:
        return set() if graph.tensors[tensor].is_constant else {span.owner for span in views.spans[tensor]}

    def read_by(operator: Operator) -> list[int]:
        return sorted(set().union(*(owners(tensor) for tensor in operator.inputs)))

    for position, operator in enumerate(running):
        for owner in read_by(operator):
            readers[owner] = readers.get(owner, 0) | 1 << position
    for owner in owners(graph.output):
        readers[owner] = readers.get(owner, 0) | 1 << len(running)  # who never runs

    def size(tensor: int) -> int:
        return _rounded(graph.tensors[tensor].size_bytes)

    works = []
    for operator in running:
        need = needs[operator.index]
        hosts: tuple[tuple[int, int, int], ...] = ()
        if need.overlap is not None:
            most = size(operator.output) - max(need.overlap.lead_bytes or 0, 0)
            hosts = tuple(
                (size(owner), readers[owner], most) for owner in owners(operator.inputs[need.overlap.input])
            )
        works.append(
            _Work(
                operator=operator.index,
                after=reduce(or_, (needed.get(tensor, 0) for tensor in operator.inputs)),
                output=size(operator.output),
                scratch=_rounded(need.scratch_bytes),
                is_read=operator.output in readers,
                reads=tuple((size(owner), readers[owner]) for owner in read_by(operator)),
                hosts=hosts,
            )
        )
    return works


def _with_views(graph: Graph, order: Sequence[int]) -> list[int]:
    """The order with each view put in as soon as its inputs are there."""
    if list(order) == sorted(order):
        return list(range(len(graph.operators)))
    waiting = [operator for operator in graph.operators if isinstance(operator.options, VIEWS)]
    ready = {graph.input} | {tensor.index for tensor in graph.tensors if tensor.is_constant}
    result: list[int] = []

    def show() -> None:
        for view in list(waiting):
            if ready.issuperset(view.inputs):
                waiting.remove(view)
                ready.add(view.output)
                result.append(view.index)

    show()
    for index in order:
        result.append(index)
        ready.add(graph.operators[index].output)
        show()
    return result


def _rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
