"""A Space's tree of decisions as KerasTuner's conditional hyper-parameters, and back.

Each gene becomes one `Choice` of all the options that it has anywhere in the tree.  On which earlier genes it
depends is learnt from samples of the space: where a gene was never met together with some values of another
that always stands before it, and that can hardly be chance, it is active for the other values alone.  So
"the third block is there if the depth is at least 3" becomes a condition; what depends on several genes at
once in ways that no single one shows is always active, which costs an oracle values that are not used.

On the way back a value that is not offered in this place, and a gene that no sample has shown, is drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from search.keras_tuner.library import kt
from search.space.base import Architecture, Choice, Space, Value
from search.space.decisions import shown

SAMPLES = 128
CHANCE = 0.001  # that a condition is learnt where there is none, for each pair of a gene and a value

Draw: TypeAlias = Callable[[Choice], int]


@dataclass(frozen=True)
class Decision:
    """One gene.

    Attributes:
        name: of the hyper-parameter, that of the gene.
        values: all that it may be, as KerasTuner has them: of one type.
        conditions: (name of an earlier one, the values for which this one is active).
    """

    name: str
    values: tuple[Value, ...]
    conditions: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def parameter(self) -> Any:
        """As a `keras_tuner` Choice."""
        conditions = [
            {"class_name": "Parent", "config": {"name": name, "values": list(values)}}
            for name, values in self.conditions
        ]
        config = {"name": self.name, "values": list(self.values), "conditions": conditions, "default": None}
        return kt.engine.hyperparameters.Choice.from_config(config)


class Tree:
    """The decisions of a space, each behind those that it depends on.

    Args:
        space: what to search in.
        samples: how many architectures are looked at.
        seed: of the samples.
    """

    def __init__(self, space: Space, *, samples: int = SAMPLES, seed: int = 0) -> None:
        self._space = space
        rng = np.random.default_rng((seed, 0))
        seen = dict.fromkeys([space.sample(rng) for _ in range(samples)])
        walks = [_walk(space, architecture) for architecture in seen]
        self._options = _united([choice for walk in walks for choice, _ in walk])
        self.decisions = _learnt([dict(self._named(walk)) for walk in walks], self._options)

    def values(self, architecture: Architecture) -> dict[str, Value]:
        """The values of the hyper-parameters on the way to an architecture, as far as they are known."""
        return dict(self._named(_walk(self._space, architecture)))

    def follow(self, values: Mapping[str, Any], draw: Draw) -> Architecture:
        """The architecture that values of hyper-parameters make.

        Args:
            draw: decides what none of them says.
        """
        path: tuple[int, ...] = ()
        while (choice := self._space.choice(path)) is not None:
            value = values.get(choice.gene)
            offered = [_value(option, self._options.get(choice.gene, ())) for option in choice.options]
            path = (*path, offered.index(value) if value in offered else draw(choice))
        return self._space.follow(path)

    def hyperparameters(self) -> Any:
        """All decisions as `keras_tuner.HyperParameters`, at their defaults."""
        hp = kt.HyperParameters()
        hp.merge([decision.parameter() for decision in self.decisions])
        return hp

    def _named(self, walk: Sequence[tuple[Choice, Value]]) -> list[tuple[str, Value]]:
        return [
            (choice.gene, _value(option, self._options[choice.gene]))
            for choice, option in walk
            if choice.gene in self._options
            and _value(option, self._options[choice.gene]) in self._options[choice.gene]
        ]


def _walk(space: Space, architecture: Architecture) -> list[tuple[Choice, Value]]:
    """What was to be decided on the way to an architecture, and how it was."""
    path = space.path(architecture)
    walk = []
    for position, index in enumerate(path):
        choice = space.choice(path[:position])
        if choice is not None:  # it is, within a path
            walk.append((choice, choice.options[index]))
    return walk


def _united(choices: Sequence[Choice]) -> dict[str, tuple[Value, ...]]:
    """Gene -> all its options anywhere, of one type: numbers in order, all else in the order of meeting it.

    A `keras_tuner` Choice takes one type alone, and makes numbers of truths.
    """
    met: dict[str, dict[tuple[type, Value], Value]] = defaultdict(dict)
    for choice in choices:
        met[choice.gene].update({(type(option), option): option for option in choice.options})
    united = {}
    for gene, found in met.items():
        options = tuple(found.values())
        kinds = {type(option) for option in options}
        if kinds <= {int} or kinds <= {float}:
            united[gene] = tuple(sorted(options))
        elif kinds <= {str}:
            united[gene] = options
        else:
            united[gene] = tuple(dict.fromkeys([shown(option) for option in options]))
    return united


def _value(option: Value, values: tuple[Value, ...]) -> Value:
    """An option as the value of its hyper-parameter."""
    texts = bool(values) and isinstance(values[0], str)
    return shown(option) if texts and not isinstance(option, str) else option


def _learnt(walks: Sequence[Mapping[str, Value]], options: Mapping[str, Any]) -> tuple[Decision, ...]:
    """The decisions of these walks, with their conditions."""
    met: dict[str, list[Mapping[str, Value]]] = defaultdict(list)
    places: dict[str, int] = {}
    for walk in walks:
        for place, name in enumerate(walk):
            met[name].append(walk)
            places[name] = min(place, places.get(name, place))
    # A gene that always stands before another has a smaller first place.
    ordered = sorted(places, key=lambda name: (places[name], name))
    decisions = []
    for name in ordered:
        before = set.intersection(*[_before(walk, name) for walk in met[name]])
        conditions = []
        for parent in [candidate for candidate in ordered if candidate in before]:
            active = _active(name, parent, met[parent], options[parent])
            if active:
                conditions.append((parent, active))
        decisions.append(Decision(name, options[name], tuple(conditions)))
    return tuple(decisions)


def _before(walk: Mapping[str, Value], name: str) -> set[str]:
    names = list(walk)
    return set(names[: names.index(name)])


def _active(
    name: str, parent: str, walks: Sequence[Mapping[str, Value]], values: tuple[Value, ...]
) -> tuple[Value, ...]:
    """The values of `parent` for which `name` is there; none where they tell nothing.

    Args:
        walks: those that have `parent`.
    """
    share = sum(name in walk for walk in walks) / len(walks)
    excluded = set()
    for value in values:
        there = [name in walk for walk in walks if walk[parent] == value]
        if there and not any(there) and (1 - share) ** len(there) < CHANCE:
            excluded.add(value)
    return tuple([value for value in values if value not in excluded]) if excluded else ()
