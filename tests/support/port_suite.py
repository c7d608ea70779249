"""What every bare-metal port has to do, run on the emulator: a suite of tests to inherit from.

class TestMyPort(CortexMPort):
    @pytest.fixture(scope="class", params=["my_board"])
    @classmethod
    def board(cls, request): return load_board(request.param)

    def test_...  what only this port does
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hil.board import Board
from tests.support.firmware import needs_toolchain
from tests.support.port_firmware import BUS_FAULT, RAM, USAGE_FAULT, Firmware, build, fault_of


@needs_toolchain
class Port:
    """Inherit, and override the fixture `board`."""

    overflow_fault: int
    """Kind of the fault that an overflow of the stack ends in."""

    @pytest.fixture(scope="class")
    @classmethod
    def board(cls) -> Board:
        raise NotImplementedError("override the fixture board")

    @pytest.fixture(scope="class")
    @classmethod
    def elf(cls, board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return build(board, tmp_path_factory.mktemp(board.id))

    @pytest.fixture
    def firmware(self, board: Board, elf: Path) -> Firmware:
        return Firmware(board, elf)

    def test_what_is_sent_comes_back(self, firmware: Firmware) -> None:
        assert firmware.say(b"hello") == b"hello"

    def test_a_burst_loses_nothing_while_the_firmware_listens(self, firmware: Firmware) -> None:
        burst = bytes(0x80 | n % 128 for n in range(5000))
        assert firmware.say(burst) == burst

    def test_constants_in_flash_can_be_sent(self, firmware: Firmware) -> None:
        assert firmware.say(b"t").endswith(b"so that it is sent in two pieces")

    def test_the_unit_says_what_it_is(self, firmware: Firmware) -> None:
        unit, cache, clock_hz, stack_bytes = struct.unpack("<8sIII", firmware.say(b"i"))
        board = firmware.board
        assert (unit, cache) == (b"EMULATED", 1)
        assert (clock_hz, stack_bytes) == (board.core.clock_hz, board.build.stack_bytes)

    def test_the_trigger_pin_marks_what_the_cycle_counter_counts(self, firmware: Firmware) -> None:
        firmware.say(b"g")  # fills the cache
        firmware.machine.trigger_edges()
        (counted,) = struct.unpack("<I", firmware.say(b"g"))
        (rise, high), (fall, low) = firmware.machine.trigger_edges()
        assert (high, low) == (True, False)
        assert 0 < fall - rise - counted < 100
        assert firmware.machine.trigger_edges() == []
        assert firmware.machine.clock_cycles >= fall

    def test_the_painted_stack_shows_the_deepest_use_since_it_was_painted(self, firmware: Firmware) -> None:
        shallow, deep = struct.unpack("<II", firmware.say(b"s"))
        again_shallow, _ = struct.unpack("<II", firmware.say(b"s"))
        assert again_shallow == shallow
        assert 16 * 64 <= deep - shallow <= 16 * 128
        assert deep < firmware.board.build.stack_bytes

    def test_a_stack_overflow_faults_and_harms_no_data(self, firmware: Firmware) -> None:
        kind, registers = fault_of(firmware.say(b"o"))
        assert kind == self.overflow_fault
        assert registers["pc"] == 0  # there was no room to save it

    @pytest.mark.parametrize("order", [b"o", b"w", b"j"])
    def test_after_a_fault_the_host_is_told_again_and_finds_a_fresh_firmware(
        self, firmware: Firmware, order: bytes
    ) -> None:
        """The byte that asks again is seen although the fault handler is in every interrupt's way."""
        report = firmware.say(order)
        assert firmware.say(b"?") == report
        assert firmware.say(b"hello") == b"hello"

    def test_a_reset_on_request_starts_anew(self, firmware: Firmware) -> None:
        assert firmware.say(b"R") == b""
        assert firmware.say(b"hello") == b"hello"

    def test_a_reset_by_the_button_starts_anew(self, firmware: Firmware) -> None:
        firmware.machine.reset()
        assert firmware.say(b"") == b""
        assert firmware.say(b"hello") == b"hello"


class MainlinePort(Port):
    """Cores with fault status registers (ARMv7-M, ARMv8-M mainline): a fault tells why and where."""

    overflow_fault = BUS_FAULT

    def test_a_stack_overflow_is_below_ram(self, firmware: Firmware) -> None:
        _, registers = fault_of(firmware.say(b"o"))
        assert RAM - 256 <= registers["bfar"] < RAM

    def test_a_write_to_nowhere_tells_who_and_where(self, firmware: Firmware) -> None:
        kind, registers = fault_of(firmware.say(b"w"))
        base = firmware.board.flash.base
        assert kind == BUS_FAULT
        assert registers["bfar"] == 0x1FFF_FFF0
        assert base + 0x100 <= registers["pc"] < base + 0x10000
        assert registers["lr"] != 0

    def test_a_jump_to_nowhere_tells_where_to(self, firmware: Firmware) -> None:
        kind, registers = fault_of(firmware.say(b"j"))
        assert kind == BUS_FAULT
        assert registers["pc"] == 0x1F00_0000

    def test_a_division_by_zero_is_a_fault(self, firmware: Firmware) -> None:
        kind, registers = fault_of(firmware.say(b"d"))
        assert kind == USAGE_FAULT
        assert registers["cfsr"] == 1 << 25
