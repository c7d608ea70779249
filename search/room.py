"""How large an arena may be before a study's limits on RAM, or the board's RAM, are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.objective import Constraint


@dataclass(frozen=True)
class ArenaRoom:
    """The tightest of the limits that an arena has to keep.

    Attributes:
        metric: "ram_bytes" or "arena_bytes".
        limit: of that metric.
        beside_bytes: what else counts into it: static data and stack.
    """

    metric: str
    limit: float
    beside_bytes: int

    @property
    def arena_bytes(self) -> int:
        """The largest arena; 0 where there is no room for any."""
        return max(int(self.limit) - self.beside_bytes, 0)


def arena_room(
    constraints: Sequence[Constraint],
    *,
    ram_bytes: int,
    static_bytes: int,
    stack_bytes: int,
    reserved_bytes: int,
) -> ArenaRoom:
    """What the constraints and the board leave.

    Args:
        ram_bytes: of the board.
        static_bytes: of the firmware, without arena and stack.
        stack_bytes: what is seen in use, which is what a limit on RAM is held against.
        reserved_bytes: what the linker keeps for the stack, which is what has to fit on the board.
    """
    rooms = [ArenaRoom("ram_bytes", ram_bytes, static_bytes + reserved_bytes)]
    beside = {"ram_bytes": static_bytes + stack_bytes, "arena_bytes": 0}
    rooms += [
        ArenaRoom(constraint.metric, constraint.limit, beside[constraint.metric])
        for constraint in constraints
        if constraint.relation == "<=" and constraint.metric in beside
    ]
    return min(rooms, key=lambda room: room.arena_bytes)
