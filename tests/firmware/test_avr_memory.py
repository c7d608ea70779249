"""Memory of an Uno and a Mega: exact to the byte, and what does not fit is told before compiling."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hil.api import compile_model
from hil.board import Board, load_board
from hil.elf import read_elf
from hil.errors import ConstantsOutOfReach, DoesNotFit, UnsupportedOperator
from hil.firmware import build
from hil.image import Image
from tests.support.avr import needs_avr_toolchain
from tests.support.firmware import with_flash, with_ram
from tests.support.tflite_builder import Builder

pytestmark = needs_avr_toolchain


@pytest.fixture(scope="module", params=["uno", "mega2560"])
def built(request: pytest.FixtureRequest) -> tuple[Board, Image]:
    board = load_board(request.param)
    return board, build(compile_model(dense(64, 16), board=board), board)


def dense(*sizes: int) -> bytes:
    """Fully connected layers of random weights, from so many inputs to so many outputs each."""
    rng = np.random.default_rng(sum(sizes))
    builder = Builder("dense")
    x = builder.input((1, sizes[0]), scale=0.05, zero_point=3)
    for inputs, outputs in itertools.pairwise(sizes):
        weights = rng.integers(-127, 128, (outputs, inputs), dtype=np.int8)
        bias = rng.integers(-500, 500, outputs).astype(np.int32)
        x = builder.fully_connected(x, weights, bias, weight_scales=[0.01], out_scale=0.2, out_zero_point=2)
    return builder.finish(x)


def test_flash_and_ram_are_those_of_avr_size_to_the_byte(built: tuple[Board, Image]) -> None:
    _, image = built
    assert image.elf is not None
    text = subprocess.run(
        ["avr-size", "-A", str(image.elf)], capture_output=True, text=True, check=True
    ).stdout
    size = {
        words[0]: int(words[1])
        for words in map(str.split, text.splitlines())
        if words[:1] and words[0][0] == "."
    }
    flash = sum(size.get(name, 0) for name in (".vectors", ".hil_weights", ".progmem", ".text", ".data"))
    assert image.code_bytes + image.weight_bytes == flash
    assert image.static_bytes == sum(size.get(name, 0) for name in (".data", ".bss", ".noinit"))
    assert image.arena_bytes == size[".hil_arena"] == image.program.plan.arena_bytes
    assert image.weight_bytes == size[".hil_weights"] == image.program.weight_bytes


def test_profile_knows_the_firmwares_own_ram(built: tuple[Board, Image]) -> None:
    """So that what does not fit is told before anything is compiled."""
    board, image = built
    assert image.static_bytes == board.simulator.static_bytes


def test_ram_that_is_just_enough_is_enough_and_a_byte_less_is_told() -> None:
    uno = load_board("uno")
    program = compile_model(dense(64, 16), board=uno)
    need = program.plan.arena_bytes + uno.simulator.static_bytes + uno.build.stack_bytes
    assert build(program, with_ram(uno, need)).arena_bytes == program.plan.arena_bytes
    with pytest.raises(DoesNotFit) as error:
        build(program, with_ram(uno, need - 1))
    assert error.value.resource == "ram"
    assert (error.value.needed_bytes, error.value.available_bytes) == (need, need - 1)


def test_what_does_not_fit_needs_no_compiler_to_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    uno, mega = load_board("uno"), load_board("mega2560")
    with pytest.raises(DoesNotFit, match="ram"):
        build(compile_model(dense(1400, 2), board=uno), uno)
    with pytest.raises(DoesNotFit, match="flash"):
        build(compile_model(dense(800, 24, 800), board=uno), uno)
    with pytest.raises(ConstantsOutOfReach, match="first 65,536 bytes"):
        build(compile_model(dense(820, 39, 820), board=mega), mega)


def test_constants_that_reach_too_far_with_the_firmwares_are_told_by_the_linker() -> None:
    mega = load_board("mega2560")
    program = compile_model(dense(796, 39, 796), board=mega)
    assert 65_300 < program.weight_bytes < 65_536
    with pytest.raises(ConstantsOutOfReach) as error:
        build(program, mega)
    assert error.value.parts["weights"] == program.weight_bytes
    assert error.value.needed_bytes == sum(error.value.parts.values()) > 65_536


def test_flash_that_overflows_is_told_with_figures() -> None:
    board = load_board("uno")
    image = build(compile_model(dense(64, 16), board=board), board)
    with pytest.raises(DoesNotFit) as error:
        build(image.program, with_flash(board, image.flash_bytes - 64))
    assert error.value.resource == "flash"
    assert image.flash_bytes <= error.value.needed_bytes <= image.flash_bytes + 1  # flash has words


def test_an_array_that_the_compiler_cannot_have_is_told_with_its_layer() -> None:
    """An int of 16 bits is also the size of the largest object."""
    with pytest.raises(UnsupportedOperator, match="32,767"):
        compile_model(dense(1000, 33), board=load_board("mega2560"))


def test_constants_lie_where_flash_pointers_reach(built: tuple[Board, Image]) -> None:
    _, image = built
    assert image.elf is not None
    elf = read_elf(image.elf)
    weights = next(section for section in elf.sections if section.name == ".hil_weights")
    code = next(section for section in elf.sections if section.name == ".text")
    assert weights.address + weights.size_bytes <= code.address <= 65_536
