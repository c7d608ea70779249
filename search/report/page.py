"""The study as one self-contained HTML page: no script, no font and no picture from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hil import units
from hil.measurement import Measurement
from hil.meters.text import metered
from hil.patches import Patches
from search.report.data import COMPILED, Network, StudyReport
from search.report.figures import NOTES, columns, figure, limit_text
from search.report.plot import front_picture
from search.report.table import summary
from search.trial import State

_TEMPLATE = Path(__file__).with_name("page.html.jinja")


@dataclass(frozen=True)
class Cell:
    """One figure with its origin; `title` is shown when the pointer rests on it."""

    text: str
    origin: str
    title: str = ""


def page(report: StudyReport) -> str:
    """Render the page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    known = {metric for n in report.front_networks for metric in n.values}
    metrics = columns(tuple(o.metric for o in report.objectives.objectives), known)
    svg = front_picture(report, "svg").decode() if report.front else ""
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        report=report,
        summary=summary(report),
        limits=[limit_text(constraint) for constraint in report.objectives.constraints],
        picture=svg[svg.find("<svg") :],
        headings=[figure(m).heading for m in metrics],
        notes=[NOTES[m] for m in metrics if m in NOTES],
        front=[(n, [_cell(n, m) for m in metrics]) for n in report.front_networks],
        details=[(n, _facts(n), _layers(n.measurement), _origin(n)) for n in report.front_networks],
        refused=[_refusal(n) for n in report.in_state(State.INFEASIBLE)],
        failed=report.in_state(State.FAILED),
    )


def _cell(network: Network, metric: str) -> Cell:
    values = network.values
    if metric not in values:
        return Cell("", "")
    return Cell(
        figure(metric).show(values[metric]),
        network.provenance.get(metric, ""),
        f"{metric} = {values[metric]:.10g}",
    )


def _facts(network: Network) -> list[tuple[str, str, Cell]]:
    """Name, meaning and value of what one measurement says."""
    m = network.measurement
    if m is None:
        return []
    origin = m.origin.provenance.value
    facts = [
        (
            "latency",
            f"median of {m.runs} runs, {m.cycles:,} cycles",
            Cell(units.duration(m.latency_us), origin),
        ),
        (
            "RAM",
            f"arena {m.arena_bytes:,} + static {m.static_bytes:,} + stack {m.stack_bytes:,} bytes",
            Cell(units.size(m.ram_bytes), origin),
        ),
        (
            "flash",
            f"code {m.code_bytes:,} + weights {m.weight_bytes:,} bytes",
            Cell(units.size(m.flash_bytes), origin),
        ),
    ]
    if patches := Patches.from_settings(m.origin.settings):
        plain = f"the arena would take {patches.plain_arena_bytes:,} bytes in one piece"
        facts.append(("patched", f"{patches}; {plain}", Cell(f"{patches.stripes} stripes", COMPILED)))
    if m.energy_uj is not None and m.energy_provenance is not None:
        how = "per inference" if m.energy is None else metered(m.energy)
        facts.append(("energy", how, Cell(units.energy(m.energy_uj), m.energy_provenance.value)))
    if m.macs:
        slower = f"{m.general_macs:,} of {m.macs:,} MACs by slower kernels, where the best one does not suit"
        facts.append(("general path", slower, Cell(f"{m.general_share:.1%}", COMPILED)))
    if network.deployed is not None and network.searched is not None:
        before = network.searched
        text = f"{units.duration(before.latency_us)}, RAM {units.size(before.ram_bytes)}"
        facts.append(
            (
                "before training",
                "what the search saw, with untrained weights; "
                f"{before.general_share:.1%} of the MACs on the general path",
                Cell(text, before.origin.provenance.value),
            )
        )
    if not m.output_checked:
        facts.append(("output", "a simulated board runs no network", Cell("not run", "")))
        return facts
    check = m.check
    compared = f"{check.elements} values against {check.reference}, tolerance {check.tolerance}"
    facts.append(
        (
            "output",
            compared,
            Cell("equal" if check.max_difference == 0 else f"differs by {check.max_difference}", origin),
        )
    )
    return facts


@dataclass(frozen=True)
class LayerRow:
    """One layer with the length of its bars in percent of the longest."""

    index: int
    operator: str
    layer: str
    shape: str
    macs: str
    latency: str
    latency_bar: float
    ram: str
    ram_bar: float
    variant: str


def _layers(m: Measurement | None) -> list[LayerRow]:
    if m is None or not m.layers:
        return []
    most_us = max(layer.latency_us for layer in m.layers) or 1.0
    most_bytes = max(layer.live_bytes for layer in m.layers) or 1
    return [
        LayerRow(
            index=layer.index,
            operator=layer.operator,
            layer=layer.layer,
            shape="×".join(str(n) for n in layer.output_shape[1:]),
            macs=units.count(layer.macs) if layer.macs else "",
            latency=units.duration(layer.latency_us),
            latency_bar=100 * layer.latency_us / most_us,
            ram=units.size(layer.live_bytes),
            ram_bar=100 * layer.live_bytes / most_bytes,
            variant=layer.variant,
        )
        for layer in m.layers
    ]


def _origin(network: Network) -> list[tuple[str, str]]:
    m = network.measurement
    if m is None:
        return []
    o = m.origin
    cache = {True: "on", False: "off", None: "none"}[o.instruction_cache]
    return [
        ("provenance", o.provenance.value),
        ("device", o.device),
        ("board, clock", f"{o.board_id}, {o.clock_hz / 1e6:g} MHz"),
        ("instruction cache", cache),
        ("runtime, firmware", f"{o.runtime}, {o.firmware_version}"),
        ("model SHA-256", o.model_digest),
        ("image SHA-256", o.image_digest),
        ("board profile SHA-256", o.profile_digest),
        ("measured at", o.measured_at),
        ("settings", ", ".join(f"{k} {v:g}" for k, v in o.settings.items())),
        ("tools", ", ".join(f"{k} {v}" for k, v in o.tools.items())),
    ]


def _refusal(network: Network) -> tuple[int, str, str, str, str, str]:
    trial, why = network.trial, network.trial.infeasibility
    if why is None:
        return (trial.number, str(trial.architecture), "", "", "", "")
    show = figure(why.metric).show
    return (
        trial.number,
        str(trial.architecture),
        why.stage.value,
        figure(why.metric).heading,
        show(why.value),
        show(why.limit),
    )
