"""Serial ports: what is missing, busy or lost is told apart, with what to do about it."""

import contextlib
import os
import sys

import pytest

from hil.board import load_board
from hil.devices import attached, open_device
from hil.devices.discover import Port, board_at
from hil.devices.hardware import SerialDevice
from hil.devices.serial_port import open_port
from hil.errors import BadDevice, DeviceError, PortBusy, PortMissing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")


@pytest.fixture
def pty():
    """A pseudo-terminal: (file descriptor of the board's end, name of the host's port)."""
    board_end, host_end = os.openpty()
    name = os.ttyname(host_end)
    yield board_end, name
    for descriptor in (board_end, host_end):
        with contextlib.suppress(OSError):  # a test may have closed it
            os.close(descriptor)


def test_missing_port_is_told_with_those_that_are_there(tmp_path):
    with pytest.raises(PortMissing) as caught:
        open_port(str(tmp_path / "ttyACM7"), baud=115200, device="serial:x")
    assert "ttyACM7" in caught.value.message
    assert caught.value.device == "serial:x"
    assert "ports that are there" in caught.value.remedy


def test_busy_port_is_told(pty):
    _, name = pty
    first = open_port(name, baud=115200, device="serial:first")
    with pytest.raises(PortBusy) as caught:
        open_port(name, baud=115200, device="serial:second")
    assert "another process" in caught.value.message
    first.close()
    open_port(name, baud=115200, device="serial:second").close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_port_without_permission_names_the_group(pty):
    _, name = pty
    os.chmod(name, 0)
    with pytest.raises(PortBusy) as caught:
        open_port(name, baud=115200, device="serial:x")
    assert "dialout" in caught.value.remedy


def test_bytes_go_both_ways(pty):
    board_end, name = pty
    transport = open_port(name, baud=1_000_000, device="serial:x")
    transport.write(bytes(range(256)))
    assert os.read(board_end, 1000) == bytes(range(256))
    os.write(board_end, b"\x00\x11\x13\n\r\xff")
    received = b""
    while len(received) < 6:
        piece = transport.read(1.0)
        assert piece
        received += piece
    assert received == b"\x00\x11\x13\n\r\xff"
    transport.close()
    transport.close()


def test_read_has_a_deadline(pty):
    _, name = pty
    transport = open_port(name, baud=115200, device="serial:x")
    assert transport.read(0.02) == b""
    transport.close()


def test_lost_port_is_an_error_of_the_device(pty):
    board_end, name = pty
    transport = open_port(name, baud=115200, device="serial:x")
    os.close(board_end)

    def talk():
        for _ in range(100):
            transport.write(b"x")
            transport.read(0.1)

    with pytest.raises(DeviceError, match="serial:x: the port was lost"):
        talk()
    transport.close()


def test_missing_port_is_told_before_anything_is_built(tmp_path):
    with pytest.raises(PortMissing):
        open_device(f"serial:{tmp_path}/ttyACM7")
    device = open_device(f"serial:{tmp_path}/ttyACM7", board="nrf52840_dk")
    with pytest.raises(PortMissing):
        device.build(None)


def test_port_of_an_unknown_board_asks_for_it(pty):
    with pytest.raises(BadDevice) as caught:
        open_device(f"serial:{pty[1]}")
    assert "--board" in caught.value.remedy
    assert "nrf52840_dk" in caught.value.remedy


def test_usb_id_tells_the_board(monkeypatch):
    from serial.tools import list_ports, list_ports_common

    found = list_ports_common.ListPortInfo("/dev/ttyACM3")
    found.vid, found.pid, found.description = 0x2341, 0x0043, "Arduino Uno"
    other = list_ports_common.ListPortInfo("/dev/ttyS0")
    monkeypatch.setattr(list_ports, "comports", lambda: [other, found])
    assert attached() == (
        Port("/dev/ttyACM3", "Arduino Uno", "2341:0043", ("uno",)),
        Port("/dev/ttyS0", "n/a", "", ()),
    )
    assert board_at("/dev/ttyACM3").id == "uno"
    device = open_device("serial:/dev/ttyACM3")
    assert isinstance(device, SerialDevice)
    assert device.board.id == "uno"


def test_named_board_is_taken():
    device = open_device("serial:/dev/ttyUSB0", board="nrf52840_dk")
    assert device.board == load_board("nrf52840_dk")
    assert device.name == "serial:/dev/ttyUSB0"
    device.close()
