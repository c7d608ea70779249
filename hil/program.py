"""A Program: one model compiled ahead of time to C, with its memory plan.  A board is not named yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.graph.types import Graph
from hil.macs import operator_macs
from hil.memory import ArenaPlan
from hil.patches import Patches


@dataclass(frozen=True, eq=False)
class Program:
    """The output of `hil.codegen.generate`.

    Attributes:
        graph: the model.
        plan: its arena plan; `plan.arena_bytes` is the RAM of the model.
        sources: file name -> C text ("model.c", "model.h").
        variants: per operator, the kernel variant, e.g. "conv2d_s8/1x1" ("" where nothing runs).
        weight_bytes: bytes of constants in flash (weights, biases, requantization tables).
        runtime: "aot".
        general: per operator, whether a slower kernel than the core's best for its kind serves it, because
            the better one's precondition (on shape or weight values) did not hold; empty where not known.
        patches: which operators run in stripes; None where all run in one piece.
    """

    graph: Graph
    plan: ArenaPlan
    sources: Mapping[str, str]
    variants: tuple[str, ...]
    weight_bytes: int
    runtime: str = "aot"
    general: tuple[bool, ...] = ()
    patches: Patches | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the model, as the firmware reports it."""
        return self.graph.digest

    @property
    def general_macs(self) -> int:
        """MACs of the operators on the general path, see `general`."""
        if not self.general:
            return 0
        served = zip(self.graph.operators, self.general, strict=True)
        return sum(operator_macs(self.graph, operator) for operator, general in served if general)
