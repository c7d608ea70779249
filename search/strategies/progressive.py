"""Progressive search: from small networks to large ones, a beam of Pareto-optimal ones at each step.

Small networks train fast and say which larger ones are worth the time.  The first `beam` trials are the
smallest networks of the space.  Each further step takes the front of the step before, lets its members grow
by mutation, has a surrogate predict how well the children will do, and tries the `beam` children that are
Pareto-optimal in predicted quality and analytic cost.  Where nothing grows any more, the whole front has
children of any size.

Source: Liu et al. 2018, "Progressive Neural Architecture Search", algorithm 1 (grow, predict, keep the best
K); Dong et al. 2018, "DPP-Net: Device-aware Progressive Search for Pareto-optimal Neural Architectures"
(keep the Pareto-optimal K, by predicted accuracy and device cost).  What differs: growth is a mutation after
which the network has more layers, so that it works in any space, also one whose blocks cannot be added one
by one; not all children of a parent are ranked but `children` drawn ones; the surrogate is a Gaussian process
(search/strategies/models/predictions.py) in place of a recurrent network; it learns anew after each trial and
not after each step; children that will probably break a constraint come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from search.metrics import find_metric
from search.objective import Objectives
from search.pareto import crowding_distance, non_dominated_sort
from search.space.base import Architecture, Space
from search.space.options import Bounds, Options, build
from search.strategies.models.candidates import Candidates
from search.strategies.models.describe import PARAMETERS, PEAK, WORK, Describer
from search.strategies.models.gaussian import Array
from search.strategies.models.improvement import leading, probability_below
from search.strategies.models.memory import Memory
from search.strategies.models.predictions import Models
from search.strategies.models.records import Record, limits, read
from search.trial import Proposal, Trial

# Which analytic figure stands for a metric before it is measured; work for all others.
_STANDS_FOR = {
    "ram_bytes": PEAK,
    "arena_bytes": PEAK,
    "flash_bytes": PARAMETERS,
    "weight_bytes": PARAMETERS,
    "parameters": PARAMETERS,
}
_DRAWS_PER_CHILD = 6
_PROBABLY = 0.5
_LEAST_DATA = 3


@dataclass(frozen=True)
class ProgressiveOptions(Options):
    """What may stand in the study file.

    Attributes:
        beam: how many trials a step has (K of both papers).
        children: how many grown children are drawn and ranked for each proposal.
        candidates: of how many samples the smallest ones make the first step.
        data: from how many trials the surrogate learns at most.
    """

    beam: Annotated[int, Bounds(at_least=1)] = 10
    children: Annotated[int, Bounds(at_least=1)] = 64
    candidates: Annotated[int, Bounds(at_least=1)] = 256
    data: Annotated[int, Bounds(at_least=3)] = 300


class Progressive:
    """See the module.

    Args:
        space: what to grow networks in.
        objectives: what is Pareto-optimal.
        seed: of all choices.
        options: as `ProgressiveOptions`.
    """

    def __init__(self, space: Space, objectives: Objectives, seed: int, **options: Any) -> None:
        self.asked = 0
        self._space, self._objectives, self._seed = space, objectives, seed
        self._options = build(ProgressiveOptions, options)
        self._memory = Memory(objectives)
        self._candidates = Candidates(space, seed, self._options.candidates)
        self._prepared: tuple[Describer, Models, list[Architecture]] | None = None
        self._sizes: dict[str, int] = {}

    def ask(self, n: int) -> list[Proposal]:
        asked = [Proposal(self._memory.proposal(k, self._propose)) for k in range(self.asked, self.asked + n)]
        self.asked += n
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        self._memory.add(trials)

    def _propose(self, number: int, pending: Sequence[Architecture]) -> Architecture:
        rng = np.random.default_rng((self._seed, number))
        parents = self._parents(number)
        if not parents:
            return self._small(number, pending, rng)
        pool = self._children(parents, pending, rng, growing=True)
        if not pool:
            front = [trial.architecture for trial in leading(self._memory.history.trials, self._objectives)]
            pool = self._children(front or parents, pending, rng, growing=False)
        if not pool:
            return self._memory.unseen(self._space, pending, rng)
        return pool[self._best(pool)]

    def _parents(self, number: int) -> list[Architecture]:
        """What grows in the step of `number`: the front of the youngest earlier step of which anything
        feasible is known."""
        trials = self._memory.history.trials
        for step in range(number // self._options.beam - 1, -1, -1):
            start, end = step * self._options.beam, (step + 1) * self._options.beam
            front = leading([trial for trial in trials if start <= trial.number < end], self._objectives)
            if front:
                return [trial.architecture for trial in front]
        return []

    def _small(self, number: int, pending: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
        """The next of the candidates by size."""
        for candidate in self._ready()[2][number:]:
            if self._memory.is_new(candidate, pending):
                return candidate
        return self._memory.unseen(self._space, pending, rng)

    def _children(
        self,
        parents: Sequence[Architecture],
        pending: Sequence[Architecture],
        rng: np.random.Generator,
        *,
        growing: bool,
    ) -> list[Architecture]:
        """New mutants of the parents; `growing`: only those with more layers than their parent."""
        found: dict[str, Architecture] = {}
        for _ in range(_DRAWS_PER_CHILD * self._options.children):
            parent = parents[int(rng.integers(len(parents)))]
            child = self._space.mutate(parent, rng)
            if growing and self._size(child) <= self._size(parent):
                continue
            if self._memory.is_new(child, pending):
                found.setdefault(child.text, child)
            if len(found) == self._options.children:
                break
        return list(found.values())

    def _best(self, pool: Sequence[Architecture]) -> int:
        """Index of the child of the first front that lies loneliest, of those likely to be feasible."""
        describe, models, _ = self._ready()
        trials = self._memory.informative(self._options.data)
        records = read(trials, self._objectives)
        predicted = models.predict(trials, records, pool)
        cost = describe(pool).cost
        columns = [self._column(metric, records, predicted, cost) for metric in self._objectives.metrics]
        points = np.stack(columns, axis=1)
        likely = np.ones(len(pool))
        for metric, limit in limits(self._objectives, records).items():
            likely *= probability_below(limit, *predicted[metric])
        if likely.max() < _PROBABLY:
            return int(np.argmax(likely))
        able = np.flatnonzero(likely >= _PROBABLY)
        first = able[non_dominated_sort(points[able], fronts=1) == 0]
        return int(first[np.argmax(crowding_distance(points[first]))])

    def _column(
        self,
        metric: str,
        records: dict[str, Record],
        predicted: dict[str, tuple[Array, Array]],
        cost: Array,
    ) -> Array:
        """Losses of the children in one objective: quality predicted, cost analytic."""
        if find_metric(metric).task is None:
            return cost[:, _STANDS_FOR.get(metric, WORK)]
        if metric not in records or len(records[metric].trials) < _LEAST_DATA:
            return -cost[:, PARAMETERS]  # before anything is learnt: capacity
        return predicted[metric][0]

    def _size(self, architecture: Architecture) -> int:
        if architecture.text not in self._sizes:
            self._sizes[architecture.text] = len(self._space.layers(architecture))
        return self._sizes[architecture.text]

    def _ready(self) -> tuple[Describer, Models, list[Architecture]]:
        """Describer, models, and the candidates by size; made when first needed."""
        if self._prepared is None:
            standing = self._candidates.standing
            describe = Describer(self._space, standing)
            shuffled = np.random.default_rng((self._seed, 0, 2)).permutation(len(standing))
            by_size = sorted([standing[at] for at in shuffled], key=self._size)
            self._prepared = describe, Models(describe), by_size
        return self._prepared
