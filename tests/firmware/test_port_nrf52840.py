"""The nRF52 port on both of its chips, run on the emulator: serial line, identity, stack, faults, reset."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hil.board import Board, load_board
from tests.support.firmware import needs_toolchain
from tests.support.port_firmware import BUS_FAULT, RAM, USAGE_FAULT, Firmware, build, fault_of

pytestmark = needs_toolchain


@pytest.fixture(scope="module", params=["nrf52840_dk", "microbit_v2"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Path]:
    board = load_board(request.param)
    return board, build(board, tmp_path_factory.mktemp(board.id))


@pytest.fixture
def firmware(built: tuple[Board, Path]) -> Firmware:
    return Firmware(*built)


def test_what_is_sent_comes_back(firmware: Firmware) -> None:
    assert firmware.say(b"hello") == b"hello"


def test_a_burst_longer_than_the_ring_loses_nothing(firmware: Firmware) -> None:
    burst = bytes(0x80 | n % 128 for n in range(5000))
    assert firmware.say(burst) == burst


def test_constants_in_flash_can_be_sent(firmware: Firmware) -> None:
    assert firmware.say(b"t").endswith(b"so that it is sent in two pieces")


def test_the_unit_says_that_it_is_emulated_and_that_its_cache_is_on(firmware: Firmware) -> None:
    unit, cache, clock_hz, stack_bytes = struct.unpack("<8sIII", firmware.say(b"i"))
    assert (unit, cache, clock_hz, stack_bytes) == (
        b"EMULATED",
        1,
        64_000_000,
        firmware.board.build.stack_bytes,
    )


def test_the_trigger_pin_marks_what_the_cycle_counter_counts(firmware: Firmware) -> None:
    (counted,) = struct.unpack("<I", firmware.say(b"g"))
    (rise, high), (fall, low) = firmware.machine.trigger_edges()
    assert (high, low) == (True, False)
    assert 0 < fall - rise - counted < 100
    assert firmware.machine.trigger_edges() == []
    assert firmware.machine.clock_cycles >= fall


def test_the_painted_stack_shows_the_deepest_use_since_it_was_painted(firmware: Firmware) -> None:
    shallow, deep = struct.unpack("<II", firmware.say(b"s"))
    again_shallow, _ = struct.unpack("<II", firmware.say(b"s"))
    assert again_shallow == shallow
    assert 16 * 64 <= deep - shallow <= 16 * 128
    assert deep < firmware.board.build.stack_bytes


def test_the_cycle_counter_counts(firmware: Firmware) -> None:
    (cycles,) = struct.unpack("<I", firmware.say(b"c"))
    assert 4_000 < cycles < 30_000


def test_a_stack_overflow_faults_below_ram_and_harms_no_data(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"o"))
    assert kind == BUS_FAULT
    assert RAM - 256 <= registers["bfar"] < RAM
    assert registers["pc"] == 0  # there was no room to save it


def test_a_write_to_nowhere_tells_who_and_where(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"w"))
    assert kind == BUS_FAULT
    assert registers["bfar"] == 0x1FFF_FFF0
    assert 0x100 <= registers["pc"] < 0x10000
    assert registers["lr"] != 0


def test_a_jump_to_nowhere_tells_where_to(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"j"))
    assert kind == BUS_FAULT
    assert registers["pc"] == 0x3000_0000


def test_a_division_by_zero_is_a_fault(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"d"))
    assert kind == USAGE_FAULT
    assert registers["cfsr"] == 1 << 25


@pytest.mark.parametrize("order", [b"o", b"w", b"j"])
def test_after_a_fault_the_host_is_told_again_and_finds_a_fresh_firmware(
    firmware: Firmware, order: bytes
) -> None:
    report = firmware.say(order)
    assert firmware.say(b"who is there?") == report
    assert firmware.say(b"hello") == b"hello"


def test_a_reset_on_request_starts_anew(firmware: Firmware) -> None:
    assert firmware.say(b"R") == b""
    assert firmware.say(b"hello") == b"hello"
