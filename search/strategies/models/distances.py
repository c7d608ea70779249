"""Distances between architectures, each computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.space.base import Architecture, Space
from search.strategies.models.gaussian import Array

_KEPT = 1_000_000


class Distances:
    """Matrices of `Space.distance`.

    Args:
        space: whose distance it is.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._known: dict[tuple[str, str], float] = {}

    def __call__(self, rows: Sequence[Architecture], columns: Sequence[Architecture]) -> Array:
        """(rows, columns)."""
        if len(self._known) > _KEPT:
            self._known.clear()
        found = np.empty((len(rows), len(columns)))
        for i, one in enumerate(rows):
            for j, other in enumerate(columns):
                found[i, j] = self._between(one, other)
        return found

    def _between(self, one: Architecture, other: Architecture) -> float:
        if one.text == other.text:
            return 0.0
        key = (one.text, other.text) if one.text < other.text else (other.text, one.text)
        if key not in self._known:
            self._known[key] = self._space.distance(one, other)
        return self._known[key]
