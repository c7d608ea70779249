"""An evaluator that does everything but train: for soaking boards, to which a training makes no difference.

Each network is quantized, planned, built, flashed and measured with its initial weights.  Its accuracy is
pretended: it follows from the number of parameters, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from search.cascade import Evaluator, Work
from search.finding import Finding
from search.space.base import Space
from search.trial import Stage

PRETENDED = "pretended"


class Untrained:
    """An Evaluator around another, whose TRAIN it replaces.

    Args:
        evaluator: does all other stages; this object's from now on.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @property
    def space(self) -> Space:
        """See `search.cascade.Evaluator`."""
        return self._evaluator.space

    @property
    def identity(self) -> Mapping[str, str]:
        """See `search.cascade.Evaluator`."""
        return self._evaluator.identity

    def run(self, stage: Stage, work: Work) -> Finding:
        """See `search.cascade.Evaluator`."""
        if stage is not Stage.TRAIN:
            return self._evaluator.run(stage, work)
        parameters = self.space.cost(work.architecture).parameters
        accuracy = 0.98 - 0.6 * exp(-parameters / 6000)
        return Finding(
            stage,
            values={"accuracy": accuracy},
            provenance={"accuracy": PRETENDED},
            detail={"tflite": work.findings[Stage.QUANTIZE].detail["tflite"]},
        )

    def close(self) -> None:
        """See `search.cascade.Evaluator`."""
        self._evaluator.close()
