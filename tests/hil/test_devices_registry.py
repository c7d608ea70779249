"""`open_device` reads what the user typed."""

import pytest

from hil.board import load_board
from hil.devices import KINDS, open_device
from hil.errors import BadDevice, UnknownBoard
from hil.measurement import Provenance


def test_simulated_device():
    device = open_device("simulated:nrf52840_dk")
    assert device.name == "simulated:nrf52840_dk"
    assert device.board == load_board("nrf52840_dk")
    assert device.provenance is Provenance.SIMULATED


@pytest.mark.parametrize("text", ["simulatd:nrf52840_dk", "Simulated:nrf52840_dk"])
def test_mistyped_kind_names_the_nearest(text):
    with pytest.raises(BadDevice) as caught:
        open_device(text)
    assert "did you mean simulated" in caught.value.remedy


def test_strange_kind_names_all():
    with pytest.raises(BadDevice) as caught:
        open_device("qqq:nrf52840_dk")
    for kind in KINDS:
        assert kind in caught.value.remedy


@pytest.mark.parametrize("text", ["simulated", "simulated:", "serial:", "emulated", ""])
def test_half_a_name_is_refused(text):
    with pytest.raises(BadDevice):
        open_device(text)


def test_unknown_board_names_the_nearest():
    with pytest.raises(UnknownBoard) as caught:
        open_device("simulated:nano33bl")
    assert "did you mean nano33ble" in caught.value.remedy


def test_contradicting_board_is_refused():
    with pytest.raises(BadDevice, match="nano33ble"):
        open_device("simulated:nrf52840_dk", board="nano33ble")
    open_device("simulated:nrf52840_dk", board="nrf52840_dk")


def test_profile_by_path(tmp_path):
    from hil.resources import boards_dir

    path = tmp_path / "mine.toml"
    path.write_text((boards_dir() / "nrf52840_dk.toml").read_text())
    assert open_device(f"simulated:{path}").board.id == "mine"
