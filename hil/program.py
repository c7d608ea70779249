"""A Program: one model compiled ahead of time to C, with its memory plan.  A board is not named yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.graph.types import Graph
from hil.memory import ArenaPlan


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
    """

    graph: Graph
    plan: ArenaPlan
    sources: Mapping[str, str]
    variants: tuple[str, ...]
    weight_bytes: int
    runtime: str = "aot"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the model, as the firmware reports it."""
        return self.graph.digest
