"""The analytic model of a board's time: what `simulated:` answers with.

    symbol       meaning                                     where from
    cycles_i     of operator i                               result
    fixed        cycles per call of a kernel                 profile, [simulator.operators]
    per_mac      cycles per step of the inner loop           profile
    per_output   cycles per element of the output            profile
    M_i          MACs; for pools and MEAN, values taken in   graph
    N_i          output elements                             graph

    cycles_i = fixed + per_mac * M_i + per_output * N_i

The coefficients are those of the kernel that serves the operator; where the profile has none for it, those
of all kernels of the operator; DEFAULT in the end.  The model is linear in the operators of one network and
knows nothing of caches or alignment; hil.calibrate says how far it is off.  RESHAPE and its like run no code
and cost what the profile says, usually nothing.
"""

from __future__ import annotations

import re

from hil.board import Board, OperatorCost
from hil.graph.types import Graph, Operator, RowJoin, RowSlice
from hil.macs import operator_work
from hil.program import Program


def kernel_of(variant: str) -> str:
    """What forms of one kernel have in common: its variant without the size of a band."""
    return re.sub(r"(?<=winograd)\d+", "", variant)


def cost_of(board: Board, operator_name: str, variant: str = "") -> OperatorCost:
    """The coefficients that serve an operator: of its kernel, of all its kernels, or DEFAULT."""
    costs = board.simulator.operators
    return costs.get(kernel_of(variant)) or costs.get(operator_name) or costs["DEFAULT"]


def operator_cycles(board: Board, graph: Graph, operator: Operator, variant: str = "") -> int:
    """Cycles of one operator, rounded to whole cycles.

    Args:
        variant: the kernel that serves it, as in `Program.variants`.
    """
    if isinstance(operator.options, RowSlice | RowJoin):
        return 0
    cost = cost_of(board, operator.name, variant)
    outputs = graph.tensors[operator.output].elements
    return round(cost.fixed + cost.per_mac * operator_work(graph, operator) + cost.per_output * outputs)


def model_cycles(board: Board, program: Program) -> tuple[int, ...]:
    """Cycles per operator, in the order of execution; their sum is that of one inference."""
    graph = program.graph
    return tuple(
        operator_cycles(board, graph, operator, variant)
        for operator, variant in zip(graph.operators, program.variants, strict=True)
    )
