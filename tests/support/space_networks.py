"""What a space samples goes through Keras, int8 conversion and the compiler, and costs what the space says.

def test_networks_survive() -> None:
    must_survive(make_space("cells", {}, input_shape=(8, 8, 1), classes=10), seed=1, count=2)
"""

from __future__ import annotations

import numpy as np

from hil.api import compile_model
from hil.board import load_board
from hil.graph import read
from hil.macs import model_macs
from hil.program import Program
from hil.quantize import quantize
from search import network
from search.space.base import Architecture, Space

BOARD = "nrf52840_dk"
SAMPLES = 32


def must_survive(space: Space, seed: int, count: int) -> list[Architecture]:
    """Draw `count` different architectures and hold each to `must_compile`.

    Returns:
        What was drawn, so that a test may say more of it.
    """
    rng = np.random.default_rng(seed)
    drawn: list[Architecture] = []
    while len(drawn) < count:
        architecture = space.sample(rng)
        if architecture not in drawn:
            must_compile(space, architecture)
            drawn.append(architecture)
    return drawn


def must_compile(space: Space, architecture: Architecture) -> Program:
    """Build, convert and compile one network, and hold its analytic cost against the compiler's figures.

    MACs are equal.  Activations and weights are lower bounds: the plan has scratch, and a kernel may not let
    its output lie where the bound does.
    """
    shape = space.takes(architecture)
    model = network.build(space.layers(architecture), shape, seed=0)
    inputs = np.random.default_rng(0).random((SAMPLES, *shape), dtype=np.float32)
    network.settle(model, inputs)
    tflite = quantize(model, inputs)
    network.forget_models()
    program = compile_model(tflite, board=load_board(BOARD))
    cost = space.cost(architecture)
    assert cost.macs == model_macs(read(tflite)), architecture
    assert cost.peak_activation_bytes <= program.plan.arena_bytes, architecture
    assert cost.weight_bytes <= program.weight_bytes, architecture
    return program
