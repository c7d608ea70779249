"""Device figures as tables, beside those of others (benchmarks/peers.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from hil.measurement import LayerMeasurement, Measurement

COSTLIEST = 5


@dataclass(frozen=True)
class Result:
    """One model, measured.

    Attributes:
        file_bytes: size of the .tflite file, which TensorFlow Lite Micro keeps in flash as it is.
    """

    name: str
    measurement: Measurement
    file_bytes: int


def load_peers() -> dict[str, Any]:
    """The figures of others, with their sources."""
    return tomllib.loads(Path(__file__).with_name("peers.toml").read_text())


def sources(peers: Mapping[str, Any]) -> list[str]:
    """Where each peer's figures come from, one line each."""
    return [f"{peer['name']}: {peer['source']}" for peer in peers.values()]


def _table(title: str, *headings: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position else "left", no_wrap=True)
    return table


def work_table(results: list[Result], peers: Mapping[str, Any] | None) -> Table:
    """Instructions and cycles; beside them the peers' where they are known."""
    headings = ["", "MACs", "instructions", "per MAC"]
    if peers is not None:
        headings += [f"{peers['cmsis_nn']['name']}\n(QEMU)", "ratio"]
    headings += ["cycles\nemulated", "per MAC\nemulated"]
    if peers is not None:
        headings += [f"{peers['x_cube_ai']['name']}\nper MAC, silicon"]
    table = _table("work of one inference", *headings, "general\npath")
    for result in results:
        m = result.measurement
        executed = m.instructions or 0
        row = [result.name, f"{m.macs:,}", f"{executed:,}", _per_mac(executed, m.macs)]
        if peers is not None:
            peer = peers["cmsis_nn"]["models"][result.name]["instructions"]
            row += [f"{peer:,}", _ratio(executed, peer)]
        row += [f"{m.cycles:,}", _per_mac(m.cycles, m.macs)]
        if peers is not None:
            row += [f"{_silicon_cycles(peers, result.name) / m.macs:.2f}"]
        table.add_row(*row, f"{m.general_share:.1%}")
    return table


def memory_table(results: list[Result], peers: Mapping[str, Any] | None) -> Table:
    """Bytes of arena, code and weights."""
    headings = [""]
    for what in ("arena", "code", "weights"):
        beside = "its .tflite" if what == "weights" else "TFLM"
        headings += [f"{what}\nbytes", *((beside, "ratio") if peers is not None else ())]
    table = _table("memory", *headings)
    for result in results:
        m = result.measurement
        row = [result.name]
        for what, ours in (("arena_bytes", m.arena_bytes), ("code_bytes", m.code_bytes)):
            row.append(f"{ours:,}")
            if peers is not None:
                peer = peers["cmsis_nn"]["models"][result.name][what]
                row += [f"{peer:,}", _ratio(ours, peer)]
        row.append(f"{m.weight_bytes:,}")
        if peers is not None:
            row += [f"{result.file_bytes:,}", _ratio(m.weight_bytes, result.file_bytes)]
        table.add_row(*row)
    return table


def layer_table(result: Result) -> Table:
    """The costliest layers of one model."""
    m = result.measurement
    total = sum(layer.cycles for layer in m.layers) or 1
    costliest = sorted(m.layers, key=lambda layer: -layer.cycles)[:COSTLIEST]
    title = f"{result.name}: the {len(costliest)} costliest of {len(m.layers)} layers (emulated)"
    table = _table(title, "layer", "kernel", "output", "MACs", "cycles", "cycles/MAC", "share")
    table.columns[1].justify = "left"
    for layer in costliest:
        table.add_row(
            f"{layer.index} {layer.operator}",
            layer.variant,
            _shape(layer),
            f"{layer.macs:,}" if layer.macs else "",
            f"{layer.cycles:,}",
            _per_mac(layer.cycles, layer.macs),
            f"{layer.cycles / total:.1%}",
        )
    return table


def _shape(layer: LayerMeasurement) -> str:
    return "x".join(str(size) for size in layer.output_shape[1:])


def _per_mac(figure: int, macs: int) -> str:
    return f"{figure / macs:.2f}" if macs else ""


def _ratio(ours: int, peer: int) -> str:
    return f"{ours / peer:.2f}"


def _silicon_cycles(peers: Mapping[str, Any], name: str) -> float:
    peer = peers["x_cube_ai"]
    return float(peer["models"][name]["latency_ms"] * 1e-3 * peer["clock_hz"])
