"""Cells: blocks of two operators each, decided so that one network has one text.

The search space of Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition" (CVPR
2018), section 3.  A cell reads the outputs of the cell before it ("previous") and of the one before that
("before").  Each block applies two operators to two of the states that exist by then, and the sum is a
state that later blocks may read.  States that no block has read are concatenated: the output of the cell.

What differs from the paper: blocks are summed and never concatenated; separable convolutions have batch
normalisation and activation behind both of their parts, and activations stand behind the normalisation
instead of in front of the convolution, where an int8 kernel has them for nothing; the two inputs of a cell
are brought to its size and filters only where they differ; `previous` counts as a state that is
concatenated if nothing reads it (so that no cell is dead), `before` does not.

One network, one text:

    node       a state and an operator, as one number: state * (number of operators) + operator
    block      a pair of nodes (first, second), second <= first
    order      pairs (first, second) do not fall from block to block

A sum does not mind which node is the first; two blocks of which the later does not read the earlier can
change places, and as a block that does read the earlier one has the larger first node, such swaps sort the
blocks.  (Two blocks of the same two nodes are twins; readers of the one and of the other are told apart.)
Operators without weights (FREE) do not appear twice in the same place, as x + x says nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from search.space.decisions import Choose
from search.space.options import BadOption
from search.space.sketch import Sketch

Operator: TypeAlias = Literal["avg3", "conv1", "conv3", "identity", "max3", "sep3", "sep5"]

ORDER: tuple[Operator, ...] = ("conv1", "conv3", "sep3", "sep5", "max3", "avg3", "identity")
FREE: frozenset[Operator] = frozenset({"max3", "avg3", "identity"})  # without weights


class Node(NamedTuple):
    """One operator of a block.

    Attributes:
        state: what it reads: an input of the cell ("before", "previous") or a block ("block1").
    """

    state: str
    operator: Operator


Cell: TypeAlias = tuple[tuple[Node, Node], ...]

BOTH = ("before", "previous")
ONE = ("previous",)  # where `before` would be the same map


def in_order(operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """Each once, those with weights first.

    Raises:
        BadOption: there is none with weights.
    """
    if not set(operators) - FREE:
        weighted = ", ".join(f'"{operator}"' for operator in ORDER if operator not in FREE)
        raise BadOption(("operators",), f"got {list(operators)}, expected one of {weighted} among them")
    return tuple([operator for operator in ORDER if operator in operators])


def decided(
    choose: Choose, name: str, blocks: int, operators: Sequence[Operator], inputs: Sequence[str] = BOTH
) -> Cell:
    """A cell, gene by gene: "normal1.from1", ".operator1", ".from2", ".operator2", "normal2.from1", ...

    Args:
        name: in front of the blocks' numbers.
        operators: as `in_order` gives them.
        inputs: the states that exist before the first block.
    """
    kinds = len(operators)
    states = list(inputs)
    made: list[tuple[Node, Node]] = []

    def free(node: int) -> bool:
        return operators[node % kinds] in FREE

    def node(part: str, which: int, low: int, high: int) -> int:
        offered = states[low // kinds : high // kinds + 1]
        state = states.index(choose(f"{part}.from{which}", offered))
        start = low % kinds if state == low // kinds else 0
        end = high % kinds if state == high // kinds else kinds - 1
        return state * kinds + operators.index(choose(f"{part}.operator{which}", operators[start : end + 1]))

    least = (0, 0)
    for number in range(1, blocks + 1):
        part = f"{name}{number}"
        first = node(part, 1, least[0], len(states) * kinds - 1)
        second = node(part, 2, least[1] if first == least[0] else 0, first - free(first))
        made.append((Node(states[first // kinds], operators[first % kinds]),
                     Node(states[second // kinds], operators[second % kinds])))  # fmt: skip
        states.append(f"block{number}")
        least = (first, second + (free(first) and free(second)))
        if least[1] > first - free(first):
            least = (first + 1, 0)
    return tuple(made)


class CellBuilder:
    """Puts cells into a sketch.

    Args:
        separable_layers: how many separable convolutions "sep3" and "sep5" stand for.
    """

    def __init__(self, sketch: Sketch, separable_layers: int = 1) -> None:
        self._sketch = sketch
        self._separable_layers = separable_layers

    def add(self, name: str, cell: Cell, inputs: tuple[str, str], filters: int, stride: int) -> str:
        """One cell; returns the name of its output.

        Args:
            inputs: names of the outputs of the cell two before and of the one before.
            stride: of the operators that read an input of the cell.
        """
        sketch, (before, previous) = self._sketch, inputs
        scale = sketch.scale[previous]
        read = {node.state for pair in cell for node in pair}
        states: dict[str, str] = {}
        for state, source in (("before", before), ("previous", previous)):
            if state in read:
                states[state] = sketch.matched(f"{name}_{state}", source, scale, filters)
        for number, pair in enumerate(cell, start=1):
            own = f"{name}_block{number}"
            parts = [
                self._operator(f"{own}_{which}", node.operator, states[node.state], filters,
                               1 if node.state.startswith("block") else stride)
                for which, node in zip("ab", pair, strict=True)
            ]  # fmt: skip
            states[f"block{number}"] = sketch.sum(own, parts)
        unread = [f"block{number}" for number in range(1, len(cell) + 1) if f"block{number}" not in read]
        outputs = [states[state] for state in unread]
        if "previous" not in read:
            outputs.append(sketch.matched(f"{name}_previous", previous, scale * stride, filters))
        return sketch.concat(f"{name}_output", outputs)

    def _operator(self, name: str, operator: Operator, source: str, filters: int, stride: int) -> str:
        sketch = self._sketch
        match operator:
            case "conv1" | "conv3":
                return sketch.conv(name, source, filters, int(operator[-1]), stride)
            case "sep3" | "sep5":
                for number in range(1, self._separable_layers + 1):
                    own = name if number == 1 else f"{name}{number}"
                    source = sketch.separable(own, source, filters, int(operator[-1]), stride)
                    stride = 1
                return source
            case "max3" | "avg3":
                return sketch.pool(name, source, "max" if operator == "max3" else "average", 3, stride)
            case "identity":  # of a smaller map: every other pixel
                return source if stride == 1 else sketch.pool(name, source, "max", 1, stride)
