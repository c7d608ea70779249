"""Spaces: what a search moves in.  A new space is one file and one line in `SPACES`.

Everything downstream uses only `Space` (search/space/base.py) and the layer list that it decodes to
(search/space/layers.py), so cells, several branches, 1-D inputs or plain perceptrons need no change
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.space.base import Architecture, Cost, Space
from search.space.chain import ChainOptions, ChainSpace
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
    """

    options: type[Options]
    make: Callable[..., Space]


SPACES: dict[str, SpaceKind] = {
    "chain": SpaceKind(ChainOptions, ChainSpace),
    "stages": SpaceKind(StagesOptions, StagesSpace),
    "series": SpaceKind(SeriesOptions, SeriesSpace),
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


def make_space(name: str, options: Mapping[str, Any], *, input_shape: tuple[int, ...], classes: int) -> Space:
    """The space called `name` for data of this shape.

    Args:
        input_shape: (height, width, channels).

    Raises:
        BadOption: as `space_options`, or a shape that the space cannot take.
    """
    checked = space_options(name, options)
    return SPACES[name].make(checked, input_shape=input_shape, classes=classes)
