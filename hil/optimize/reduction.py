"""What a pass has taken away, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil import units
from hil.graph import types
from hil.graph.types import Graph
from hil.macs import model_macs

_KEYS = ("channels_after", "channels_before", "macs_after", "macs_before")


@dataclass(frozen=True)
class Reduction:
    """Two graphs of the same function, compared.

    Attributes:
        channels_after, channels_before: output channels of all layers with weights, added up.
        macs_after, macs_before: multiply-accumulates of one inference.
    """

    channels_after: int
    channels_before: int
    macs_after: int
    macs_before: int

    @classmethod
    def between(cls, before: Graph, after: Graph) -> Reduction:
        """From the graph as it was read to the one that a pass has made of it."""
        return cls(_channels(after), _channels(before), model_macs(after), model_macs(before))

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Reduction | None:
        """What `to_settings` has put into a measurement's origin; None where nothing was asked for."""
        if "channels_before" not in settings:
            return None
        return cls(*(int(settings[key]) for key in _KEYS))

    def to_settings(self) -> dict[str, float]:
        """As entries of `Origin.settings`."""
        figures = (self.channels_after, self.channels_before, self.macs_after, self.macs_before)
        return {key: float(figure) for key, figure in zip(_KEYS, figures, strict=True)}

    def __str__(self) -> str:
        """In one line: "removed 1,234 of 2,000 channels, MACs 7.49 M -> 3.80 M"."""
        removed = self.channels_before - self.channels_after
        if removed == 0:
            return f"removed none of {self.channels_before:,} channels"
        macs = f"{units.count(self.macs_before)} -> {units.count(self.macs_after)}"
        return f"removed {removed:,} of {self.channels_before:,} channels, MACs {macs}"


def _channels(graph: Graph) -> int:
    return sum(
        graph.tensors[operator.output].shape[-1]
        for operator in graph.operators
        if isinstance(operator.options, types.Conv2D | types.DepthwiseConv2D | types.FullyConnected)
    )
