"""How a network is executed in stripes, in figures: what a Program, a measurement and a report say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_PREFIX = "patches_"


@dataclass(frozen=True)
class Patches:
    """Operators `first` to `last` (included) run in stripes of rows.

    Attributes:
        first, last: indices in the network as it would run in one piece.
        stripes: how many, 2 or more.
        macs: multiply-accumulates of one inference.
        recomputed_macs: of these, those that execution in one piece would not need.
        plain_arena_bytes: the arena that it would need.
    """

    first: int
    last: int
    stripes: int
    macs: int
    recomputed_macs: int
    plain_arena_bytes: int

    @property
    def overhead(self) -> float:
        """Recomputed MACs over those of execution in one piece."""
        plain = self.macs - self.recomputed_macs
        return self.recomputed_macs / plain if plain else 0.0

    def to_dict(self) -> dict[str, int]:
        """JSON types."""
        return asdict(self)

    def to_settings(self) -> dict[str, float]:
        """As entries of `Origin.settings` of a measurement."""
        return {_PREFIX + name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Patches:
        """What `to_dict` gives."""
        return cls(**data)

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Patches | None:
        """What `to_settings` has put there; None where the network was executed in one piece."""
        mine = {
            name.removeprefix(_PREFIX): int(value)
            for name, value in settings.items()
            if name.startswith(_PREFIX)
        }
        return cls(**mine) if mine else None

    def __str__(self) -> str:
        """In one line: "operators 0-3 in 4 stripes, +6.1 % MACs"."""
        operators = (
            f"operators {self.first}-{self.last}" if self.last > self.first else f"operator {self.first}"
        )
        return f"{operators} in {self.stripes} stripes, {self.overhead:+.1%} MACs"
