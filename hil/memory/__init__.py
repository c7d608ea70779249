"""The static arena plan: where each activation lives, how large the arena is, and what makes it so."""

from hil.memory.order import with_least_peak
from hil.memory.plan import plan
from hil.memory.types import ALIGNMENT, ArenaPlan, Needs, Overlap

__all__ = ["ALIGNMENT", "ArenaPlan", "Needs", "Overlap", "plan", "with_least_peak"]
