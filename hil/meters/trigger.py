"""Where the window lies in a recording: between the two edges of the trigger.  Nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.errors import MissingTrigger
from hil.meters.recording import Recording

_DURATION_TOLERANCE = 0.02  # clocks of board and meter; ceramic resonators of Arduino boards have 0.5 %
_DURATION_SLACK_SAMPLES = 3


@dataclass(frozen=True)
class Found:
    """The window in samples.

    Attributes:
        first, end: samples within the window.
        rise_width, fall_width: samples between which each edge lies somewhere; 1 where none was lost there.
    """

    first: int
    end: int
    rise_width: int
    fall_width: int


def find_window(recording: Recording, expected_s: float, *, device: str, wire: str) -> Found:
    """The one time that the trigger was high.

    Args:
        expected_s: how long that was by the firmware's own clock.
        device: the device's name, for errors.
        wire: which pins the trigger's wire connects, for errors.

    Raises:
        MissingTrigger: the trigger did not rise and fall exactly once, or its pulse is not that of the
            window.
    """

    def missing(what: str) -> MissingTrigger:
        return MissingTrigger(f"{what}, so where the inferences lie is not known", device=device, wire=wire)

    seen = np.flatnonzero(~recording.lost)
    levels = recording.trigger[seen]
    if levels.size == 0:
        raise missing("the meter gave no samples")
    edges = np.flatnonzero(levels[1:] != levels[:-1]) + 1
    if levels[0]:
        raise missing("the trigger was high before the inferences began")
    if edges.size == 0:
        raise missing("the trigger never rose")
    if edges.size == 1:
        raise missing("the trigger rose and never fell")
    if edges.size > 2:
        raise missing(f"the trigger has {edges.size} edges, expected 2")
    rise, fall = (int(edge) for edge in edges)
    before_rise, after_rise = int(seen[rise - 1]), int(seen[rise])
    before_fall, after_fall = int(seen[fall - 1]), int(seen[fall])
    # Each edge is taken as in the middle between the samples on its two sides.
    first, end = (before_rise + after_rise) // 2 + 1, (before_fall + after_fall) // 2 + 1
    slack = _DURATION_SLACK_SAMPLES + (after_rise - before_rise) + (after_fall - before_fall)
    found_s = (end - first) / recording.rate_hz
    if abs(found_s - expected_s) > _DURATION_TOLERANCE * expected_s + slack / recording.rate_hz:
        raise missing(
            f"the trigger was high for {found_s * 1e3:,.3f} ms, the firmware says {expected_s * 1e3:,.3f} ms"
        )
    return Found(first, end, after_rise - before_rise, after_fall - before_fall)
