"""What an int8 network says, as the board would, computed here."""

from __future__ import annotations

import numpy as np

from search.datasets.base import Images, Labels, Numbers


def int8_outputs(tflite: bytes, x: Images) -> Numbers:
    """(count, outputs), float32: what the int8 model says of `x`, as the board would, dequantized.

    Args:
        tflite: an int8 model from (1, height, width, channels) to (1, outputs).
        x: (count, height, width, channels), float32, as the float model takes them.
    """
    from hil.graph import read
    from hil.interpreter import HostInterpreter

    graph = read(tflite)
    given = graph.input_tensor
    steps = np.rint(x / np.float32(given.scale)) + given.zero_point
    scores = HostInterpreter(graph).run(np.clip(steps, -128, 127).astype(np.int8))
    gave = graph.output_tensor
    return ((scores.astype(np.float32) - gave.zero_point) * gave.scale).astype(np.float32)


def int8_accuracy(tflite: bytes, x: Images, y: Labels) -> float:
    """Share of `x` that the int8 model puts into class `y` (count,), 0 to 1, as the board would."""
    return int(np.sum(int8_outputs(tflite, x).argmax(axis=-1) == y)) / len(y)
