"""The RP2040 port, run on the emulator: serial line, identity, cycles, trigger pin, stack, faults, reset."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hil.board import load_board
from hil.emulator.machine import Machine
from hil.emulator.types import State
from tests.support.firmware import needs_toolchain
from tests.support.port_firmware import HARD_FAULT, Firmware, build, fault_of

pytestmark = needs_toolchain


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(load_board("pico"), tmp_path_factory.mktemp("pico"))


@pytest.fixture
def firmware(elf: Path) -> Firmware:
    return Firmware(load_board("pico"), elf)


def test_what_is_sent_comes_back(firmware: Firmware) -> None:
    assert firmware.say(b"hello") == b"hello"


def test_a_burst_longer_than_the_fifo_loses_nothing_while_the_firmware_listens(firmware: Firmware) -> None:
    burst = bytes(0x80 | n % 128 for n in range(5000))
    assert firmware.say(burst) == burst


def test_what_comes_while_it_computes_is_kept_as_far_as_the_fifo_reaches(firmware: Firmware) -> None:
    """Two `Hello` of 14 bytes fit; more is lost, as the port says."""
    firmware.machine.send(b"g")
    assert firmware.machine.run(1_000_000) is State.RUNNING
    answer = firmware.say(bytes(range(0x80, 0x80 + 40)))
    assert answer[4:] == bytes(range(0x80, 0x80 + 32))


def test_constants_in_flash_can_be_sent(firmware: Firmware) -> None:
    assert firmware.say(b"t").endswith(b"so that it is sent in two pieces")


def test_the_unit_says_that_it_is_emulated_and_that_its_cache_is_on(firmware: Firmware) -> None:
    unit, cache, clock_hz, stack_bytes = struct.unpack("<8sIII", firmware.say(b"i"))
    assert (unit, cache) == (b"EMULATED", 1)
    assert (clock_hz, stack_bytes) == (125_000_000, firmware.board.build.stack_bytes)


def test_cycles_are_exact_beyond_the_counters_24_bits(firmware: Firmware) -> None:
    """The trigger pin's edges tell the emulator's own count; the readings lie within them."""
    around = []
    for _ in range(3):
        (counted,) = struct.unpack("<I", firmware.say(b"g"))
        (rise, high), (fall, low) = firmware.machine.trigger_edges()
        assert (high, low) == (True, False)
        assert counted > 2 * 2**24
        around.append(fall - rise - counted)
    assert 0 < around[0] < 1000  # with what the cache missed on the way
    assert 0 < around[1] == around[2] < 100


def test_the_painted_stack_shows_the_deepest_use_since_it_was_painted(firmware: Firmware) -> None:
    shallow, deep = struct.unpack("<II", firmware.say(b"s"))
    again_shallow, _ = struct.unpack("<II", firmware.say(b"s"))
    assert again_shallow == shallow
    assert 16 * 64 <= deep - shallow <= 16 * 128
    assert deep < firmware.board.build.stack_bytes


def test_a_stack_overflow_faults_below_ram(firmware: Firmware) -> None:
    kind, registers = fault_of(firmware.say(b"o"))
    assert kind == HARD_FAULT
    assert registers["pc"] == 0  # there was no room to save it


@pytest.mark.parametrize(("order", "where"), [(b"w", range(0x1000_0100, 0x1001_0000)), (b"j", {0x3000_0000})])
def test_a_fault_tells_where(firmware: Firmware, order: bytes, where: range | set[int]) -> None:
    """The core has no register that says why."""
    kind, registers = fault_of(firmware.say(order))
    assert kind == HARD_FAULT
    assert registers["pc"] in where
    assert registers["cfsr"] == registers["hfsr"] == registers["bfar"] == 0


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


def test_a_reset_by_the_button_starts_anew(firmware: Firmware) -> None:
    firmware.machine.reset()
    assert firmware.say(b"") == b""
    assert firmware.say(b"hello") == b"hello"


def test_figures_do_not_depend_on_how_the_machine_is_run(elf: Path) -> None:
    def cycles(slice_cycles: int) -> int:
        machine = Machine(load_board("pico"))
        machine.load(elf)
        machine.send(b"c")
        output = b""
        while (state := machine.run(slice_cycles)) is not State.ASLEEP:
            output += machine.take_output() if state is State.OUTPUT else b""
        return int.from_bytes(output + machine.take_output(), "little")

    assert cycles(50_000_000) == cycles(3_333)
