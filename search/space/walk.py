"""Walking a tree of decisions: a function that decides as it goes is run with one answer or another.

`decode(choose)` is any pure function that asks `choose(gene, options)` for each gene and makes something of
the answers.  The tree itself is never built: each walk runs `decode` once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np

from search.errors import BadArchitecture
from search.space.base import Choice, Value

Option = TypeVar("Option", bound=Value)
Made = TypeVar("Made")


class Choose(Protocol):
    """Decides a gene: returns one of `options`, of which there is at least one."""

    def __call__(self, gene: str, options: Sequence[Option]) -> Option:
        """See `Choice` for how genes are called."""


Decode: TypeAlias = Callable[[Choose], Made]
Pick: TypeAlias = Callable[[Choice], int]
"""The index of the option to take."""


@dataclass(frozen=True)
class Way(Generic[Made]):
    """One walk.

    Attributes:
        choices: what was to be decided; a gene with one option is no decision.
        path: the index of the option that was taken at each.
        made: what `decode` made of it.
    """

    choices: tuple[Choice, ...]
    path: tuple[int, ...]
    made: Made

    @property
    def genes(self) -> dict[str, Value]:
        """Gene -> what it became, in the order of deciding."""
        return {c.gene: c.options[index] for c, index in zip(self.choices, self.path, strict=True)}


def walk(decode: Decode[Made], pick: Pick) -> Way[Made]:
    """Run `decode` with the answers of `pick`."""
    choices: list[Choice] = []
    path: list[int] = []

    def choose(gene: str, options: Sequence[Option]) -> Option:
        if len(options) == 1:
            return options[0]
        choice = Choice(gene, tuple(options))
        index = pick(choice)
        choices.append(choice)
        path.append(index)
        return options[index]

    made = decode(choose)
    return Way(tuple(choices), tuple(path), made)


def follow(decode: Decode[Made], path: tuple[int, ...]) -> Way[Made]:
    """Run `decode` along `path`.

    Raises:
        BadArchitecture: no path of this tree, or one that does not end yet.
    """
    steps = iter(path)
    way = walk(decode, lambda choice: checked(next(steps, -1), choice))
    if next(steps, None) is not None:
        raise BadArchitecture(f"the path {path} goes on behind its end")
    return way


def next_choice(decode: Decode[Made], path: tuple[int, ...]) -> Choice | None:
    """What is decided after `path`; None where nothing is left.

    Raises:
        BadArchitecture: no path of this tree.
    """
    steps = iter(path)

    def pick(choice: Choice) -> int:
        index = next(steps, None)
        if index is None:
            raise _Open(choice)
        return checked(index, choice)

    try:
        walk(decode, pick)
    except _Open as end:
        return end.choice
    if next(steps, None) is not None:
        raise BadArchitecture(f"the path {path} goes on behind its end")
    return None


def drawn(rng: np.random.Generator) -> Pick:
    """Every option is as likely."""
    return lambda choice: int(rng.integers(len(choice.options)))


def inherited(choice: Choice, parents: Iterable[Mapping[str, Value]], rng: np.random.Generator) -> int:
    """The option of the first parent that has one that is offered, else a drawn one."""
    for genes in parents:
        if choice.gene in genes and genes[choice.gene] in choice.options:
            return choice.options.index(genes[choice.gene])
    return int(rng.integers(len(choice.options)))


def checked(index: int, choice: Choice) -> int:
    """`index`, known to be an option.

    Raises:
        BadArchitecture: it is none.
    """
    if not 0 <= index < len(choice.options):
        raise BadArchitecture(
            f"{choice.gene} has {len(choice.options)} options, the path takes number {index} there"
        )
    return index


class _Open(Exception):
    """Breaks a walk off where its path ends."""

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice
