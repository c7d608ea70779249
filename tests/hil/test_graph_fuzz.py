"""Damaged .tflite files give an error of this package or a consistent graph, never anything else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import InputError
from hil.graph import read
from hil.memory import Needs, plan
from tests.support.tflite_builder import Builder


def sample() -> bytes:
    """A model with most of the schema's tables that are read."""
    rng = np.random.default_rng(1)
    b = Builder("fuzz")
    x = b.input((1, 6, 6, 2), scale=0.1, zero_point=3)
    y = b.conv2d(
        x,
        rng.integers(-127, 128, (4, 3, 3, 2), dtype=np.int8),
        rng.integers(-99, 99, 4),
        weight_scales=[0.01, 0.02, 0.03, 0.04],
        out_scale=0.2,
        out_zero_point=0,
        stride=(2, 2),
        activation="RELU",
        name="net/conv/convolution",
    )
    y = b.depthwise_conv2d(
        y,
        rng.integers(-127, 128, (1, 3, 3, 4), dtype=np.int8),
        weight_scales=[0.01],
        out_scale=0.2,
        out_zero_point=0,
    )
    y = b.pad(y, [(0, 0), (1, 0), (0, 1), (0, 0)])
    y = b.average_pool2d(b.concatenation([y, b.relu(y)], axis=-1), (2, 2))
    y = b.mean(b.add(y, y, out_scale=0.3, out_zero_point=1), [1, 2])
    y = b.fully_connected(
        b.reshape(y, (1, 8)),
        rng.integers(-127, 128, (3, 8), dtype=np.int8),
        rng.integers(-99, 99, 3),
        weight_scales=[0.01],
        out_scale=0.2,
        out_zero_point=0,
    )
    return b.finish(b.softmax(y))


SAMPLE = sample()


def check(content: bytes) -> None:
    """Read it; plan it where that works.  Any exception but an InputError fails the test."""
    try:
        graph = read(content)
    except InputError:
        return
    if graph.input_tensor.elements < 1 << 20:
        plan(graph, [Needs()] * len(graph.operators))


def test_the_sample_itself_is_fine() -> None:
    assert len(read(SAMPLE).operators) == 11


def test_every_truncation() -> None:
    for length in range(0, len(SAMPLE), 11):
        check(SAMPLE[:length])


def test_every_byte_at_its_extremes() -> None:
    for position in range(8, len(SAMPLE), 5):
        for value in (0x00, 0x7F, 0xFF):
            check(SAMPLE[:position] + bytes([value]) + SAMPLE[position + 1 :])


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(8, len(SAMPLE) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6
    ),
    cut=st.integers(0, 32),
)
def test_random_damage(changes: list[tuple[int, bytes]], cut: int) -> None:
    content = bytearray(SAMPLE)
    for position, value in changes:
        content[position : position + len(value)] = value
    check(bytes(content[: len(content) - cut]))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_behind_the_identifier(rest: bytes) -> None:
    check(b"\x20\x00\x00\x00TFL3" + rest)
