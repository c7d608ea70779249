"""Which boards can be emulated, why another one cannot, and that each runs a model."""

from __future__ import annotations

import dataclasses

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


@pytest.fixture(scope="module", params=["microbit_v2", "pico"])
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ArmRunner:
    return ArmRunner(tmp_path_factory.mktemp(request.param), request.param)


@needs_toolchain
def test_model_runs_bit_exact(runner: ArmRunner) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    program = conv_program(seed=5)
    rng = np.random.default_rng(5)
    data = rng.integers(-128, 128, program.graph.input_tensor.shape).astype(np.int8)
    (output,) = runner.run(program, data)
    assert output.tobytes() == truth(program.graph).run(data.tobytes())


@needs_toolchain
def test_machine_sleeps_while_it_waits_and_time_goes_on(runner: ArmRunner) -> None:
    board = runner.board
    machine = open_machine(board, f"emulated:{board.id}")
    machine.load(runner.build(conv_program(seed=5)))
    assert machine.run(10**8) is State.ASLEEP
    before = machine.clock_cycles
    machine.send(bytes(1000))  # zeros, which begin no frame
    assert machine.run(10**8) is State.ASLEEP
    assert machine.clock_cycles - before >= 10_000 * board.core.clock_hz // board.serial.baud
    assert machine.take_output() == b""
    assert machine.inference_instructions is None
