"""The nRF52 port on both of its chips: what every port does, and its own."""

from __future__ import annotations

import struct

import pytest

from hil.board import Board, load_board
from tests.support.port_firmware import Firmware
from tests.support.port_suite import MainlinePort


class TestNrf52(MainlinePort):
    @pytest.fixture(scope="class", params=["nrf52840_dk", "microbit_v2"])
    @classmethod
    def board(cls, request: pytest.FixtureRequest) -> Board:
        return load_board(request.param)

    def test_the_cycle_counter_counts(self, firmware: Firmware) -> None:
        (cycles,) = struct.unpack("<I", firmware.say(b"c"))
        assert 4_000 < cycles < 30_000
