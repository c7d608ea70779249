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

from search.space.base import Architecture, Space, Value
from search.space.cost import output_shapes
from search.space.decisions import OCTAVES, DecisionSpace
from search.space.layers import Conv, Dense, Depthwise, sides
from search.strategies.models.gaussian import Array


@dataclass(frozen=True)
class Description:
    """One architecture.

    Attributes:
        cost: (3,).
        traits: (16,).
        genes: column -> value; a column that is not there is 0.
    """

    cost: tuple[float, ...]
    traits: tuple[float, ...]
    genes: Mapping[str, float]


class Describer:
    """Describes architectures, and remembers them.

    Args:
        space: what they belong to.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._known: dict[str, Description] = {}

    def __call__(self, architecture: Architecture) -> Description:
        """The description of `architecture`."""
        known = self._known.get(architecture.text)
        if known is None:
            cost, traits = _traits(self._space, architecture)
            known = Description(cost, traits, _columns(genes(self._space, architecture)))
            self._known[architecture.text] = known
        return known

    def table(self, architectures: Sequence[Architecture]) -> tuple[Array, Array, Array]:
        """Cost (n, 3), traits (n, 16) and genes (n, columns), not scaled yet.

        The columns of the genes are in alphabetical order: the same set gives the same table.
        """
        rows = [self(architecture) for architecture in architectures]
        columns = {name: at for at, name in enumerate(sorted({gene for row in rows for gene in row.genes}))}
        coded = np.zeros((len(rows), len(columns)))
        for at, row in enumerate(rows):
            for gene, value in row.genes.items():
                coded[at, columns[gene]] = value
        return np.array([row.cost for row in rows]), np.array([row.traits for row in rows]), coded


def scaled(rows: Array, like: Array | None = None) -> Array:
    """Columns brought to mean 0 and deviation 1 (of `like`, by default of the rows themselves)."""
    model = rows if like is None else like
    deviation = model.std(axis=0)
    return np.asarray((rows - model.mean(axis=0)) / np.where(deviation > 1e-9, deviation, 1.0))


def genes(space: Space, architecture: Architecture) -> dict[str, Value]:
    """Gene -> what it is in `architecture`."""
    if isinstance(space, DecisionSpace):
        return space.way(architecture).genes
    found: dict[str, Value] = {}
    path = space.path(architecture)
    for length, index in enumerate(path):
        choice = space.choice(path[:length])
        if choice is not None:
            found[choice.gene] = choice.options[index]
    return found


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
    elements, deep, last, patch, working = 0, 0, 1, 1, 1
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
    sums = (cost.macs, cost.parameters, cost.peak_activation_bytes, patch, working)
    traits = (
        *[log1p(value) for value in sums],
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
    trend = (*[log1p(value) for value in sums], *[float(value) for value in sums])
    return trend, traits
