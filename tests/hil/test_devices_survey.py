"""What is attached: firmware, owner and wear of each board, and what `hilnas boards` makes of it."""

import io
import json
import re

import pytest
from rich.console import Console

from hil.board import list_boards, load_board
from hil.cli.board_tables import attached_table, known_table, to_dict
from hil.devices.choose import choose_device
from hil.devices.discover import Port, attached, board_at
from hil.devices.lock import BoardLock
from hil.devices.serial_port import open_port
from hil.devices.survey import survey
from hil.devices.wear_store import WearStore
from hil.errors import BadDevice
from hil.image import Image
from hil.resources import boards_dir
from tests.support.firmware import conv_program
from tests.support.usb_board import BOOTLOADER_ID, FIRMWARE_ID, UsbBoard


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A profile with USB of its own, and nothing shared with the computer."""
    monkeypatch.setenv("HILNAS_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("HILNAS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HILNAS_BOARDS", str(tmp_path / "boards"))
    (tmp_path / "boards").mkdir()
    profile(tmp_path, "mine")


def profile(folder, board_id):
    text = (boards_dir() / "nrf52840_dk.toml").read_text()
    ids = f'usb_ids = ["{FIRMWARE_ID}"]\ntouch_1200 = true\nbootloader_usb_ids = ["{BOOTLOADER_ID}"]'
    text, changed = re.subn(r"^usb_ids = .*$", ids, text, count=1, flags=re.MULTILINE)
    assert changed == 1
    (folder / "boards" / f"{board_id}.toml").write_text(text)


@pytest.fixture
def usb(tmp_path):
    program = conv_program()
    image = Image(program, "mine", "00", None, 1, 1, 1, program.plan.arena_bytes, 4096, bytes(range(8)))
    (tmp_path / "usb").mkdir()
    board = UsbBoard(tmp_path / "usb", image=image)
    yield board
    board.end()


@pytest.fixture
def counter(tmp_path):
    return WearStore(tmp_path / "state")


def test_free_board_says_what_runs_on_it(usb):
    (found,) = survey(listing=usb.listing)
    assert [board.id for board in found.boards] == ["mine"]
    assert found.firmware.build_digest == bytes(range(8))
    assert (found.busy, found.owner, found.note) == (False, None, "")
    (again,) = survey(listing=usb.listing)
    assert again.firmware == found.firmware, "the board was given back"


def test_board_in_use_is_left_alone_and_its_owner_named(usb):
    lock = BoardLock("usb A1B2", "d")
    (found,) = survey(listing=usb.listing)
    assert found.busy
    assert found.owner.command
    assert (found.firmware, found.note) == (None, "not asked: in use")
    lock.release()


def test_board_behind_a_serial_monitor_is_busy_by_nobody_known(usb):
    monitor = open_port(usb.port, baud=115200, device="monitor")
    (found,) = survey(listing=usb.listing)
    assert (found.busy, found.owner, found.firmware) == (True, None, None)
    assert "in use by another process" in found.note
    monitor.close()


def test_nobody_is_asked_where_that_is_not_wanted(usb):
    (found,) = survey(ask=False, listing=usb.listing)
    assert (found.firmware, found.note) == (None, "not asked")


def test_waiting_bootloader_is_told(usb):
    usb.press_reset_twice()
    (found,) = survey(listing=usb.listing)
    assert "bootloader waits" in found.note
    assert found.port.bootloader
    assert board_at(usb.port, usb.listing).id == "mine"


def test_ports_of_no_known_board_are_not_opened(tmp_path):
    nowhere = Port(str(tmp_path / "no such port"), "a modem", "ffff:0001", ())
    (found,) = survey(listing=lambda: (nowhere,))
    assert found.boards == ()
    assert "no known board" in found.note


def test_firmware_tells_boards_of_the_same_usb_id_apart(usb, tmp_path):
    profile(tmp_path, "other")
    (listed,) = attached(usb.listing)
    assert listed.board_ids == ("mine", "other")
    with pytest.raises(BadDevice, match="mine and other"):
        board_at(usb.port, usb.listing)
    (found,) = survey(listing=usb.listing)
    assert [board.id for board in found.boards] == ["mine"]


def test_wear_is_that_of_the_unit(usb, counter, monkeypatch):
    monkeypatch.setattr("hil.devices.survey.has_no_flash", lambda port, info: False)  # a pseudo-terminal
    for _ in range(3):
        counter.begin("usb A1B2", "1-2")
    (found,) = survey(listing=usb.listing)
    assert found.wear.cycles == 3
    assert found.wear.endurance_cycles == load_board("mine").flash.endurance_cycles


def test_probe_with_two_ports_is_one_board(monkeypatch):
    two = [
        Port(f"/dev/ttyACM{k}", "J-Link", "1366:1051", ("nrf52840_dk",), "683", f"1-2:1.{2 * k}")
        for k in (0, 1)
    ]
    monkeypatch.setattr("hil.devices.choose.attached", lambda: tuple(two))
    monkeypatch.setattr("hil.devices.choose.device_kinds", lambda board: ["serial"])
    assert choose_device(None, "nrf52840_dk").name == "serial:/dev/ttyACM0"


def shown(width, *tables):
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True)
    for table in tables:
        console.print(table)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_every_known_board_is_one_whole_line(width):
    known = [load_board(board_id) for board_id in list_boards()]
    text = shown(width, known_table(known, width))
    assert len(text.splitlines()) == len(known) + 5, "a title, a head, a rule, and lines around them"
    for board in known:
        assert board.id in text
    assert "…" not in text
    assert ("Raspberry Pi Pico" in text) == (width == 120)


@pytest.mark.parametrize("width", [80, 120])
def test_attached_board_is_shown_with_all_that_is_known(usb, width, monkeypatch, counter):
    monkeypatch.setattr("hil.devices.survey.has_no_flash", lambda port, info: False)
    counter.begin("usb A1B2", "1-2")
    (found,) = survey(listing=usb.listing)
    text = shown(width, attached_table(found))
    rating = f"{load_board('mine').flash.endurance_cycles:,}"
    for part in ("(mine)", "A1B2", "0001020304050607", "free", f"1 of {rating} rated erase cycles (0%)"):
        assert part in text
    assert all(len(line) <= width for line in text.splitlines())


def test_json_has_it_all(usb):
    lock = BoardLock("usb A1B2", "d")
    listing = json.loads(json.dumps(to_dict([load_board("mine")], survey(listing=usb.listing))))
    (port,) = listing["ports"]
    assert (port["device"], port["serial_number"], port["boards"]) == (f"serial:{usb.port}", "A1B2", ["mine"])
    assert port["owner"]["pid"] > 0
    lock.release()
    (port,) = to_dict([], survey(listing=usb.listing))["ports"]
    assert port["firmware"]["build_digest"] == "0001020304050607"
    assert (port["busy"], port["owner"], port["wear"]) == (False, None, None)
