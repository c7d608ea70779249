"""One model on one device, driven by the benchmark's text commands: build, flash, talk, compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.device import Device
from hil.identity import identify
from hil.interpreter import Reference, truth
from hil.link import Link
from hil.mlperf.dialogue import Dialogue
from hil.mlperf.performance import MIN_WINDOW_S, Performance, measure_performance
from hil.mlperf.tasks import task_of
from hil.program import Program

_FLASH_TIMEOUT_S = 60.0
_SEED = 0


@dataclass(frozen=True)
class Session:
    """What the board said.

    Attributes:
        board: as it names itself.
        task: as `profile%` names the model, e.g. "kws01".
        performance: by the rules where its windows have at least 10 s.
        expected: what the results had to be, by the interpreter named in `reference`.
        exact: whether that interpreter is the truth to the last bit; else small differences mean nothing.
    """

    board: str
    task: str
    performance: Performance
    expected: str
    reference: str
    exact: bool

    @property
    def right(self) -> bool:
        """Whether the results are the expected ones, to the last digit."""
        return self.performance.results == self.expected


def run_session(program: Program, device: Device, *, window_s: float = MIN_WINDOW_S) -> Session:
    """Build and flash `program`, then lead the dialogue of the performance mode with a random input.

    Raises:
        DoesNotFit, ToolMissing, BuildFailed, FlashFailed.
        WrongImage: another image answers.
        DeviceTimeout, DeviceError: the board does not answer, or with an error.
    """
    reference: Reference = truth(program.graph)
    task = task_of(program.graph)
    rng = np.random.default_rng(_SEED)
    samples = rng.integers(-128, 128, program.graph.input_tensor.size_bytes, dtype=np.int8)
    file = task.file(samples)
    image = device.build(program)
    device.flash(image, timeout_s=_FLASH_TIMEOUT_S)
    transport = device.connect()
    try:
        identify(Link(transport, device.name), image, device)
        dialogue = Dialogue(transport, device.name)
        board = dialogue.name()
        model = dialogue.model()
        performance = measure_performance(dialogue, [file], window_s=window_s)
    finally:
        transport.close()
    output = np.frombuffer(reference.run(samples.tobytes()), np.int8)
    expected = task.results(file, output)
    return Session(board, model, performance, expected, reference.name, reference.exact)
