"""Passes over a finished network: Graph -> Graph, with the same output for every input, byte by byte.

    graph = apply(read("model.tflite"), ("constant-channels",))

A pass may look at the weights, so it is nothing for a search that measures networks before they are trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hil.errors import InputError
from hil.graph.types import Graph
from hil.nearest import did_you_mean
from hil.optimize import constant_channels
from hil.optimize.constant_channels import remove_constant_channels
from hil.optimize.intervals import Interval, intervals
from hil.optimize.reduction import Reduction

__all__ = ["PASSES", "Interval", "Reduction", "apply", "check_names", "intervals", "remove_constant_channels"]

PASSES: Mapping[str, Callable[[Graph], Graph]] = {constant_channels.NAME: remove_constant_channels}
"""Name -> pass, as `hil.measure(..., optimize=...)` takes it."""


def apply(graph: Graph, names: Sequence[str]) -> Graph:
    """The graph after the named passes, in their order.

    Raises:
        InputError: there is no such pass.
    """
    check_names(names)
    for name in names:
        graph = PASSES[name](graph)
    return graph


def check_names(names: Sequence[str]) -> None:
    """Raise InputError unless `names` are passes."""
    if isinstance(names, str):
        raise InputError(
            f"optimize is the text '{names}', expected a sequence of names",
            remedy=f'write optimize=("{names}",)',
        )
    for name in names:
        if name not in PASSES:
            raise InputError(
                f"'{name}' is no optimization", remedy=did_you_mean(name, PASSES, all_of_them="known ones")
            )
