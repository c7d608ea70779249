"""What has to be alive at once, in bytes, in whatever order the layers of a network run.

The compiler runs branches in the order that needs least (hil/memory/order), which a search cannot know
without compiling.  So only what no order can avoid is counted: at a layer, a tensor is alive if one that the
layer comes from has written it, and the layer itself or one that follows from it reads it.  In a chain, where
there is one order, that is all there is.

Sets of tensors are bits of a number: bit 0 is the input, bit k + 1 the output of layer k.

    before     per layer, what has been written when it has run, in every order
    later      per tensor, what those read that follow from it
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
    if all(layers[k].name in layers[k + 1].inputs for k in range(len(layers) - 1)):
        needed = _in_a_row(layers, sizes)
        return max(needed), _striped_in_a_row(layers, sizes, needed)
    place = {INPUT: 0, **{layer.name: at for at, layer in enumerate(layers, start=1)}}
    inputs = [sorted({place[name] for name in layer.inputs}) for layer in layers]
    before = _before(inputs)
    needed = _in_any_order(layers, sizes, inputs, before)
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


def _in_any_order(
    layers: Sequence[Layer], sizes: Mapping[str, int], inputs: Sequence[Sequence[int]], before: Sequence[int]
) -> list[int]:
    """As `_in_a_row`, of what is alive in every order."""
    bytes_of = [sizes[INPUT], *[sizes[layer.name] for layer in layers]]
    later = [0] * (len(layers) + 1)
    result = [0] * len(layers)
    for index in range(len(layers) - 1, -1, -1):
        own, follow = inputs[index], later[index + 1]
        read = follow
        for tensor in own:
            read |= 1 << tensor
        for tensor in own:
            later[tensor] |= read
        written = bytes_of[index + 1]
        needed = written + _sum(bytes_of, read & before[index] & ~(1 << index + 1))
        hidden = 0
        for tensor in own:
            if not follow >> tensor & 1:  # all others may have read it by then
                hidden = _hidden(layers[index], hidden, min(bytes_of[tensor], written))
        result[index] = needed - hidden
    return [sizes[INPUT], *result]


def _sum(bytes_of: Sequence[int], tensors: int) -> int:
    total = 0
    while tensors:
        lowest = tensors & -tensors
        total += bytes_of[lowest.bit_length() - 1]
        tensors ^= lowest
    return total


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
    falling = sorted(range(len(layers)), key=lambda index: -needed[index + 1])
    whole = 0
    for index, layer in enumerate(layers):
        if type(layer) not in _IN_STRIPES:
            whole |= 1 << index + 1
        if not before[index] & whole:
            rest = next((needed[at + 1] for at in falling if not before[index] >> at + 1 & 1), 0)
            best = min(best, max(sizes[INPUT], sizes[layer.name], rest))
    return best


def _before(inputs: Sequence[Sequence[int]]) -> list[int]:
    result: list[int] = []
    for index, own in enumerate(inputs):
        bits = 1 << index + 1 | 1
        for tensor in own:
            if tensor:
                bits |= result[tensor - 1]
        result.append(bits)
    return result
