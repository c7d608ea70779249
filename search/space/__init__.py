"""Spaces: what a search moves in.  A new space is one file and one line in `SPACES`.

Everything downstream uses only `Space` (search/space/base.py) and the layer list that it decodes to
(search/space/layers.py), so cells, several branches, 1-D inputs or plain perceptrons need no change
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.space.base import Architecture, Cost, Space
from search.space.branches import BranchesOptions, BranchesSpace
from search.space.cells import CellsOptions, CellsSpace
from search.space.chain import ChainOptions, ChainSpace
from search.space.hypermodel import HyperModelOptions, make_hypermodel_space
from search.space.joint import JointOptions, JointSpace
from search.space.keyword import KeywordOptions, KeywordSpace
from search.space.mlp import MlpOptions, MlpSpace
from search.space.options import BadOption, Options, build, nearest
from search.space.series import SeriesOptions, SeriesSpace
from search.space.stages import StagesOptions, StagesSpace

__all__ = ["SPACES", "Architecture", "Cost", "Space", "make_space", "space_options"]


@dataclass(frozen=True)
class SpaceKind:
    """One line of the table.

    Attributes:
        options: what may stand in the table [space] of a study file.
        make: called with the options, `input_shape` and `classes`.
        reads_files: whether it also takes `folder`, what paths among the options are relative to.
    """

    options: type[Options]
    make: Callable[..., Space]
    reads_files: bool = False


SPACES: dict[str, SpaceKind] = {
    "branches": SpaceKind(BranchesOptions, BranchesSpace),
    "cells": SpaceKind(CellsOptions, CellsSpace),
    "chain": SpaceKind(ChainOptions, ChainSpace),
    "joint": SpaceKind(JointOptions, JointSpace),
    "stages": SpaceKind(StagesOptions, StagesSpace),
    "series": SpaceKind(SeriesOptions, SeriesSpace),
    "keras_tuner": SpaceKind(HyperModelOptions, make_hypermodel_space, reads_files=True),
    "keyword": SpaceKind(KeywordOptions, KeywordSpace),
    "mlp": SpaceKind(MlpOptions, MlpSpace),
}


def space_options(name: str, options: Mapping[str, Any]) -> Options:
    """The options of the space called `name`, checked, with the defaults filled in.

    Raises:
        BadOption: unknown name or option (with the nearest known ones), or a wrong value.
    """
    if name not in SPACES:
        raise BadOption(("name",), f"no space is called '{name}'", remedy=nearest(name, SPACES))
    return build(SPACES[name].options, options)


def make_space(
    name: str,
    options: Mapping[str, Any],
    *,
    input_shape: tuple[int, ...],
    classes: int,
    folder: Path | None = None,
) -> Space:
    """The space called `name` for data of this shape.

    Args:
        input_shape: (height, width, channels).
        folder: what paths among the options are relative to; None: the current one.

    Raises:
        BadOption: as `space_options`, or a shape that the space cannot take.
    """
    checked = space_options(name, options)
    kind = SPACES[name]
    places = {"folder": folder} if kind.reads_files else {}
    return kind.make(checked, input_shape=input_shape, classes=classes, **places)
