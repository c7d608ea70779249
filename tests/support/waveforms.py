"""Waveforms of known charge, sampled as a meter would: what the integration is held to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hil.meters.recording import Recording

VOLTAGE_V = 3.0


@dataclass(frozen=True)
class Waveform:
    """Current in steps, and a trigger that is high for `window_s`.

    Attributes:
        active_a: levels of the current within the window, each for an equal share of it, repeated `repeats`
            times (one for each inference).
        idle_a: current outside.
        lead_s, tail_s: before and behind the window.
        phase: 0 to 1, where within a sample the window begins.
    """

    active_a: tuple[float, ...]
    idle_a: float
    window_s: float
    repeats: int = 10
    lead_s: float = 0.05
    tail_s: float = 0.02
    phase: float = 0.0

    @property
    def charge_c(self) -> float:
        """Of the window."""
        return float(np.mean(self.active_a)) * self.window_s

    @property
    def energy_j(self) -> float:
        return VOLTAGE_V * self.charge_c

    def current(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """At these times, counted from the window's beginning."""
        within = (time_s >= 0) & (time_s < self.window_s)
        step = self.window_s / self.repeats / len(self.active_a)
        level = np.floor(np.where(within, time_s, 0.0) / step).astype(int) % len(self.active_a)
        return np.where(within, np.asarray(self.active_a)[level], self.idle_a)

    def times(self, rate_hz: float) -> NDArray[np.float64]:
        """Of the samples, counted from the window's beginning."""
        count = round((self.lead_s + self.window_s + self.tail_s) * rate_hz)
        return (np.arange(count) + self.phase) / rate_hz - self.lead_s

    def trigger(self, rate_hz: float) -> NDArray[np.bool_]:
        """Of the samples."""
        times = self.times(rate_hz)
        return (times >= 0) & (times < self.window_s)

    def recording(self, rate_hz: float) -> Recording:
        """As a faultless meter sees it."""
        return Recording(self.current(self.times(rate_hz)), self.trigger(rate_hz), VOLTAGE_V, rate_hz)


def without(recording: Recording, first: int, count: int) -> Recording:
    """`recording` with `count` samples lost from `first` on."""
    current = recording.current_a.copy()
    current[first : first + count] = np.nan
    return replace(recording, current_a=current)
