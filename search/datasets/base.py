"""What a data set is to a search: three honest splits in memory, and a digest to find results again.

The training split fits the weights, the validation split gives the accuracy that the search sees, and the
test split is opened once, at the end, for the networks of the front.

For a regression the network learns standardised targets: each output less its mean, divided by its standard
deviation, both of the training split.  The inverse stays outside the network.  An int8 output tensor has one
scale for all of its numbers, so that outputs in units of their own (0.001 m beside 1000 Pa) would leave the
small one with a step or two; standardised they share the steps evenly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.datasets.resize import smaller
from search.errors import BadData
from search.metrics import Task

Images = NDArray[np.float32]
Labels = NDArray[np.int32]
Numbers = NDArray[np.float32]
Truth: TypeAlias = NDArray[Any]  # Labels of a classification, Numbers of a regression


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with what is to be said of them, split three ways.

    Attributes:
        name: as the user named it, e.g. "digits".
        x_train, x_val, x_test: (count, height, width, channels), float32, already scaled as the network
            takes them; time series (count, steps, 1, channels).
        y_train, y_val, y_test: of a classification (count,), int32, 0 <= label < classes; of a regression
            (count, outputs), float32, in the user's own units.
        classes: how many there are; of a regression, how many outputs.
        task: which of the two it is.
    """

    name: str
    x_train: Images
    y_train: Truth
    x_val: Images
    y_val: Truth
    x_test: Images
    y_test: Truth
    classes: int
    task: Task = "classification"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of one image."""
        height, width, channels = self.x_train.shape[1:]
        return int(height), int(width), int(channels)

    @cached_property
    def target_mean(self) -> Numbers:
        """(outputs,): mean of each output of a regression over the training split."""
        return np.asarray(self.y_train.mean(axis=0, dtype=np.float64), np.float32)

    @cached_property
    def target_scale(self) -> Numbers:
        """(outputs,): standard deviation of each output of a regression over the training split."""
        return np.asarray(self.y_train.std(axis=0, dtype=np.float64), np.float32)

    def standardised(self, y: Truth) -> Numbers:
        """(count, outputs) in the data's units -> as the network learns them."""
        return np.asarray((y - self.target_mean) / self.target_scale, np.float32)

    def in_units(self, outputs: Numbers) -> Numbers:
        """(count, outputs) as the network gives them -> in the data's units; a classification has none."""
        if self.task == "classification":
            return outputs
        return np.asarray(outputs * self.target_scale + self.target_mean, np.float32)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over all six arrays with their shapes; the name does not count."""
        sha = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_val, self.y_val, self.x_test, self.y_test):
            sha.update(f"{array.dtype}{array.shape};".encode())
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()

    def resized(self, shape: tuple[int, int, int]) -> Dataset:
        """The same data in smaller pictures, for a network that takes those; made once for each shape.

        Args:
            shape: (height, width, channels); the channels are those of the data.

        Raises:
            BadData: larger pictures, or other channels.
        """
        if shape == self.input_shape:
            return self
        if shape[2] != self.input_shape[2]:
            raise BadData(f"got pictures of {self.input_shape[2]} channels, the network takes {shape[2]}")
        if shape not in self._sizes:
            train, val, test = (smaller(x, *shape[:2]) for x in (self.x_train, self.x_val, self.x_test))
            self._sizes[shape] = replace(self, x_train=train, x_val=val, x_test=test)
        return self._sizes[shape]

    @cached_property
    def _sizes(self) -> dict[tuple[int, int, int], Dataset]:
        return {}

    def __str__(self) -> str:
        shape = "x".join(map(str, self.input_shape))
        return (
            f"{self.name}: {shape}, {self.classes} {_kinds(self)}, "
            f"{len(self.y_train)} train / {len(self.y_val)} validation / {len(self.y_test)} test"
        )


def _kinds(data: Dataset) -> str:
    if data.task == "classification":
        return "classes"
    return "output" if data.classes == 1 else "outputs"


def random_split(count: int, fractions: tuple[float, ...], *, seed: int) -> tuple[NDArray[np.intp], ...]:
    """Cut the indices 0 to count - 1 into random parts, for a regression, which has no classes to balance.

    Args:
        fractions: share of each part; they sum to 1.
        seed: the same seed gives the same split, on every machine.

    Returns:
        One sorted array of indices per fraction; together they hold each index once, and each at least one.

    Raises:
        BadData: fewer samples than parts.
    """
    if count < len(fractions):
        raise BadData(
            f"got {count} samples to split into {len(fractions)} parts, expected at least {len(fractions)}",
            remedy="add samples",
        )
    pieces = _cut(np.random.default_rng(seed).permutation(count), fractions)
    return tuple(np.sort(piece) for piece in pieces)


def stratified_split(
    labels: NDArray[np.int32], fractions: tuple[float, ...], *, seed: int
) -> tuple[NDArray[np.intp], ...]:
    """Cut the indices of `labels` into parts that hold every class in the same proportion.

    Args:
        labels: (count,), any integers.
        fractions: share of each part; they sum to 1.
        seed: the same seed gives the same split, on every machine.

    Returns:
        One sorted array of indices per fraction; together they hold each index once.

    Raises:
        BadData: a class has fewer samples than there are parts.
    """
    rng = np.random.default_rng(seed)
    parts: list[list[NDArray[np.intp]]] = [[] for _ in fractions]
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < len(fractions):
            raise BadData(
                f"class {label} has {len(members)} samples; to split them into {len(fractions)} parts, "
                f"at least {len(fractions)} are needed",
                remedy=f"add samples of class {label}, or leave the class out",
            )
        for part, piece in zip(parts, _cut(members, fractions), strict=True):
            part.append(piece)
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def _cut(members: NDArray[np.intp], fractions: tuple[float, ...]) -> list[NDArray[np.intp]]:
    """Each part gets at least one; the bounds are rounded so that no sample is lost."""
    bounds = np.round(np.cumsum(fractions[:-1]) * len(members)).astype(int)
    for position in range(len(bounds)):
        low = (bounds[position - 1] if position else 0) + 1
        bounds[position] = min(max(bounds[position], low), len(members) - (len(bounds) - position))
    return np.split(members, bounds)
