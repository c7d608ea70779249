"""The RP2040 port: what every port does, and what its small core, FIFO and counter make different."""

from __future__ import annotations

import struct

import pytest

from hil.board import Board, load_board
from hil.emulator.types import State
from tests.support.port_firmware import HARD_FAULT, Firmware, fault_of
from tests.support.port_suite import Port


class TestRp2040(Port):
    overflow_fault = HARD_FAULT

    @pytest.fixture(scope="class")
    @classmethod
    def board(cls) -> Board:
        return load_board("pico")

    def test_what_comes_while_it_computes_is_kept_as_far_as_the_fifo_reaches(
        self, firmware: Firmware
    ) -> None:
        """Two `Hello` of 14 bytes fit; more is lost, as the port says."""
        firmware.machine.send(b"g")
        assert firmware.machine.run(1_000_000) is State.RUNNING
        answer = firmware.say(bytes(range(0x80, 0x80 + 40)))
        assert answer[4:] == bytes(range(0x80, 0x80 + 32))

    def test_cycles_are_exact_beyond_the_counters_24_bits(self, firmware: Firmware) -> None:
        """The trigger pin's edges tell the emulator's own count; the readings lie within them."""
        around = []
        for _ in range(3):
            (counted,) = struct.unpack("<I", firmware.say(b"g"))
            (rise, _), (fall, _) = firmware.machine.trigger_edges()
            assert counted > 2 * 2**24
            around.append(fall - rise - counted)
        assert 0 < around[0] < 1000  # with what the cache missed on the way
        assert 0 < around[1] == around[2] < 100

    @pytest.mark.parametrize(
        ("order", "where"), [(b"w", range(0x1000_0100, 0x1001_0000)), (b"j", {0x1F00_0000})]
    )
    def test_a_fault_tells_where(self, firmware: Firmware, order: bytes, where: range | set[int]) -> None:
        """The core has no register that says why."""
        kind, registers = fault_of(firmware.say(order))
        assert kind == HARD_FAULT
        assert registers["pc"] in where
        assert registers["cfsr"] == registers["hfsr"] == registers["bfar"] == 0
