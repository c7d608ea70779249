"""Metrics: what a trial can be judged by, with units, and how a user may write an amount of each.

| unit    | may be written as                                                    |
|---------|----------------------------------------------------------------------|
| us      | us (or none), ms, s                                                  |
| bytes   | B, bytes (or none), kB = KiB = 1024 B, MB = MiB = 1024 kB            |
| uJ      | nJ, uJ (or none), mJ, J                                              |
| count   | none, k = 1000, M = 1000 k                                           |
| share   | none (0 to 1), %                                                     |

kB is 1024 bytes because memories are specified that way: a chip "with 64 kB of RAM" has 65,536 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from search.space.options import BadOption, nearest

Direction: TypeAlias = Literal["maximize", "minimize"]
Unit: TypeAlias = Literal["us", "bytes", "uJ", "count", "share"]

_FACTORS: dict[Unit, dict[str, float]] = {
    "us": {"": 1, "us": 1, "µs": 1, "ms": 1e3, "s": 1e6},
    "bytes": {
        "": 1,
        "B": 1,
        "bytes": 1,
        "kB": 1024,
        "KB": 1024,
        "KiB": 1024,
        "MB": 1024**2,
        "MiB": 1024**2,
    },
    "uJ": {"": 1, "nJ": 1e-3, "uJ": 1, "µJ": 1, "mJ": 1e3, "J": 1e6},
    "count": {"": 1, "k": 1e3, "M": 1e6},
    "share": {"": 1, "%": 0.01},
}
_WRITTEN_AS: dict[Unit, str] = {
    "us": "us, ms or s",
    "bytes": "bytes, kB (1024 bytes) or MB",
    "uJ": "nJ, uJ, mJ or J",
    "count": "a plain number, k or M",
    "share": "a number from 0 to 1, or %",
}
_AMOUNT = re.compile(
    r"(?P<number>[-+]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>[A-Za-zµ%]*)"
)


@dataclass(frozen=True)
class Metric:
    """One figure of a trial.

    Attributes:
        name: key in `Trial.values`; the unit is part of it.
        better: the direction in which it improves.
    """

    name: str
    unit: Unit
    better: Direction


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "share", "maximize"),  # of the int8 network, on validation data
        Metric("float_accuracy", "share", "maximize"),
        Metric("latency_us", "us", "minimize"),
        Metric("cycles", "count", "minimize"),
        Metric("ram_bytes", "bytes", "minimize"),  # arena, static data and stack
        Metric("arena_bytes", "bytes", "minimize"),
        Metric("flash_bytes", "bytes", "minimize"),  # code and weights
        Metric("weight_bytes", "bytes", "minimize"),
        Metric("energy_uj", "uJ", "minimize"),
        Metric("macs", "count", "minimize"),
        Metric("parameters", "count", "minimize"),
    )
}


def find_metric(name: str, *, key: tuple[str, ...] = ()) -> Metric:
    """The metric of that name.

    Args:
        key: where the name stands, for the error.

    Raises:
        BadOption: there is none; the remedy names the nearest ones.
    """
    if name not in METRICS:
        raise BadOption(key, f"no metric is called '{name}'", remedy=nearest(name, METRICS))
    return METRICS[name]


def read_amount(metric: Metric, text: str) -> float:
    """An amount as the user wrote it, in the metric's own unit.  "20 ms" of latency_us is 20000.

    Raises:
        BadOption: no number, a unit of something else, or an amount that the metric cannot have.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise BadOption(
            (), f'got "{text.strip()}", expected an amount of {metric.name}: {_WRITTEN_AS[metric.unit]}'
        )
    factors = _FACTORS[metric.unit]
    if match["unit"] not in factors:
        raise BadOption(
            (),
            f"\"{text.strip()}\": '{match['unit']}' is no unit of {metric.name}",
            remedy=f"write {_WRITTEN_AS[metric.unit]}",
        )
    amount = round(float(match["number"].replace("_", "")) * factors[match["unit"]], 9)
    if amount < 0 or (metric.unit == "share" and amount > 1):
        hint = f"; for {amount:g} % write {amount / 100:g}" if 1 < amount <= 100 else ""
        span = "0 to 1" if metric.unit == "share" else "0 or more"
        raise BadOption(
            (), f'"{text.strip()}": {metric.name} is {span}', remedy=f"write a number of {span}{hint}"
        )
    return amount
