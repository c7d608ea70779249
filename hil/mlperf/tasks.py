"""What the input files of each task hold, and what the results must be: the twin of hil_mlperf_task.c.

The task is told from the sizes of the model's input and output.  Sources: submitter_implemented.cpp of each
reference submission in github.com/mlcommons/tiny, and datasets/README.md of github.com/eembc/energyrunner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.graph.types import Graph


@dataclass(frozen=True)
class Task:
    """One model's way from a file to its results.

    Attributes:
        name: of the benchmark's task; "" for any other model.
        flip: by exclusive or, what turns a byte of the file into one of the model's.
        floats: the file holds float32, and the result is the mean square of output - input.
    """

    name: str
    flip: int
    floats: bool
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int

    def file(self, samples: NDArray[np.int8]) -> bytes:
        """The file that gives the model exactly `samples`."""
        if self.floats:
            real = (samples.astype(np.float32) - self.input_zero_point) * np.float32(self.input_scale)
            return real.astype("<f4").tobytes()
        return (samples.view(np.uint8).ravel() ^ np.uint8(self.flip)).tobytes()

    def results(self, file: bytes, output: NDArray[np.int8]) -> str:
        """The text between the brackets of "m-results-[...]"."""
        steps = output.ravel().astype(np.int32) - self.output_zero_point
        real = steps.astype(np.float32) * np.float32(self.output_scale)
        if self.floats:
            total = np.float32(0)
            for difference in real - np.frombuffer(file, "<f4"):  # in the firmware's order, in its precision
                total += difference * difference
            return f"{float(total / np.float32(real.size)):.3f}"
        return ",".join(f"{float(value):.3f}" for value in real)


_TASKS = {
    (490, 12): ("kws01", 0x00, False),
    (3072, 10): ("ic01", 0x80, False),
    (27648, 2): ("vww01", 0x80, False),
    (640, 640): ("ad01", 0x00, True),
}


def task_of(graph: Graph) -> Task:
    """The task of a model."""
    given, answer = graph.input_tensor, graph.output_tensor
    name, flip, floats = _TASKS.get((given.size_bytes, answer.size_bytes), ("", 0, False))
    return Task(name, flip, floats, given.scale, given.zero_point, answer.scale, answer.zero_point)
