"""How many architectures a second the analytic cost takes in.  Target: 10,000 on one core.

python benchmarks/cost.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from search.space import make_space
from search.space.base import Architecture, Space
from search.space.block import parse_block

TARGET = 10_000
COUNT = 5_000
REPEATS = 5

SPACES: dict[str, tuple[tuple[int, int, int], dict[str, object]]] = {
    "8x8x1, 1 to 6": ((8, 8, 1), {}),
    "49x10x1, 4 to 8": ((49, 10, 1), {"min_depth": 4, "max_depth": 8}),
    "96x96x3, 6 to 12": (
        (96, 96, 3),
        {"min_depth": 6, "max_depth": 12, "filters": list(range(8, 132, 4)), "kernels": [3, 5, 7]},
    ),
}


def rate(work: Callable[[Architecture], object], architectures: list[Architecture]) -> float:
    """Architectures per second of CPU, the best of some rounds (the others were disturbed)."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        for architecture in architectures:
            work(architecture)
        best = min(best, time.process_time() - start)
    return len(architectures) / best


def cold_rate(space: Space, architectures: list[Architecture]) -> float:
    """As `rate` of the cost, each round from an empty cache."""
    best = 0.0
    for _ in range(REPEATS):
        parse_block.cache_clear()
        start = time.process_time()
        for architecture in architectures:
            space.cost(architecture)
        best = max(best, len(architectures) / (time.process_time() - start))
    return best


def operation_rates(
    space: Space, rng: np.random.Generator, other: Architecture, architectures: list[Architecture]
) -> list[float]:
    """Of sample, mutate and distance."""
    return [
        rate(lambda _: space.sample(rng), architectures),
        rate(lambda architecture: space.mutate(architecture, rng), architectures),
        rate(lambda architecture: space.distance(architecture, other), architectures),
    ]


def main() -> None:
    table = Table(
        title=f"space chain: 1,000 architectures per second of CPU (target of cost: {TARGET / 1e3:g})"
    )
    table.add_column("data, blocks", no_wrap=True)
    for column in ("mean", "cold", "warm", "sample", "mutate", "distance"):
        table.add_column(column, justify="right")
    table.add_column("target")
    for name, (shape, options) in SPACES.items():
        space = make_space("chain", options, input_shape=shape, classes=10)
        rng = np.random.default_rng(0)
        architectures = [space.sample(rng) for _ in range(COUNT)]
        other = space.sample(rng)
        cold, warm = cold_rate(space, architectures), rate(space.cost, architectures)
        rates = [cold, warm, *operation_rates(space, rng, other, architectures)]
        blocks = np.mean([len(architecture.text.split(" ")) for architecture in architectures])
        met = "met" if min(cold, warm) >= TARGET else f"missed, {min(cold, warm) / TARGET:.0%}"
        table.add_row(name, f"{blocks:.1f}", *[f"{value / 1e3:.1f}" for value in rates], met)
    Console().print(table)


if __name__ == "__main__":
    main()
