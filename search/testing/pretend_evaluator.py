"""An evaluator that behaves like the real one, in microseconds: figures follow from an architecture's cost.

It leaves traces as the real one does (artifacts, measurements in the store), so that a study can be
interrupted anywhere with it.  `faults` plans what goes wrong: it is called before each stage and raises what
it likes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from math import exp

from search.cascade import Work
from search.events import EpochFinished
from search.finding import Finding
from search.space.base import Space
from search.trial import Stage

EPOCHS = 3
FIRMWARE_STATIC_BYTES, FIRMWARE_STACK_BYTES, FIRMWARE_CODE_BYTES = 1_000, 600, 12_000
DEVICE = "pretend"

Faults = Callable[[Stage, Work], None]


def no_faults(stage: Stage, work: Work) -> None:
    """Nothing goes wrong."""


class PretendEvaluator:
    """See the module.

    Args:
        space: what architectures are read with.
        faults: called before each stage; what it raises comes out of `run`.
        identity: see `search.cascade.Evaluator`.
    """

    def __init__(
        self, space: Space, *, faults: Faults = no_faults, identity: Mapping[str, str] | None = None
    ) -> None:
        self.space = space
        self.identity: Mapping[str, str] = identity if identity is not None else {"data": "0" * 64}
        self.closed = False
        self._faults = faults

    def run(self, stage: Stage, work: Work) -> Finding:
        """The finding that follows from the architecture; the same one every time."""
        self._faults(stage, work)
        cost = self.space.cost(work.architecture)
        scatter = hashlib.sha256(work.architecture.text.encode()).digest()[0] / 255 - 0.5
        ram = cost.peak_activation_bytes + FIRMWARE_STATIC_BYTES
        match stage:
            case Stage.ANALYTIC:
                values: dict[str, float] = {"macs": cost.macs, "parameters": cost.parameters}
                return _finding(stage, values, at_least={"ram_bytes": cost.peak_activation_bytes})
            case Stage.QUANTIZE:
                content = f"untrained {work.architecture}".encode()
                return _finding(
                    stage, {}, tflite=work.store.write_artifact(work.number, "untrained.tflite", content)
                )
            case Stage.PLAN:
                work.store.artifact(work.findings[Stage.QUANTIZE].detail["tflite"])
                return _finding(stage, {"arena_bytes": cost.peak_activation_bytes})
            case Stage.BUILD:
                digest = hashlib.sha256(work.architecture.text.encode()).hexdigest()
                flash = cost.weight_bytes + FIRMWARE_CODE_BYTES
                return _finding(stage, {"flash_bytes": flash}, at_least={"ram_bytes": ram}, image=digest)
            case Stage.MEASURE | Stage.DEPLOY:
                digest = work.findings[Stage.BUILD].detail["image"]
                kept = work.store.measurement(digest, DEVICE, {"stage": stage.value})
                if kept is None:
                    kept = {
                        "latency_us": 300 + cost.macs / 25 * (1 + 0.1 * scatter),
                        "ram_bytes": float(ram + FIRMWARE_STACK_BYTES),
                    }
                    work.store.add_measurement(digest, DEVICE, {"stage": stage.value}, kept)
                return _finding(stage, kept)
            case Stage.TRAIN:
                for epoch in range(1, EPOCHS + 1):
                    work.emit(EpochFinished(work.number, epoch, EPOCHS, 1.0 / epoch))
                accuracy = 0.98 - 0.6 * exp(-cost.parameters / 6000) + 0.01 * scatter
                content = f"trained {work.architecture}".encode()
                return _finding(
                    stage,
                    {"accuracy": accuracy, "float_accuracy": accuracy},
                    tflite=work.store.write_artifact(work.number, "model.tflite", content),
                )

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def _finding(
    stage: Stage, values: Mapping[str, float], *, at_least: Mapping[str, float] | None = None, **detail: str
) -> Finding:
    return Finding(stage, values, dict.fromkeys(values, "pretend"), at_least or {}, detail)
