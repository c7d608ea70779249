"""Recording -> energy of the window, with its uncertainty.

| symbol | unit | meaning |
|---|---|---|
| i_k, v_k | A, V | current and voltage of sample k |
| T, dt | s | length of the window, and of one sample |
| E | J | sum of v_k i_k dt over the samples of the window |
| g, g_v | 1 | limits of the errors of gain, of current and voltage |
| o | A | limit of the error of offset |
| w | 1 | samples between which an edge lies (1, more where samples are lost beside it) |
| n | 1 | samples lost, and those that the meter vouches less for |
| p_max, p_min | W | largest and smallest power within the window |

A limit is taken as a rectangular distribution, as the GUM does (JCGM 100:2008, 4.3.7): its standard deviation
is the half width / sqrt(3).  The parts are independent:

    gain     g E / sqrt(3)
    voltage  g_v E / sqrt(3)
    offset   o V T / sqrt(3)
    edges    sqrt(w_rise^2 + w_fall^2) dt E / T / sqrt(12)
    lost     n dt (p_max - p_min) / 2 / sqrt(3)     even if all of them are wrong in the same way

The uncertainty that is stated is twice the root of the sum of their squares (coverage about 95 %).
What is not in it: frequencies beyond the meter's bandwidth, and what the shunt's voltage drop changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import LostSamples, MeterError
from hil.meters.recording import Accuracy, Recording
from hil.meters.trigger import Found, find_window

COVERAGE = 2.0
LOST_AT_MOST = 0.01
"""Share of a window's samples that may be lost and are interpolated; beyond it the recording is refused."""

IDLE_GUARD_S = 0.010
"""Before and behind the window the board is awake: it takes the request, and sends its answer."""

_IDLE_AT_LEAST_S = 0.020


@dataclass(frozen=True)
class Integral:
    """Energy of one window.

    Attributes:
        energy_j: of the whole window; idle current subtracted where that was asked for.
        uncertainty_j: half width that covers about 95 %.
        voltage_v, current_a: means over the window.
        window_s: its length.
        samples, lost_samples: in the window, lost ones included.
        idle_current_a: mean before the window; None where the recording holds too little of it.
    """

    energy_j: float
    uncertainty_j: float
    voltage_v: float
    current_a: float
    window_s: float
    samples: int
    lost_samples: int
    idle_current_a: float | None


def integrate(
    recording: Recording,
    accuracy: Accuracy,
    *,
    expected_s: float,
    device: str,
    wire: str,
    subtract_idle: bool = False,
) -> Integral:
    """Energy between the trigger's edges.

    Args:
        expected_s: length of the window by the firmware's clock.
        device, wire: for errors, see `find_window`.
        subtract_idle: leave out what the board takes when it does nothing.

    Raises:
        MissingTrigger: see `find_window`.
        LostSamples: too many samples of the window are lost.
        MeterError: no samples show the idle current that is to be subtracted.
    """
    found = find_window(recording, expected_s, device=device, wire=wire)
    window = slice(found.first, found.end)
    lost = recording.lost
    _check_lost(int(lost[window].sum()), found.end - found.first, device)
    current = _filled(recording.current_a, lost)[window]
    voltage = np.broadcast_to(recording.voltage_v, recording.current_a.shape)
    voltage = _filled(voltage, lost)[window]
    idle = _idle_current(recording, found)
    if subtract_idle:
        if idle is None:
            raise MeterError(
                "the recording shows no idle current that could be subtracted",
                device=device,
                remedy="measure without --subtract-idle",
            )
        current = current - idle
    dt = 1.0 / recording.rate_hz
    power = voltage * current
    energy_j = float(power.sum()) * dt
    doubtful = lost if recording.doubtful is None else lost | recording.doubtful
    return Integral(
        energy_j=energy_j,
        uncertainty_j=COVERAGE
        * _standard_uncertainty(
            power, accuracy, float(voltage.mean()), dt, found, int(doubtful[window].sum())
        ),
        voltage_v=float(voltage.mean()),
        current_a=float(current.mean()),
        window_s=(found.end - found.first) * dt,
        samples=found.end - found.first,
        lost_samples=int(lost[window].sum()),
        idle_current_a=idle,
    )


def _standard_uncertainty(
    power: NDArray[np.float64], accuracy: Accuracy, voltage_v: float, dt: float, found: Found, unsure: int
) -> float:
    window_s = power.size * dt
    energy_j = abs(float(power.sum())) * dt
    parts = (
        accuracy.gain * energy_j / math.sqrt(3),
        accuracy.voltage_gain * energy_j / math.sqrt(3),
        accuracy.offset_a * voltage_v * window_s / math.sqrt(3),
        math.hypot(found.rise_width, found.fall_width) * dt * energy_j / window_s / math.sqrt(12),
        unsure * dt * float(power.max() - power.min()) / 2 / math.sqrt(3),
    )
    return math.hypot(*parts)


def _check_lost(lost: int, samples: int, device: str) -> None:
    if lost > LOST_AT_MOST * samples:
        raise LostSamples(
            f"the meter lost {lost:,} of {samples:,} samples of the window ({lost / samples:.1%}), "
            f"at most {LOST_AT_MOST:.0%} are interpolated",
            device=device,
            remedy="plug the meter into a USB port of its own, without a hub, and close other programs",
        )


def _filled(values: NDArray[np.float64], lost: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`values` with a straight line through what was lost."""
    if not lost.any():
        return np.asarray(values)
    index = np.arange(values.size)
    filled: NDArray[np.float64] = np.interp(index, index[~lost], values[~lost])
    return filled


def _idle_current(recording: Recording, found: Found) -> float | None:
    end = found.first - round(IDLE_GUARD_S * recording.rate_hz)
    if end < _IDLE_AT_LEAST_S * recording.rate_hz:
        return None
    before = recording.current_a[:end]
    kept = before[~np.isnan(before)]
    return float(kept.mean()) if kept.size else None
