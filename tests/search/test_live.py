"""The lower bound of RAM holds in whatever order branches run, of all orders of small random networks."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import pytest

from search.space.cost import count, output_shapes
from search.space.layers import Concat, Conv, GlobalAverage, Layer, Pool, Sum

SHAPE = (4, 4, 4)


def random_network(rng: np.random.Generator) -> tuple[Layer, ...]:
    """Up to 7 layers, each reading earlier ones at random; what nothing else reads is joined at the end."""
    maps, layers = ["input"], list[Layer]()
    for number in range(int(rng.integers(2, 6))):
        name = f"l{number}"
        a, b = (maps[int(rng.integers(len(maps)))] for _ in range(2))
        kind = int(rng.integers(3))
        if kind == 0:
            layers.append(Conv(name, (a,), 4, 1, 1, "relu"))
        elif kind == 1:
            layers.append(Pool(name, (a,), "max", 3, 1, same=True))
        else:
            layers.append(Sum(name, (a, b)))
        maps.append(name)
    read = {name for layer in layers for name in layer.inputs}
    ends = tuple([name for name in maps[1:] if name not in read])
    if len(ends) > 1:
        layers.append(Concat("ends", ends))
        ends = ("ends",)
    return (*layers, GlobalAverage("average", ends))


def orders(layers: tuple[Layer, ...], ran: tuple[Layer, ...] = ()) -> Iterator[tuple[Layer, ...]]:
    """All orders in which the layers can run."""
    if len(ran) == len(layers):
        yield ran
    known = {"input", *[layer.name for layer in ran]}
    for layer in layers:
        if layer not in ran and set(layer.inputs) <= known:
            yield from orders(layers, (*ran, layer))


def peak_in_this_order(layers: tuple[Layer, ...]) -> int:
    """By definition: all that is written and still to be read, less what an output can lie over."""
    sizes = {name: prod(shape) for name, shape in output_shapes(layers, SHAPE).items()}
    peak = sizes["input"]
    for now, layer in enumerate(layers):
        later = {name for other in layers[now + 1 :] for name in other.inputs}
        written = {"input", *[other.name for other in layers[:now]]}
        alive = [name for name in written if name in later or name in layer.inputs]
        ending = [min(sizes[name], sizes[layer.name]) for name in set(layer.inputs) if name not in later]
        covered = sum(ending) if isinstance(layer, Concat) else max(ending, default=0)
        peak = max(peak, sum([sizes[name] for name in alive]) + sizes[layer.name] - covered)
    return peak


def test_no_order_needs_less_than_the_peak_and_in_a_row_it_is_exact() -> None:
    rng = np.random.default_rng(0)
    exact = branching = 0
    for _ in range(100):
        layers = random_network(rng)
        peaks = [peak_in_this_order(order) for order in orders(layers)]
        peak = count(layers, SHAPE).peak_activation_bytes
        assert peak <= min(peaks), layers
        if len(peaks) == 1:
            assert peak == peaks[0], layers
        else:
            branching += 1
            exact += peak == min(peaks)
    assert branching > 30
    assert exact > branching / 2  # a bound that is worth something


def test_the_order_of_the_list_means_nothing() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        layers = random_network(rng)
        assert len({count(order, SHAPE) for order in orders(layers)}) == 1


@pytest.mark.parametrize("early", [True, False])
def test_a_branch_that_may_shrink_early_is_not_held_against_the_other(early: bool) -> None:
    stem = Conv("stem", ("input",), 8, 3, 1, "relu")
    small = Conv("small", ("stem",), 4, 1, 2, "none")
    wide = (Conv("wide", ("stem",), 8, 3, 1, "relu"), Conv("thin", ("wide",), 4, 3, 2, "relu"))
    middle = (small, *wide) if early else (*wide, small)
    layers = (stem, *middle, Sum("sum", ("thin", "small")), GlobalAverage("average", ("sum",)))
    # At "wide", which may lie over the stem, only what comes from "small" may be waiting.
    assert count(layers, SHAPE).peak_activation_bytes == 4 * 4 * 8
