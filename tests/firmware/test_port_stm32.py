"""The STM32 port on each of its chips: what every port does."""

from __future__ import annotations

import pytest

from hil.board import Board, load_board
from tests.support.port_suite import MainlinePort


class TestStm32(MainlinePort):
    @pytest.fixture(scope="class", params=["disco_f746ng", "nucleo_u575zi", "nucleo_l4r5zi", "nucleo_f446re"])
    @classmethod
    def board(cls, request: pytest.FixtureRequest) -> Board:
        return load_board(request.param)
