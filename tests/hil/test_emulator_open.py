"""Which boards can be emulated, why another one cannot, and that each runs a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hil.board import load_board
from hil.emulator.open import can_emulate, emulated_boards, open_machine, require_emulated, why_not
from hil.emulator.types import State
from hil.errors import BadDevice
from hil.interpreter import truth
from tests.support.arm_models import ArmRunner
from tests.support.firmware import conv_program, needs_toolchain

BARE_METAL = ("microbit_v2", "nrf52840_dk", "pico")


def test_boards_whose_image_begins_where_flash_does_can_be_emulated() -> None:
    assert set(BARE_METAL) <= set(emulated_boards())


@pytest.mark.parametrize(
    ("board", "words"), [("nano33ble", ("0x00010000", "bootloader")), ("feather_nrf52840", ("bootloader",))]
)
def test_board_with_a_bootloader_in_front_cannot(board: str, words: tuple[str, ...]) -> None:
    with pytest.raises(BadDevice) as refused:
        require_emulated(load_board(board))
    assert all(word in refused.value.message for word in words)
    assert "pico" in (refused.value.remedy or "")
    assert f"simulated:{board}" in (refused.value.remedy or "")


def test_chip_that_is_not_modelled_is_named() -> None:
    board = dataclasses.replace(load_board("pico"), chip="rp9999")
    assert not can_emulate(board)
    assert "rp9999" in (why_not(board) or "")


def test_profile_that_gives_the_chip_another_core_is_refused() -> None:
    pico = load_board("pico")
    wrong = dataclasses.replace(pico, core=dataclasses.replace(pico.core, architecture="cortex-m4"))
    with pytest.raises(BadDevice, match=r"cortex-m0plus.*cortex-m4"):
        open_machine(wrong, "emulated:pico")


@needs_toolchain
@pytest.mark.parametrize("board", ["microbit_v2", "pico"])
def test_model_runs_bit_exact(board: str, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    program = conv_program(seed=5)
    runner = ArmRunner(tmp_path, board)
    rng = np.random.default_rng(5)
    data = rng.integers(-128, 128, program.graph.input_tensor.shape).astype(np.int8)
    (output,) = runner.run(program, data)
    expected = truth(program.graph).run(data.tobytes())
    assert output.tobytes() == expected


@needs_toolchain
@pytest.mark.parametrize("board", ["microbit_v2", "pico"])
def test_machine_sleeps_while_it_waits_and_time_goes_on(board: str, tmp_path: Path) -> None:
    machine = open_machine(load_board(board), f"emulated:{board}")
    machine.load(ArmRunner(tmp_path, board).build(conv_program(seed=5)))
    assert machine.run(10**8) is State.ASLEEP
    before = machine.clock_cycles
    machine.send(bytes(1000))  # zeros, which begin no frame
    assert machine.run(10**8) is State.ASLEEP
    line_cycles = 10_000 * load_board(board).core.clock_hz // load_board(board).serial.baud
    assert machine.clock_cycles - before >= line_cycles
    assert machine.take_output() == b""
    assert machine.inference_instructions is None
