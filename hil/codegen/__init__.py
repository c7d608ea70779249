"""Ahead-of-time compiler: Graph -> C99.  `generate` is all that most callers need."""

from __future__ import annotations

from hil.codegen.call import Call
from hil.codegen.emit import model_c
from hil.codegen.lower import lower, needs
from hil.graph.types import Graph
from hil.memory import plan
from hil.program import Program

__all__ = ["Call", "generate", "lower", "needs"]


def generate(graph: Graph) -> Program:
    """Compile a model: choose kernels, plan the arena, write model.c.

    Args:
        graph: from `hil.graph.read`.

    Returns:
        A Program; `plan.arena_bytes` and `weight_bytes` tell what it needs, the sources implement
        firmware/lib/runtime/hil_model.h on top of firmware/lib/kernels.

    Raises:
        UnsupportedOperator: an operator comes in a form that no kernel serves.
    """
    calls = lower(graph)
    arena = plan(graph, needs(calls))
    return Program(
        graph=graph,
        plan=arena,
        sources={"model.c": model_c(graph, calls, arena)},
        variants=tuple(call.variant for call in calls),
        weight_bytes=sum(call.weight_bytes for call in calls),
    )
