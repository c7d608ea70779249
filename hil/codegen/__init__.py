"""Ahead-of-time compiler: Graph -> C99.  `generate` is all that most callers need."""

from __future__ import annotations

from hil.codegen.call import Call
from hil.codegen.choose import faster_kernels
from hil.codegen.emit import model_c
from hil.codegen.lower import lower
from hil.codegen.prepare import prepared
from hil.codegen.sharing import weight_bytes
from hil.codegen.target import PORTABLE, Target
from hil.graph.types import Graph
from hil.memory import plan
from hil.program import Program

__all__ = ["PORTABLE", "Call", "Target", "generate", "lower"]


def generate(graph: Graph, target: Target = PORTABLE, *, arena_limit: int | None = None) -> Program:
    """Compile a model: fuse operators, order them, choose kernels, plan the arena, write model.c.

    Args:
        graph: from `hil.graph.read`.
        target: what the core can do; `Target.of(board)`.
        arena_limit: bytes that the arena may take for the sake of speed; None: no more than it has to.

    Returns:
        A Program; `plan.arena_bytes` and `weight_bytes` tell what it needs, the sources implement
        firmware/lib/runtime/hil_model.h on top of firmware/lib/kernels.

    Raises:
        UnsupportedOperator: an operator comes in a form that no kernel serves.
    """
    graph = prepared(graph, target)
    calls = lower(graph, target, faster_kernels(graph, target, arena_limit))
    arena = plan(graph, [call.needs for call in calls])
    return Program(
        graph=graph,
        plan=arena,
        sources={"model.c": model_c(graph, calls, arena)},
        variants=tuple(call.variant for call in calls),
        general=tuple(call.general for call in calls),
        weight_bytes=weight_bytes(calls),
    )
