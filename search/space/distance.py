"""Weighted edit distance between two sequences: a metric whenever the cost of replacing an item is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def edit_distance(a: Sequence[Item], b: Sequence[Item], replace: Callable[[Item, Item], float]) -> float:
    """Least total cost of turning `a` into `b` by adding (1), removing (1) and replacing (`replace`) items.

    Where `replace` is a metric with values of at most 2, so is the result: identity, symmetry and the
    triangle inequality carry over from the items, together with the empty item at distance 1 from all
    others, to sequences.

    Source: Wagner and Fischer 1974, "The String-to-String Correction Problem".
    """
    above = [float(column) for column in range(len(b) + 1)]
    for row, item in enumerate(a, start=1):
        current = [float(row)]
        for column, other in enumerate(b, start=1):
            current.append(
                min(above[column] + 1, current[-1] + 1, above[column - 1] + replace(item, other)),
            )
        above = current
    return above[-1]
