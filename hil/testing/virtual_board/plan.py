"""A fault plan: what goes wrong, how often, drawn from a seed.

The fate of the k-th flash (write, run, read) depends on the seed and k alone, not on what happened between: a
plan that is played again strikes at the same places, however fast the host is.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hil.testing.virtual_board.kinds import Kind, Operation, possible


@dataclass(frozen=True)
class Fate:
    """One fault: its kind, how long it takes, and the dice that decide its other details."""

    kind: Kind
    dice: random.Random
    delay_s: float
    away_s: float
    stall_s: float


@dataclass(frozen=True)
class FaultPlan:
    """What goes wrong.

    Attributes:
        seed: of all that is drawn.
        rate: share of the operations that go wrong, 0 to 1.
        kinds: what may go wrong with them.
        limit: no more faults than this many; None for any number.
        delay_s: how long delayed bytes stay away, drawn between these.
        away_s: how long a port that vanished stays away, drawn between these.
        stall_s: how long a flash that stalls does nothing.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[Kind, ...] = tuple(Kind)
    limit: int | None = None
    delay_s: tuple[float, float] = (0.05, 1.0)
    away_s: tuple[float, float] = (0.2, 1.0)
    stall_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate {self.rate}, expected 0 to 1")

    @classmethod
    def every(cls, kind: Kind, **others: Any) -> FaultPlan:
        """`kind` befalls each operation that it can; `limit=n` the first n."""
        return cls(**{"rate": 1.0, "kinds": (kind,), **others})

    def fate(self, operation: Operation, index: int) -> Fate | None:
        """What befalls the `index`-th `operation`; None where all goes well."""
        dice = random.Random(f"{self.seed} {operation.value} {index}")
        kinds = [kind for kind in self.kinds if kind in possible(operation)]
        if not kinds or dice.random() >= self.rate:
            return None
        return Fate(
            dice.choice(kinds),
            dice,
            delay_s=dice.uniform(*self.delay_s),
            away_s=dice.uniform(*self.away_s),
            stall_s=self.stall_s,
        )

    def to_json(self) -> str:
        """Text for `from_json`."""
        return json.dumps({**asdict(self), "kinds": [kind.name for kind in self.kinds]})

    @classmethod
    def from_json(cls, text: str) -> FaultPlan:
        """The plan that `to_json` wrote."""
        table: Mapping[str, Any] = json.loads(text)
        return cls(
            **{
                **table,
                "kinds": tuple(Kind[name] for name in table["kinds"]),
                "delay_s": tuple(table["delay_s"]),
                "away_s": tuple(table["away_s"]),
            }
        )
