"""The benchmark's performance mode: five windows of at least 10 s and 10 inferences, and their median.

Source: Banbury et al., "MLPerf Tiny Benchmark", 2021 (arXiv:2106.07597), 5.3: per input stimulus "run
inference for a minimum of 10 seconds and 10 iterations, measure the inferences per second (IPS); report the
median IPS of the five runs as the score".
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from hil.mlperf.dialogue import Dialogue

WINDOWS = 5
MIN_WINDOW_S = 10.0
MIN_ITERATIONS = 10
# Of a window's length: more than the clock's resolution and the first inference's irregularity.
_MARGIN = 1.02


@dataclass(frozen=True)
class Window:
    """One `infer`."""

    iterations: int
    elapsed_us: int

    @property
    def inferences_per_s(self) -> float:
        return self.iterations * 1e6 / self.elapsed_us


@dataclass(frozen=True)
class Performance:
    """The windows, and the results of the last."""

    windows: tuple[Window, ...]
    results: str

    @property
    def inferences_per_s(self) -> float:
        """The score: the median of the windows."""
        return statistics.median(window.inferences_per_s for window in self.windows)


def iterations_for(single_us: int, window_s: float = MIN_WINDOW_S) -> int:
    """How many inferences of `single_us` fill a window of `window_s` by the rule."""
    return max(MIN_ITERATIONS, int(window_s * 1e6 * _MARGIN / max(1, single_us)) + 1)


def measure_performance(
    dialogue: Dialogue,
    inputs: Sequence[bytes],
    *,
    window_s: float = MIN_WINDOW_S,
    windows: int = WINDOWS,
    timeout_s: float = 600.0,
) -> Performance:
    """Load an input and infer, `windows` times; `inputs` take turns.

    Args:
        inputs: contents of input files, at least one.
        window_s: of the board's clock.  Below 10 s the figure is not one by the rules.
        timeout_s: on the host, of one window.
    """
    dialogue.load(inputs[0])
    # Two lengths, so that what a lap costs by itself (a line of text on the serial port) is not divided out.
    few, more = (dialogue.infer(n, 1, timeout_s=timeout_s).elapsed_us for n in (2, 4))
    iterations = iterations_for(max(1, (more - few) // 2), window_s)
    measured = []
    results = ""
    for turn in range(windows):
        dialogue.load(inputs[turn % len(inputs)])
        answer = dialogue.infer(iterations, 1, timeout_s=timeout_s)
        measured.append(Window(iterations, answer.elapsed_us))
        results = answer.results
    return Performance(tuple(measured), results)
