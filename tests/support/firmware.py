"""Small programs and a build cache for tests that compile firmware."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hil import toolchain
from hil.board import Board, load_board
from hil.codegen import generate
from hil.graph import read
from hil.program import Program
from tests.support.tflite_builder import Builder

needs_toolchain = pytest.mark.skipif(
    not toolchain.available(), reason="needs arm-none-eabi-gcc and PlatformIO (`hilnas doctor`)"
)


def dk() -> Board:
    """The profile of the nRF52840 DK."""
    return load_board("nrf52840_dk")


def conv_program(channels: int = 4, *, size: int = 8, seed: int = 0) -> Program:
    """One 3x3 convolution; different seeds have different weights."""
    rng = np.random.default_rng(seed)
    builder = Builder(f"conv {channels} {size} {seed}")
    x = builder.input((1, size, size, 2), scale=0.05, zero_point=3)
    weights = rng.integers(-127, 128, (channels, 3, 3, 2), dtype=np.int8)
    y = builder.conv2d(
        x, weights, [seed] * channels, weight_scales=[0.01] * channels, out_scale=0.1, out_zero_point=-4
    )
    return generate(read(builder.finish(y)))


def with_ram(board: Board, size_bytes: int) -> Board:
    """`board` with another amount of RAM."""
    return dataclasses.replace(board, ram=dataclasses.replace(board.ram, size_bytes=size_bytes))


def with_flash(board: Board, size_bytes: int) -> Board:
    """`board` with another amount of flash."""
    return dataclasses.replace(board, flash=dataclasses.replace(board.flash, size_bytes=size_bytes))


def with_source(program: Program, text: str) -> Program:
    """`program` with `text` appended to its model.c."""
    return dataclasses.replace(
        program, sources={**program.sources, "model.c": program.sources["model.c"] + text}
    )
