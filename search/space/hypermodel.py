"""The table [space] name = "keras_tuner" of a study file; the space itself is in search/keras_tuner/space.py.

It is imported when it is made, as it needs KerasTuner and thus TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from search.space.base import Space
from search.space.options import Bounds, Options


@dataclass(frozen=True)
class HyperModelOptions(Options):
    """What may stand in the study file.

    Attributes:
        hypermodel: "FILE.py:NAME", the file relative to the study file; a class, an instance or a function
            build(hp).
        levels: how many values of an Int or Float without a step are offered.
        hold: names of hyper-parameters that stay at their default, e.g. ["learning_rate"].
    """

    hypermodel: str
    levels: Annotated[int, Bounds(at_least=2, at_most=1000)] = 16
    hold: tuple[str, ...] = ()


def make_hypermodel_space(
    options: HyperModelOptions,
    *,
    input_shape: tuple[int, ...],
    classes: int,
    folder: Path | None = None,
) -> Space:
    """The space of a HyperModel in a file.

    Args:
        folder: what a relative path is relative to; else, and where it is not there, the current one.

    Raises:
        BadOption: the file or the name in it is missing, or what it holds cannot be used.
    """
    from search.keras_tuner.space import make

    return make(
        options.hypermodel,
        input_shape=input_shape,
        classes=classes,
        levels=options.levels,
        hold=options.hold,
        folder=folder,
    )
