"""Every profile that ships is valid, and says where its numbers come from."""

import pytest

from hil.board import list_boards, load_board
from hil.board.checks import CHECKS


@pytest.mark.parametrize("board_id", list_boards())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_shipped_board_passes(board_id, check):
    assert list(check(load_board(board_id))) == []


def test_the_boards_of_the_readme_ship():
    assert {"nrf52840_dk", "nano33ble"} <= set(list_boards())


def test_nano_33_ble_leaves_the_bootloader_alone():
    board = load_board("nano33ble")
    dk = load_board("nrf52840_dk")
    assert board.flash.base == 0x10000
    assert board.flash.base + board.flash.size_bytes == dk.flash.base + dk.flash.size_bytes
