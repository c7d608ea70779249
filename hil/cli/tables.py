"""Measurements as tables for the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from hil import units
from hil.measurement import Measurement
from hil.meters.text import metered
from hil.patches import Patches

# Columns that must not be cut, for figures without their unit are worth nothing.
_WIDTHS = {"latency": 7, "share": 6, "cycles/MAC": 10, "RAM": 8, "MACs": 6, "weights": 8}


def measurement_table(name: str, m: Measurement) -> Table:
    """All figures of one measurement, each with its provenance."""
    origin = m.origin
    measured = origin.provenance.value
    table = Table(
        box=box.SIMPLE_HEAD, title=f"{name} on {origin.device}", title_justify="left", title_style="bold"
    )
    table.add_column("")
    table.add_column("figure", justify="right", style="bold")
    table.add_column("of which")
    table.add_column("origin")

    spread = (m.latency_max_us - m.latency_min_us) / m.latency_us if m.latency_us else 0.0
    table.add_row(
        "latency",
        units.duration(m.latency_us),
        f"{m.cycles:,} cycles at {origin.clock_hz / 1e6:g} MHz; median of {m.runs}, spread {spread:.1%}",
        measured,
    )
    per_mac = f", {m.cycles / m.macs:.2f} cycles/MAC" if m.macs else ""
    executed = f"{m.instructions:,} instructions, " if m.instructions is not None else ""
    table.add_row("work", f"{units.count(m.macs)} MAC", f"{executed}{m.macs:,} MACs{per_mac}", measured)
    if m.macs:
        general = f"{m.general_macs:,} MACs by slower kernels than the core's best for that operator"
        table.add_row("general path", f"{m.general_share:.1%}", general, "")
    table.add_row(
        "RAM",
        units.size(m.ram_bytes),
        f"arena {m.arena_bytes:,} + static {m.static_bytes:,} + stack {m.stack_bytes:,} bytes",
        measured,
    )
    if patches := Patches.from_settings(origin.settings):
        plain = f"arena in one piece {patches.plain_arena_bytes:,} bytes"
        table.add_row("patched", f"{patches.stripes} stripes", f"{patches}; {plain}", "planned")
    table.add_row(
        "flash",
        units.size(m.flash_bytes),
        f"code {m.code_bytes:,} + weights {m.weight_bytes:,} bytes",
        measured,
    )
    if m.energy_uj is not None and m.energy_provenance is not None:
        of_which = "per inference" if m.energy is None else metered(m.energy)
        table.add_row("energy", units.energy(m.energy_uj), of_which, m.energy_provenance.value)
    if m.output_checked:
        check = m.check
        verdict = "equal" if check.max_difference == 0 else f"differs by {check.max_difference}"
        kind = "exact" if check.exact else f"tolerance {check.tolerance}"
        compared = f"{check.elements} values against {check.reference} ({kind})"
        table.add_row("output", verdict, compared, measured)
    else:
        table.add_row("output", "not run", "a simulated board runs no network", "")
    return table


def layers_table(m: Measurement, width: int) -> Table:
    """One row per operator that runs; on a terminal narrower than 130 without the lesser columns."""
    table = Table(box=box.SIMPLE_HEAD, title="per layer", title_justify="left", title_style="bold")
    table.add_column("#", justify="right", no_wrap=True, min_width=2)
    table.add_column("operator", no_wrap=True, min_width=17)
    wide = width >= 130
    if wide:
        table.add_column("layer", no_wrap=True, overflow="ellipsis")
    table.add_column("output", no_wrap=True, min_width=8)
    for heading in ("latency", "share", "cycles/MAC", "RAM", *(("MACs", "weights") if wide else ())):
        table.add_column(heading, justify="right", no_wrap=True, min_width=_WIDTHS[heading])
    if wide:
        table.add_column("kernel", no_wrap=True, overflow="ellipsis")
    total = sum(layer.cycles for layer in m.layers) or 1
    for layer in m.layers:
        lesser = (
            units.count(layer.macs) if layer.macs else "",
            units.size(layer.weight_bytes) if layer.weight_bytes else "",
            layer.variant.partition("/")[2],
        )
        table.add_row(
            str(layer.index),
            layer.operator,
            *((layer.layer,) if wide else ()),
            "x".join(str(n) for n in layer.output_shape[1:]),
            units.duration(layer.latency_us),
            f"{layer.cycles / total:.1%}",
            f"{layer.cycles / layer.macs:.2f}" if layer.macs else "",
            units.size(layer.live_bytes),
            *(lesser if wide else ()),
        )
    return table
