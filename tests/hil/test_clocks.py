"""Boards at another clock: what their profiles offer, and that the firmware really runs there."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import hil
from hil.board import Board, list_boards, load_board, parse_board
from hil.devices import open_device
from hil.emulator.machine import Machine
from hil.errors import BadBoard, BadDevice, EmulationError, UnknownBoard
from hil.resources import boards_dir
from hil.units import frequency, read_frequency
from tests.hil.small_models import small_cnn
from tests.support.firmware import needs_toolchain
from tests.support.port_firmware import Firmware, build

OTHER_CLOCKS = [
    load_board(board_id).at_clock(clock.hz).label
    for board_id in list_boards()
    for clock in load_board(board_id).clocks
]
SHIPPED = (boards_dir() / "nrf52840_dk.toml").read_text()


def with_clock(**facts: float) -> Board:
    """The profile of the nRF52840 DK with a clock that no nRF52840 has."""
    table = "\n".join(f"{key} = {value}" for key, value in facts.items())
    text = SHIPPED.replace("[sources]\n", f'[[clocks]]\n{table}\n\n[sources]\nclocks = "invented"\n', 1)
    return parse_board(text, board_id="mine", where="mine.toml")


@pytest.mark.parametrize("text", ["84 MHz", "84MHz", "84000000", "84_000 kHz".replace("_", ""), "0.084GHz"])
def test_frequencies_are_read_as_people_write_them(text: str) -> None:
    assert read_frequency(text) == 84_000_000


def test_a_frequency_is_written_as_it_is_read() -> None:
    for hz in (1, 32_768, 62_500_000, 84_000_000, 133_333_333):
        assert read_frequency(frequency(hz)) == hz


def test_a_clock_behind_a_board_is_read_wherever_a_board_is_named() -> None:
    board = load_board("nucleo_f446re@84MHz")
    assert (board.id, board.label) == ("nucleo_f446re", "nucleo_f446re@84MHz")
    assert (board.core.clock_hz, board.flash.wait_states) == (84_000_000, 2)
    assert load_board(boards_dir() / "nucleo_f446re.toml@84 MHz").core.clock_hz == 84_000_000
    assert open_device("emulated:nucleo_f446re@84MHz").board == board
    assert load_board("nucleo_f446re@180MHz") == load_board("nucleo_f446re")


def test_a_board_at_another_clock_is_told_from_itself() -> None:
    digests = {
        load_board("nucleo_f446re").at_clock(hz).digest for hz in (180_000_000, 120_000_000, 84_000_000)
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [("nucleo_f446re@90MHz", "no clock of 90MHz"), ("nrf52840_dk@fast", "'fast' is no clock")],
)
def test_a_clock_that_is_none_is_refused(name: str, told: str) -> None:
    with pytest.raises(UnknownBoard, match=told):
        load_board(name)


def test_two_clocks_for_one_device_contradict_each_other() -> None:
    with pytest.raises(BadDevice, match="nucleo_f446re@84MHz"):
        open_device("emulated:nucleo_f446re", board="nucleo_f446re@84MHz")


def test_energy_is_estimated_where_a_source_tells_the_current_only() -> None:
    assert with_clock(hz=32_000_000, wait_states=1).at_clock(32_000_000).power is None
    told = with_clock(hz=32_000_000, wait_states=1, active_current_a=0.002).at_clock(32_000_000).power
    assert told is not None
    assert (told.voltage_v, told.active_current_a, told.idle_current_a) == (3.0, 0.002, None)


def test_a_clock_needs_a_source() -> None:
    text = SHIPPED.replace("[sources]\n", "[[clocks]]\nhz = 32_000_000\nwait_states = 1\n\n[sources]\n", 1)
    with pytest.raises(BadBoard, match=r"clocks\.32MHz\.wait_states has no source"):
        parse_board(text, board_id="mine", where="mine.toml")


def test_a_clock_with_other_wait_states_is_not_simulated() -> None:
    with pytest.raises(BadDevice, match="fitted at 180MHz, with 5 wait states"):
        open_device("simulated:nucleo_f446re@84MHz")


def test_where_no_wait_state_changes_a_simulated_board_takes_as_many_cycles() -> None:
    fast, slow = (hil.measure(small_cnn(), device=f"simulated:{name}") for name in ("pico", "pico@48MHz"))
    assert slow.cycles == fast.cycles
    assert slow.latency_us == pytest.approx(fast.latency_us * 125 / 48)
    assert slow.energy_uj is None


@needs_toolchain
@pytest.mark.parametrize("label", OTHER_CLOCKS)
def test_the_port_sets_the_clock_up_and_talks(label: str, tmp_path: Path) -> None:
    """The emulator refuses a clock, wait states, a voltage or a baud rate other than the profile's."""
    board = load_board(label)
    firmware = Firmware(board, build(board, tmp_path))
    assert firmware.say(b"hello") == b"hello"
    burst = bytes(0x80 | n % 128 for n in range(2000))
    assert firmware.say(burst) == burst
    _, _, clock_hz, _ = struct.unpack("<8sIII", firmware.say(b"i"))
    assert clock_hz == board.core.clock_hz


@needs_toolchain
def test_an_image_for_one_clock_does_not_run_at_another(tmp_path: Path) -> None:
    machine = Machine(load_board("nucleo_f446re@84MHz"))
    machine.load(build(load_board("nucleo_f446re@120MHz"), tmp_path))
    with pytest.raises(EmulationError, match=r"120,000,000 Hz, the board profile says 84,000,000"):
        machine.run(10_000_000)


@needs_toolchain
def test_a_slower_clock_takes_fewer_cycles_and_more_time() -> None:
    """With 2 wait states instead of 5, a miss of the flash's caches costs less."""
    fast = hil.measure(small_cnn(), device="emulated:nucleo_f446re")
    slow = hil.measure(small_cnn(), device="emulated:nucleo_f446re@84MHz")
    assert slow.origin.clock_hz == 84_000_000
    assert slow.check.passed
    assert slow.cycles < fast.cycles
    assert slow.latency_us > fast.latency_us
    assert slow.instructions == fast.instructions
