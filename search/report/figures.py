"""Metrics in words: heading, value for people, axis.  One table for terminal, picture and page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil import units
from search.metrics import QUALITIES
from search.objective import Constraint


@dataclass(frozen=True)
class Figure:
    """How one metric is shown.

    Attributes:
        heading: of a column.
        show: value -> text with unit.
        axis: (label, divisor) for a picture.
    """

    heading: str
    show: Callable[[float], str]
    axis: tuple[str, float]


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _number(value: float) -> str:
    return f"{value:.4g}"


_HEADINGS = {
    "f1_score": "F1",
    "auc": "AUC",
    "top_k_categorical_accuracy": "top 5",
    "mean_absolute_error": "MAE",
    "mean_squared_error": "MSE",
    "root_mean_squared_error": "RMSE",
    "r2_score": "R2",
}


def _quality(name: str, kind: str = "int8", split: str = "validation") -> Figure:
    """A quality metric but accuracy, of the int8 or the float network, on one split."""
    heading = _HEADINGS.get(name, name)
    share = QUALITIES[name].unit == "share"
    axis = f"{kind} {heading} on {split} data"
    beside = {"float": "float ", "int8": ""}[kind] + heading + ("" if split == "validation" else " on test")
    return Figure(beside, _percent if share else _number, (f"{axis}, %", 0.01) if share else (axis, 1.0))


FIGURES = {
    "accuracy": Figure("accuracy", _percent, ("int8 accuracy on validation data, %", 0.01)),
    "float_accuracy": Figure("float acc.", _percent, ("float accuracy on validation data, %", 0.01)),
    "test_accuracy": Figure("on test", _percent, ("int8 accuracy on test data, %", 0.01)),
    **{name: _quality(name) for name in QUALITIES if name != "accuracy"},
    **{f"float_{name}": _quality(name, "float") for name in QUALITIES if name != "accuracy"},
    **{f"test_{name}": _quality(name, "int8", "test") for name in QUALITIES if name != "accuracy"},
    "latency_us": Figure("latency", units.duration, ("latency, ms", 1e3)),
    "untrained_latency_us": Figure("untrained", units.duration, ("latency with untrained weights, ms", 1e3)),
    "general_share": Figure("general", _percent, ("share of MACs on the general path, %", 0.01)),
    "cycles": Figure("cycles", units.count, ("cycles, million", 1e6)),
    "ram_bytes": Figure("RAM", units.size, ("RAM, KiB", 1024.0)),
    "arena_bytes": Figure("arena", units.size, ("arena, KiB", 1024.0)),
    "flash_bytes": Figure("flash", units.size, ("flash, KiB", 1024.0)),
    "weight_bytes": Figure("weights", units.size, ("weights, KiB", 1024.0)),
    "energy_uj": Figure("energy", units.energy, ("energy, uJ", 1.0)),
    "macs": Figure("MACs", units.count, ("MACs, million", 1e6)),
    "parameters": Figure("parameters", units.count, ("parameters, thousand", 1e3)),
}


def figure(metric: str) -> Figure:
    """How `metric` is shown; an unknown one by its name and a plain number."""
    return FIGURES.get(metric, Figure(metric, lambda value: f"{value:.4g}", (metric, 1.0)))


def counted(count: int, noun: str) -> str:
    """1, "trial" -> "1 trial"; 2 -> "2 trials"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def limit_text(constraint: Constraint) -> str:
    """A limit in the unit that reads best: "latency <= 20.0 ms"."""
    shown = figure(constraint.metric)
    return f"{shown.heading} {constraint.relation} {shown.show(constraint.limit)}"


# Shown for every network, objectives or not, in this order.
ALWAYS = (
    "accuracy",
    "test_accuracy",
    "mean_absolute_error",
    "r2_score",
    "latency_us",
    "ram_bytes",
    "flash_bytes",
    "energy_uj",
    "general_share",
)

# What stands beside another metric wherever that one has a column.
BESIDE = {"latency_us": "untrained_latency_us"} | {
    name: f"test_{name}" for name in QUALITIES if name != "accuracy"
}

#: Headings that need a word of explanation.
NOTES = {
    "untrained_latency_us": "untrained: the latency that the search saw; latency: with the trained weights",
    "general_share": "general: share of the MACs by slower kernels, where the best one does not suit",
}


def columns(objectives: tuple[str, ...], known: set[str]) -> list[str]:
    """The metrics worth a column: the objectives first, then the usual ones that are known."""
    found = []
    for metric in (*objectives, *(m for m in ALWAYS if m not in objectives and m in known)):
        found.append(metric)
        if BESIDE.get(metric) in known:
            found.append(BESIDE[metric])
    return found
