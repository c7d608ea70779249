"""A Recording: what a streaming meter saw, sample by sample, with the level of its trigger input."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Accuracy:
    """What the maker vouches for: limits, as datasheets give them.

    Attributes:
        gain: of the current, relative, e.g. 0.001 for 0.1 %.
        offset_a: of the current.
        voltage_gain: of the voltage, relative; 0.0 where the voltage is not measured but told.
        source: where these figures stand.
    """

    gain: float
    offset_a: float
    voltage_gain: float
    source: str


@dataclass(frozen=True)
class Recording:
    """Samples on an even grid of time; sample k stands for the time from (k - 1/2) to (k + 1/2) / rate_hz.

    Attributes:
        current_a: shape (n,), A; NaN where the meter lost the sample.
        trigger: shape (n,), level of the trigger input; without meaning where the sample was lost.
        voltage_v: shape (n,) or one value for all, V.
        rate_hz: samples per second.
        doubtful: shape (n,), samples that the meter itself vouches less for, e.g. those after a switch of
            its range.
    """

    current_a: NDArray[np.float64]
    trigger: NDArray[np.bool_]
    voltage_v: NDArray[np.float64] | float
    rate_hz: float
    doubtful: NDArray[np.bool_] | None = field(default=None)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Shape (n,), where the meter lost the sample."""
        return np.isnan(self.current_a)
