"""Architectures as numbers, in any space: from the cost, from the layers and from the genes.

| part   | what                                                          | what it predicts              |
|--------|---------------------------------------------------------------|-------------------------------|
| cost   | logarithms of MACs, parameters and peak activation            | latency, RAM, flash, energy   |
| traits | those, MACs by kind of layer, depth, widths, sizes of the maps | all of them, more finely      |
| genes  | every gene, so that the L1 distance is about `space.distance`  | accuracy: what looks alike     |

Cost and traits come from the layer list and need nothing from the space; so a space that is new is described
already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, log1p, log2, prod

import numpy as np

from search.space.base import Architecture, Choice, Space, Value
from search.space.cost import output_shapes
from search.space.decisions import OCTAVES, DecisionSpace
from search.space.layers import Conv, Dense, Depthwise, sides
from search.strategies.models.gaussian import Array

_KEPT = 100_000  # beginnings of paths

# Columns of the cost.
MACS, PARAMETERS, WORK, PEAK, PATCH, WORKING_SET = range(6)

# An element written costs about as much as so many multiply-accumulates (requantization, loops), and so does
# one gathered: the order of magnitude on Cortex-M.  How much exactly, the models find out.
_WRITE, _GATHER = 16, 2


@dataclass(frozen=True)
class Description:
    """One architecture.

    Attributes:
        cost: (9,).
        traits: (19,).
        genes: column -> value; a column that is not there is 0.
    """

    cost: tuple[float, ...]
    traits: tuple[float, ...]
    genes: Mapping[str, float]


@dataclass(frozen=True)
class Rows:
    """Some architectures as numbers, scaled.

    Attributes:
        cost: (n, 9), each column of mean 0 and deviation 1.
        traits: (n, 19), likewise, divided by the root of their number.
        genes: (n, columns).
    """

    cost: Array
    traits: Array
    genes: Array

    def between(self, others: Rows) -> tuple[Array, Array, Array]:
        """(n, m): inner products by cost, distances by traits and by genes."""
        from scipy.spatial.distance import cdist

        apart = np.zeros((len(self.genes), len(others.genes)))
        if self.genes.shape[1]:
            apart = cdist(self.genes, others.genes, "cityblock")
        return self.cost @ others.cost.T, cdist(self.traits, others.traits), apart


class Describer:
    """Describes architectures, and remembers them.

    Args:
        space: what they belong to.
        like: some of them, which say how columns are scaled and which genes there are.  Others' genes that
            none of these has are left out.
    """

    def __init__(self, space: Space, like: Sequence[Architecture]) -> None:
        self._space = space
        self._raw: dict[str, Description] = {}
        self._choices: dict[tuple[int, ...], Choice | None] = {}
        self._known: dict[str, tuple[Array, Array, Array]] = {}
        rows = [self._described(architecture) for architecture in like]
        self._columns = sorted({gene for row in rows for gene in row.genes})
        self._cost = _scale([row.cost for row in rows])
        self._traits = _scale([row.traits for row in rows])

    def __call__(self, architectures: Sequence[Architecture]) -> Rows:
        """Their rows."""
        rows = [self._row(architecture) for architecture in architectures]
        return Rows(*[np.array([row[part] for row in rows]) for part in range(3)])

    def _row(self, architecture: Architecture) -> tuple[Array, Array, Array]:
        row = self._known.get(architecture.text)
        if row is None:
            raw = self._described(architecture)
            cost, traits = np.array(raw.cost), np.array(raw.traits)
            row = (
                (cost - self._cost[0]) / self._cost[1],
                (traits - self._traits[0]) / self._traits[1] / np.sqrt(len(traits)),
                np.array([raw.genes.get(column, 0.0) for column in self._columns]),
            )
            self._known[architecture.text] = row
            del self._raw[architecture.text]
        return row

    def _described(self, architecture: Architecture) -> Description:
        known = self._raw.get(architecture.text)
        if known is None:
            cost, traits = _traits(self._space, architecture)
            known = Description(cost, traits, _columns(self._genes(architecture)))
            self._raw[architecture.text] = known
        return known

    def _genes(self, architecture: Architecture) -> Mapping[str, Value]:
        """Gene -> what it is in `architecture`.  Neighbours share the beginning of their path, so what is
        decided there is remembered."""
        if isinstance(self._space, DecisionSpace):
            return self._space.way(architecture).genes
        if len(self._choices) > _KEPT:
            self._choices.clear()
        found: dict[str, Value] = {}
        path = self._space.path(architecture)
        for length, index in enumerate(path):
            start = path[:length]
            if start not in self._choices:
                self._choices[start] = self._space.choice(start)
            choice = self._choices[start]
            if choice is not None:
                found[choice.gene] = choice.options[index]
        return found


def _scale(rows: Sequence[tuple[float, ...]]) -> tuple[Array, Array]:
    """Mean and deviation of each column; 1 where all are equal."""
    table = np.array(rows)
    deviation = table.std(axis=0)
    return table.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0)


def _columns(values: Mapping[str, Value]) -> dict[str, float]:
    """A gene that is there counts 1/2, as does a word; numbers their octaves: two words are 1 apart, as is a
    gene from none."""
    columns: dict[str, float] = {}
    for gene, value in values.items():
        if isinstance(value, str | bool) or value <= 0:
            columns[f"{gene}={value}"] = 0.5
            columns[gene] = 0.5
        else:
            columns[gene] = 1.0
            columns[f"{gene}~"] = log2(value) / OCTAVES
    return columns


def _traits(space: Space, architecture: Architecture) -> tuple[tuple[float, ...], tuple[float, ...]]:
    layers, cost = space.layers(architecture), space.cost(architecture)
    shapes = output_shapes(layers, space.takes(architecture))
    macs = {"spatial": 0, "pointwise": 0, "depthwise": 0, "dense": 0}
    widths: list[int] = []
    areas: list[int] = []
    elements, gathered, deep, last, patch, working = 0, 0, 0, 1, 1, 1
    for layer in layers:
        taken, given = shapes[layer.inputs[0]], shapes[layer.name]
        elements += prod(given)
        working = max(working, prod(taken) + prod(given))
        if isinstance(layer, Conv):
            area = prod(sides(layer.kernel))
            macs["pointwise" if area == 1 else "spatial"] += prod(given) * area * taken[2]
            widths.append(layer.filters)
            if area > 1:
                # What a convolution gathers of its input for each position, before it multiplies.
                gathered += given[0] * given[1] * area * taken[2]
                patch = max(patch, area * taken[2])
        elif isinstance(layer, Depthwise):
            macs["depthwise"] += prod(given) * prod(sides(layer.kernel))
        elif isinstance(layer, Dense):
            macs["dense"] += taken[0] * layer.units
            last = taken[0]
        else:
            continue
        deep += 1
        if len(given) == 3:
            areas.append(given[0] * given[1])
    widths, areas = widths or [1], areas or [1]
    work = cost.macs + _GATHER * gathered + _WRITE * elements
    memory = (cost.peak_activation_bytes, patch, working)
    sums = [log1p(value) for value in (cost.macs, cost.parameters, work, *memory)]
    traits = (
        *sums,
        *[log1p(macs[kind]) for kind in macs],
        log1p(elements),
        float(deep),
        log(last),
        log(widths[0]),
        log(min(widths)),
        float(np.mean(np.log(widths))),
        log(areas[0]),
        log(areas[-1]),
        float(np.mean(np.log(areas))),
    )
    # Work multiplies, memory adds up: one is linear as a logarithm, the other as it is.
    return (*sums, *[float(value) for value in memory]), traits
