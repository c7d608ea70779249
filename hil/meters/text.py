"""A metered energy in words."""

from __future__ import annotations

from hil import units
from hil.measurement import Energy


def metered(energy: Energy) -> str:
    """How an energy came about, in one line."""
    current = units.current(energy.current_a)
    if not energy.samples:
        return f"per inference; {energy.voltage_v:.2f} V x {current}"
    exactness = "" if energy.uncertainty_uj is None else f" ± {units.energy(energy.uncertainty_uj)}"
    parts = [
        f"per inference{exactness}; {energy.meter}: {energy.voltage_v:.2f} V x {current}",
        f"{energy.inferences:,} inferences in {energy.window_s:.2f} s, {energy.samples:,} samples",
    ]
    if energy.lost_samples:
        parts.append(f"{energy.lost_samples:,} of them lost")
    if energy.idle_current_a is not None:
        parts.append(
            f"idle {units.current(energy.idle_current_a)}{', subtracted' if energy.idle_subtracted else ''}"
        )
    if not energy.input_restored:
        parts.append("each inference ran on what the one before had left")
    return "; ".join(parts)
