"""Metrics: what a trial can be judged by, with units, and how a user may write an amount of each.

| unit    | may be written as                                                    |
|---------|----------------------------------------------------------------------|
| us      | us (or none), ms, s                                                  |
| bytes   | B, bytes (or none), kB = KiB = 1024 B, MB = MiB = 1024 kB            |
| uJ      | nJ, uJ (or none), mJ, J                                              |
| count   | none, k = 1000, M = 1000 k                                           |
| share   | none (0 to 1), %                                                     |
| number  | none; in the unit of the data, or its square                         |
| score   | none (at most 1)                                                     |

kB is 1024 bytes because memories are specified that way: a chip "with 64 kB of RAM" has 65,536 bytes.

Quality metrics say how well a network does its task, on validation data.  They bear Keras' names.  Each is of
the int8 network; the same of the float network stands beside it as `float_NAME`, and of the int8 network on
test data, once it is deployed, as `test_NAME`.  `search/quality.py` computes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from search.space.options import BadOption, nearest

Direction: TypeAlias = Literal["maximize", "minimize"]
Unit: TypeAlias = Literal["us", "bytes", "uJ", "count", "share", "number", "score"]
Task: TypeAlias = Literal["classification", "regression"]

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
    "number": {"": 1},
    "score": {"": 1},
}
_WRITTEN_AS: dict[Unit, str] = {
    "us": "us, ms or s",
    "bytes": "bytes, kB (1024 bytes) or MB",
    "uJ": "nJ, uJ, mJ or J",
    "count": "a plain number, k or M",
    "share": "a number from 0 to 1, or %",
    "number": "a plain number",
    "score": "a number of at most 1",
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
        task: what kind of data it judges networks on, for a quality metric; None: it says what a network
            costs.
    """

    name: str
    unit: Unit
    better: Direction
    task: Task | None = None

    def shortfall(self, value: float) -> float:
        """How far a value of a quality metric is from perfect, 0 or more: an error itself, else 1 - value."""
        return value if self.better == "minimize" else 1.0 - value

    def benefit(self, value: float) -> float:
        """A value of a quality metric as a number from 0 to 1 that is better when larger, for rewards.

        A share counts as it is.  What has no lower end counts as 1 / (1 + shortfall), which Koza 1992
        ("Genetic Programming") calls adjusted fitness: 1 when perfect, and never negative.
        """
        return value if self.unit == "share" else 1.0 / (1.0 + self.shortfall(value))


# Of several classes the mean over the classes, each against the rest (macro average).
_QUALITIES = (
    Metric("accuracy", "share", "maximize", "classification"),
    Metric("f1_score", "share", "maximize", "classification"),
    Metric("precision", "share", "maximize", "classification"),
    Metric("recall", "share", "maximize", "classification"),
    Metric("auc", "share", "maximize", "classification"),
    Metric("top_k_categorical_accuracy", "share", "maximize", "classification"),
    Metric("mean_absolute_error", "number", "minimize", "regression"),
    Metric("mean_squared_error", "number", "minimize", "regression"),
    Metric("root_mean_squared_error", "number", "minimize", "regression"),
    Metric("r2_score", "score", "maximize", "regression"),
)
QUALITIES: dict[str, Metric] = {metric.name: metric for metric in _QUALITIES}

# Known to every study of such data, asked for or not.
ALWAYS_JUDGED: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy",),
    "regression": ("mean_absolute_error", "r2_score"),
}

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *(both for one in _QUALITIES for both in (one, replace(one, name=f"float_{one.name}"))),
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

_SHORT = {
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "r2": "r2_score",
    "f1": "f1_score",
}


def find_metric(name: str, *, key: tuple[str, ...] = ()) -> Metric:
    """The metric of that name.

    Args:
        key: where the name stands, for the error.

    Raises:
        BadOption: there is none; the remedy names the nearest ones.
    """
    if name not in METRICS:
        remedy = f"did you mean '{_SHORT[name]}'?" if name in _SHORT else nearest(name, METRICS)
        raise BadOption(key, f"no metric is called '{name}'", remedy=remedy)
    return METRICS[name]


def find_quality(name: str, *, key: tuple[str, ...] = ()) -> Metric:
    """As `find_metric`, of quality metrics of the int8 network alone.

    Raises:
        BadOption: there is none; the remedy names the nearest ones.
    """
    if name not in QUALITIES:
        found = f"'{name}' is no quality of the int8 network" if name in METRICS else f"no '{name}'"
        remedy = f"did you mean '{_SHORT[name]}'?" if name in _SHORT else nearest(name, QUALITIES)
        raise BadOption(key, f"{found}, expected a quality metric", remedy=remedy)
    return QUALITIES[name]


def find_cost(name: str, *, key: tuple[str, ...] = ()) -> Metric:
    """As `find_metric`, of what a network costs alone.

    Raises:
        BadOption: there is none, or it is a quality metric.
    """
    metric = find_metric(name, key=key)
    if metric.task is not None:
        raise BadOption(
            key,
            f"got '{name}', expected what a network costs, which is better when smaller",
            remedy="known: " + ", ".join(one.name for one in METRICS.values() if one.task is None),
        )
    return metric


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
    if (amount < 0 and metric.unit != "score") or (metric.unit in ("share", "score") and amount > 1):
        hint = f"; for {amount:g} % write {amount / 100:g}" if 1 < amount <= 100 else ""
        span = {"share": "0 to 1", "score": "at most 1"}.get(metric.unit, "0 or more")
        raise BadOption(
            (), f'"{text.strip()}": {metric.name} is {span}', remedy=f"write a number of {span}{hint}"
        )
    return amount
