"""Every profile that ships is valid, says where its numbers come from, and fits the others."""

import re

import pytest

from hil.board import list_boards, load_board
from hil.board.checks import CHECKS
from hil.resources import boards_dir

BOARDS = {
    "disco_f746ng": ("stm32f746", "cortex-m7"),
    "feather_nrf52840": ("nrf52840", "cortex-m4"),
    "itsybitsy_nrf52840": ("nrf52840", "cortex-m4"),
    "mega2560": ("atmega2560", "avr"),
    "microbit_v2": ("nrf52833", "cortex-m4"),
    "nano33ble": ("nrf52840", "cortex-m4"),
    "nano33ble_sense": ("nrf52840", "cortex-m4"),
    "nrf52840_dk": ("nrf52840", "cortex-m4"),
    "nucleo_f446re": ("stm32f446", "cortex-m4"),
    "nucleo_l4r5zi": ("stm32l4r5", "cortex-m4"),
    "nucleo_u575zi": ("stm32u575", "cortex-m33"),
    "pico": ("rp2040", "cortex-m0plus"),
    "uno": ("atmega328p", "avr"),
}


@pytest.mark.parametrize("board_id", list_boards())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_shipped_board_passes(board_id, check):
    assert list(check(load_board(board_id))) == []


def test_the_boards_of_the_readme_ship_with_chip_and_core():
    shipped = {board_id: load_board(board_id) for board_id in list_boards()}
    assert {name: (board.chip, board.core.architecture) for name, board in shipped.items()} == BOARDS


def test_every_shipped_profile_gives_power_and_usb_ids():
    for board_id in list_boards():
        board = load_board(board_id)
        assert board.power is not None, board_id
        assert board.serial.usb_ids, board_id


@pytest.mark.parametrize(
    ("board_id", "behind"),
    [("nano33ble", 0x10000), ("nano33ble_sense", 0x10000), ("feather_nrf52840", 0x26000)],
)
def test_an_image_leaves_the_bootloader_alone(board_id, behind):
    board, chip = load_board(board_id), load_board("nrf52840_dk")
    assert board.flash.base == behind
    assert board.flash.base + board.flash.size_bytes <= chip.flash.base + chip.flash.size_bytes


@pytest.mark.parametrize(("board_id", "whole", "bootloader"), [("uno", 32, 512), ("mega2560", 256, 8192)])
def test_the_bootloader_of_an_avr_fills_the_end_of_flash(board_id, whole, bootloader):
    flash = load_board(board_id).flash
    assert flash.base == 0
    assert flash.size_bytes == whole * 1024 - bootloader


def test_sources_say_whether_a_number_was_confirmed_or_chosen():
    """A source is a place to look at, a choice, or says that there is none; "recalled" is none of these."""
    for board_id in list_boards():
        for key, text in load_board(board_id).sources.items():
            assert not re.search(r"recall|memory of|todo|tbd", text, re.IGNORECASE), (board_id, key)


def test_the_readme_of_the_profiles_names_every_key():
    text = (boards_dir() / "README.md").read_text()
    for key in ("chip", "endurance_cycles", "idle_current_a", "touch_1200", "bootloader_usb_ids", "unified"):
        assert f"{key}" in text
