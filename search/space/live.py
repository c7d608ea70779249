"""What has to be alive at once, in bytes, in whatever order the layers of a network run.

The compiler runs branches in the order that needs least (hil/memory/order), which a search cannot know
without compiling.  So only what no order can avoid is counted: at a layer, a tensor is alive if the layer
itself or one that it comes from has written it, and the layer itself or one that follows from it reads it.
In a chain, where there is one order, that is all there is.

    before     per layer the set, as bits, of those that it follows from, itself included
    behind     per layer the set of those that follow from it, itself included
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from search.space.layers import Concat, Conv, Depthwise, Layer, Pool, Sum

INPUT = "input"
_IN_STRIPES = (Conv, Depthwise, Pool, Sum, Concat)  # what can be computed row by row


def peak_bytes(layers: Sequence[Layer], sizes: Mapping[str, int]) -> tuple[int, int]:
    """The least that any plan needs: in one piece, and where the first layers may run in stripes.

    Args:
        layers: in an order in which they can run.
        sizes: name -> bytes of each tensor, "input" among them.
    """
    if all(name in layer.inputs for layer, name in zip(layers[1:], [x.name for x in layers], strict=False)):
        needed = _in_a_row(layers, sizes)
        return max(needed), _striped_in_a_row(layers, sizes, needed)
    before = _before(layers)
    needed = _in_any_order(layers, sizes, before)
    return max(needed), _striped_in_any_order(layers, sizes, needed, before)


def _in_a_row(layers: Sequence[Layer], sizes: Mapping[str, int]) -> list[int]:
    """Before the first layer and at each one, the sum of int8 tensors alive: each from the layer that writes
    it to the last that reads it, and of an output and one input that ends there only the larger."""
    last_read = {name: index for index, layer in enumerate(layers) for name in layer.inputs}
    alive = sizes[INPUT]
    result = [alive]
    for index, layer in enumerate(layers):
        written = sizes[layer.name]
        alive += written
        needed = alive
        hidden = 0
        for name in layer.inputs:
            if last_read.get(name) == index:
                del last_read[name]  # a sum may read one tensor twice
                alive -= sizes[name]
                hidden = _hidden(layer, hidden, min(sizes[name], written))
        result.append(needed - hidden)
    return result


def _in_any_order(layers: Sequence[Layer], sizes: Mapping[str, int], before: Sequence[int]) -> list[int]:
    """As `_in_a_row`, of what is alive in every order."""
    behind = _behind(before)
    readers = dict.fromkeys(sizes, 0)
    for index, layer in enumerate(layers):
        for name in layer.inputs:
            readers[name] |= 1 << index
    tensors = [(INPUT, -1), *[(layer.name, index) for index, layer in enumerate(layers)]]
    result = [sizes[INPUT]]
    for index, layer in enumerate(layers):
        written = sizes[layer.name]
        needed = written
        for name, writer in tensors[: index + 1]:
            if readers[name] & behind[index] and (writer < 0 or before[index] >> writer & 1):
                needed += sizes[name]
        hidden = 0
        for name in set(layer.inputs):
            if readers[name] & behind[index] == 1 << index:  # the others may have read it by then
                hidden = _hidden(layer, hidden, min(sizes[name], written))
        result.append(needed - hidden)
    return result


def _hidden(layer: Layer, hidden: int, covered: int) -> int:
    """Bytes of inputs that do not count, as the output may lie over them."""
    # The parts of a concatenation may have been written in their places in the whole.
    return hidden + covered if isinstance(layer, Concat) else max(hidden, covered)


def _striped_in_a_row(layers: Sequence[Layer], sizes: Mapping[str, int], needed: Sequence[int]) -> int:
    """No less is needed if the first layers run in stripes: the input, their output, and the rest as ever."""
    best = max(needed)
    rest = [*accumulate(reversed(needed), max)][::-1]  # from a layer on
    for index, layer in enumerate(layers):
        if type(layer) not in _IN_STRIPES:
            break
        after = rest[index + 2] if index + 2 < len(rest) else 0
        best = min(best, max(sizes[INPUT], sizes[layer.name], after))
    return best


def _striped_in_any_order(
    layers: Sequence[Layer], sizes: Mapping[str, int], needed: Sequence[int], before: Sequence[int]
) -> int:
    """As `_striped_in_a_row`.  What runs in stripes has one output: it is all that this one follows from."""
    best = max(needed)
    whole = sum([1 << index for index, layer in enumerate(layers) if type(layer) not in _IN_STRIPES])
    for index, layer in enumerate(layers):
        if not before[index] & whole:
            after = [size for at, size in enumerate(needed[1:]) if not before[index] >> at & 1]
            best = min(best, max([sizes[INPUT], sizes[layer.name], *after]))
    return best


def _before(layers: Sequence[Layer]) -> list[int]:
    place = {layer.name: index for index, layer in enumerate(layers)}
    result: list[int] = []
    for index, layer in enumerate(layers):
        bits = 1 << index
        for name in layer.inputs:
            if name != INPUT:
                bits |= result[place[name]]
        result.append(bits)
    return result


def _behind(before: Sequence[int]) -> list[int]:
    result = [0] * len(before)
    for index, bits in enumerate(before):
        while bits:
            lowest = bits & -bits
            result[lowest.bit_length() - 1] |= 1 << index
            bits ^= lowest
    return result
