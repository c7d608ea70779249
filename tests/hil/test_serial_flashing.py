"""Flashing a board that leaves the USB, comes back under other names, lies, hides and wears out.

The board is a fake that behaves (tests/support/usb_board.py); everything from the device on is the real code.
"""

import signal
import subprocess
import sys
import warnings
from dataclasses import replace

import pytest

from hil.bench import BenchSettings, bench
from hil.devices.hardware import SerialDevice
from hil.devices.wear import FlashWearWarning, NoWear
from hil.devices.wear_store import WearStore
from hil.errors import (
    BadDevice,
    DeviceTimeout,
    FlashFailed,
    FlashWorn,
    PortBusy,
    PortMissing,
    WrongImage,
)
from hil.image import Image
from hil.link import Link
from hil.protocol import PROTOCOL_VERSION
from tests.support.firmware import conv_program, dk, needs_toolchain
from tests.support.usb_board import UsbBoard, native_usb, reversed_input

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

BOARD = native_usb(dk())
UNIT = "usb A1B2"


def an_image(seed=0, build=1):
    program = conv_program(seed=seed)
    digest = bytes([build, seed, *bytes(6)])
    return Image(program, BOARD.id, "00", None, 1, 1, 1, program.plan.arena_bytes, 4096, digest)


class Reversed:
    name, exact, tolerance = "reversed", True, 0

    def __init__(self, image):
        self.size = image.program.graph.output_tensor.size_bytes

    def run(self, data):
        return reversed_input(data, self.size)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HILNAS_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("HILNAS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("HILNAS_ALLOW_WORN", raising=False)
    monkeypatch.delenv("HILNAS_UPLOAD_COMMAND", raising=False)


@pytest.fixture
def make_board(tmp_path, monkeypatch):
    made = []

    def make(**changes):
        folder = tmp_path / f"usb{len(made)}"
        folder.mkdir()
        made.append(UsbBoard(folder, **{"image": an_image(99)} | changes))
        monkeypatch.setattr("hil.firmware.upload", made[-1].upload)
        return made[-1]

    yield make
    for board in made:
        board.end()


@pytest.fixture
def usb(make_board):
    return make_board()


@pytest.fixture
def counter(tmp_path):
    return WearStore(tmp_path / "state")


@pytest.fixture
def make_device(counter):
    made = []

    def make(usb, port=None, **changes):
        # Only what never happens is waited for so long.
        waits = {"hello_timeout_s": 0.4 if usb.image is None else 5.0, "bootloader_wait_s": 5.0}
        made.append(
            SerialDevice(
                "serial:test",
                changes.pop("board", BOARD),
                port or usb.port,
                counter=counter,
                listing=usb.listing,
                **waits | changes,
            )
        )
        return made[-1]

    yield make
    for device in made:
        device.close()


@pytest.fixture
def device(usb, make_device):
    return make_device(usb)


def answers(device):
    transport = device.connect()
    try:
        return Link(transport, device.name).hello()
    finally:
        transport.close()


# ---- under other names


def test_board_is_followed_into_its_bootloader_and_back(usb, device):
    first, image = usb.port, an_image()
    device.flash(image, timeout_s=10)
    assert usb.touches == 1
    assert usb.uploads == [first[:-1] + "1"], "the upload goes to where the bootloader waits"
    assert answers(device).build_digest == image.build_digest
    assert usb.port == first[:-1] + "2"


def test_platformio_is_told_not_to_touch_the_board_again(usb, device):
    device.flash(an_image(), timeout_s=10)
    assert set(usb.options) == {"upload.use_1200bps_touch", "upload.wait_for_upload_port"}
    assert not any(usb.options.values())


def test_emptied_options_reach_platformio(tmp_path):
    """An empty option is false to its board files, and takes precedence over platformio.ini."""
    from platformio.project.config import ProjectConfig

    from hil.devices.flashing import TOUCHED
    from hil.firmware.upload import board_ini

    (tmp_path / "platformio.ini").write_text(
        f"[platformio]\nextra_configs = {tmp_path}/board.ini\n"
        "[env:nano33ble]\nboard_upload.use_1200bps_touch = yes\nboard_upload.speed = 9600\n"
    )
    (tmp_path / "board.ini").write_bytes(board_ini("nano33ble", TOUCHED))
    options = dict(ProjectConfig(str(tmp_path / "platformio.ini")).items(env="nano33ble"))
    assert options["board_upload.use_1200bps_touch"] == options["board_upload.wait_for_upload_port"] == ""
    assert options["board_upload.speed"] == "9600"


def test_board_without_serial_number_is_followed_by_where_it_is_plugged_in(make_board, make_device):
    usb = make_board(serial_number="")
    device = make_device(usb)
    device.flash(an_image(), timeout_s=10)
    assert answers(device).board == BOARD.id


def test_serial_number_finds_the_board(usb, make_device):
    device = make_device(usb, "A1B2")
    device.flash(an_image(), timeout_s=10)
    assert answers(device).board == BOARD.id
    other = make_device(usb, "FFFF")
    with pytest.raises(PortMissing, match="no board with the serial number FFFF") as caught:
        other.connect()
    assert "serial number A1B2" in caught.value.remedy


def test_board_that_was_reset_twice_by_hand_is_not_touched(usb, device):
    usb.press_reset_twice()
    device = SerialDevice("serial:x", BOARD, usb.port, counter=device.counter, listing=usb.listing)
    device.flash(an_image(), timeout_s=10)
    assert usb.touches == 0
    assert len(usb.uploads) == 1
    device.close()


def test_touch_without_effect_asks_for_the_reset_button(usb, device):
    usb.obeys = False
    device.bootloader_wait_s = 0.2
    with pytest.raises(FlashFailed, match=r"bootloader did not appear.*still there") as caught:
        device.flash(an_image(), timeout_s=10)
    assert "twice" in caught.value.remedy
    assert usb.uploads == []


def test_reset_by_hand_between_two_attempts_is_enough(usb, device):
    usb.obeys = False
    device.bootloader_wait_s = 0.2
    with pytest.raises(FlashFailed):
        device.flash(an_image(), timeout_s=10)
    device.bootloader_wait_s = 5.0
    usb.press_reset_twice()
    device.flash(an_image(), timeout_s=10)
    assert answers(device).board == BOARD.id


def test_another_unit_on_the_same_port_is_not_taken_for_it(usb, device):
    device.flash(an_image(), timeout_s=10)
    device.connect().close()
    usb.serial_number = "OTHER"
    device.return_wait_s = 0.1
    with pytest.raises(PortMissing, match="any more"):
        device.connect()


def test_board_that_goes_away_for_a_while_is_waited_for(usb, device):
    image = an_image()
    device.flash(image, timeout_s=10)
    device.connect().close()
    usb.vanish(0.3)
    assert answers(device).build_digest == image.build_digest


def test_board_that_stays_away_is_told_with_what_is_there(usb, make_device):
    device = make_device(usb, return_wait_s=0.2)
    device.flash(an_image(), timeout_s=10)
    device.connect().close()
    usb.vanish(60)
    with pytest.raises(PortMissing, match=r"any more, waited 0\.\d+ s|any more") as caught:
        device.connect()
    assert "cable" in caught.value.remedy


def test_bootloader_that_stays_is_told(usb, make_device):
    device = make_device(usb, return_wait_s=0.3)
    usb.stays = True
    device.flash(an_image(), timeout_s=10)
    with pytest.raises(FlashFailed, match="bootloader still waits"):
        device.connect()


def test_board_with_a_bridge_chip_stays_where_it_is(make_board, make_device):
    usb = make_board(native=False)
    device = make_device(usb, board=dk())
    name = usb.port
    device.flash(an_image(), timeout_s=10)
    assert answers(device).board == BOARD.id
    assert (usb.port, usb.uploads, usb.options) == (name, [name], {})


# ---- what is on the board


def test_image_that_is_on_the_board_is_not_flashed_again(usb, device, counter):
    for seed, uploads in ((0, 1), (0, 1), (1, 2), (0, 3), (0, 3)):
        image = an_image(seed)
        device.flash(image, timeout_s=10)
        assert answers(device).build_digest == image.build_digest
        assert len(usb.uploads) == uploads
    assert counter.cycles(UNIT) == 3


def test_another_build_of_the_same_model_is_flashed(usb, device):
    device.flash(an_image(build=1), timeout_s=10)
    device.flash(an_image(build=2), timeout_s=10)
    assert answers(device).build_digest == an_image(build=2).build_digest


def test_upload_falsely_reported_as_done_is_done_again(usb, device):
    device.flash(an_image(0), timeout_s=10)
    usb.lies = 1
    image = an_image(0, build=2)
    assert bench(image, device, BenchSettings(), Reversed(image)).check.passed
    assert len(usb.uploads) == 3


def test_upload_that_is_always_falsely_reported_ends_with_the_cause(usb, device):
    device.flash(an_image(0), timeout_s=10)
    usb.lies = 99
    image = an_image(0, build=2)
    with pytest.raises(WrongImage, match="old image is still there") as caught:
        bench(image, device, BenchSettings(retries=2), Reversed(image))
    assert len(usb.uploads) == 1 + 3
    assert any("3 attempts" in note for note in caught.value.__notes__)


def test_old_protocol_after_an_upload_is_an_upload_that_did_not_happen(usb, device):
    usb.info = {"protocol": PROTOCOL_VERSION - 1}
    device.flash(an_image(0), timeout_s=10)
    usb.lies = 1
    image = an_image(1)
    with pytest.raises(WrongImage, match="another protocol version"):
        bench(image, device, BenchSettings(retries=0), Reversed(image))
    usb.info = {}
    assert bench(image, device, BenchSettings(retries=0), Reversed(image)).check.passed


@pytest.mark.parametrize("cut", [KeyboardInterrupt(), DeviceTimeout("too slow", device="d")])
def test_flash_that_was_cut_short_is_done_again(usb, device, counter, monkeypatch, cut):
    """The digest may be written before the rest: an answer proves nothing then."""
    image = an_image()

    def power_cut(*arguments, **named):
        usb.upload(*arguments, **named)
        raise cut

    monkeypatch.setattr("hil.firmware.upload", power_cut)
    with pytest.raises(type(cut)):
        device.flash(image, timeout_s=10)
    monkeypatch.setattr("hil.firmware.upload", usb.upload)
    assert answers(device).build_digest == image.build_digest
    device.flash(image, timeout_s=10)
    device.flash(image, timeout_s=10)
    assert len(usb.uploads) == 2
    assert counter.cycles(UNIT) == 2


KILLED_WHILE_FLASHING = """
import os, signal, sys
from hil import firmware
from hil.devices.hardware import SerialDevice
from tests.hil.test_serial_flashing import an_image
from tests.support.firmware import dk

firmware.upload = lambda *arguments, **named: os.kill(os.getpid(), signal.SIGKILL)
from hil.devices.wear_store import WearStore
SerialDevice("serial:test", dk(), sys.argv[1], counter=WearStore()).flash(an_image(), timeout_s=60)
"""


def test_process_killed_while_flashing_leaves_a_free_board_a_count_and_a_warning_to_the_next(
    make_board, make_device, counter
):
    usb = make_board(native=False)
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_FLASHING, usb.port])
    assert killed.returncode == -signal.SIGKILL
    unit = f"unit {b'REALUNIT'.hex()}"
    assert counter.cycles(unit) == 1
    assert counter.was_cut_short(unit)
    usb.image = an_image()  # its digest was written, and who knows what else
    usb.serial_number = ""
    make_device(usb, board=dk()).flash(an_image(), timeout_s=10)
    assert len(usb.uploads) == 1
    assert (counter.cycles(unit), counter.was_cut_short(unit)) == (2, False)


def test_uploader_gets_what_is_left_of_the_deadline(usb, device, monkeypatch):
    given = []

    def upload(*arguments, timeout_s, **named):
        given.append(timeout_s)
        usb.upload(*arguments, timeout_s=timeout_s, **named)

    monkeypatch.setattr("hil.firmware.upload", upload)
    device.flash(an_image(), timeout_s=5.0)
    assert 1.0 <= given[0] < 5.0


# ---- wear


def test_flash_is_counted_before_it_starts(usb, device, counter, monkeypatch):
    counts = []

    def upload(*arguments, **named):
        counts.append(counter.cycles(UNIT))
        raise FlashFailed("no", device="d")

    monkeypatch.setattr("hil.firmware.upload", upload)
    for _ in range(2):
        with pytest.raises(FlashFailed):
            device.flash(an_image(), timeout_s=10)
    assert counts == [1, 2]


def rated(cycles):
    return replace(BOARD, flash=replace(BOARD.flash, endurance_cycles=cycles))


def flash_until(device, count):
    for k in range(count):
        device.flash(an_image(k % 2), timeout_s=10)


def test_wear_is_warned_about_once_from_half_of_the_rating_on(usb, make_device):
    device = make_device(usb, board=rated(6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flash_until(device, 3)
    with pytest.warns(FlashWearWarning, match=r"3 of 6 rated erase cycles \(50%\)"):
        device.flash(an_image(1), timeout_s=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        device.flash(an_image(0), timeout_s=10)


@pytest.mark.filterwarnings("ignore::hil.devices.wear.FlashWearWarning")
def test_worn_board_is_refused_until_asked(usb, make_device, counter, monkeypatch):
    device = make_device(usb, board=rated(10))
    for _ in range(9):
        counter.begin(UNIT, "1-2")
    with pytest.raises(FlashWorn, match="9 of 10 rated") as caught:
        device.flash(an_image(), timeout_s=10)
    assert (caught.value.cycles, caught.value.endurance_cycles) == (9, 10)
    assert "--allow-worn" in caught.value.remedy
    assert (usb.uploads, usb.touches) == ([], 0)
    device.allow_worn = True
    device.flash(an_image(), timeout_s=10)
    device.allow_worn = None
    with pytest.raises(FlashWorn):
        device.flash(an_image(1), timeout_s=10)
    monkeypatch.setenv("HILNAS_ALLOW_WORN", "1")
    device.flash(an_image(1), timeout_s=10)
    assert counter.cycles(UNIT) == 11


def test_worn_board_still_runs_what_it_holds(usb, make_device, counter):
    device = make_device(usb, board=rated(10))
    image = an_image()
    device.flash(image, timeout_s=10)
    for _ in range(20):
        counter.begin(UNIT, "1-2")
    counter.finish(UNIT)
    device.flash(image, timeout_s=10)
    assert answers(device).build_digest == image.build_digest


def test_board_without_serial_number_is_counted_by_the_chip_once_it_answers(make_board, make_device, counter):
    usb = make_board(serial_number="", image=None)
    device = make_device(usb)
    device.flash(an_image(0), timeout_s=10)  # nothing answers yet: counted for the place
    assert counter.cycles("nrf52840_dk at 1-2") == 1
    device.flash(an_image(1), timeout_s=10)
    assert counter.cycles("nrf52840_dk at 1-2") == 0
    assert counter.cycles(f"unit {b'REALUNIT'.hex()}") == 2
    usb.image = None  # erased by other means: silent again, but known
    usb.vanish(0.0)
    device.flash(an_image(0), timeout_s=10)
    assert counter.cycles(f"unit {b'REALUNIT'.hex()}") == 3


class Counting(NoWear):
    begun = finished = 0

    def begin(self, unit, place):
        self.begun += 1
        return self.begun

    def finish(self, unit):
        self.finished += 1


@needs_toolchain
def test_emulated_board_behind_a_port_goes_the_same_way():
    """The uploader is a process here, the firmware the real one; only the board is emulated."""
    from hil.devices.emulated_pty import EmulatedPtyDevice
    from hil.interpreter import truth

    counter = Counting()
    device = EmulatedPtyDevice("emulated+pty:nrf52840_dk", dk(), counter)
    try:
        image = device.build(conv_program())
        reference = truth(image.program.graph)
        first = bench(image, device, BenchSettings(), reference)
        device._serial.hello_timeout_s = 10.0  # it has firmware now, however busy this computer is
        second = bench(image, device, BenchSettings(), reference)
    finally:
        device.close()
    assert first.cycles == second.cycles
    assert (counter.begun, counter.finished) == (1, 1)


# ---- one at a time


def test_board_is_held_from_the_first_use_to_close(usb, make_device):
    first, second = make_device(usb), make_device(usb, "A1B2")
    first.flash(an_image(), timeout_s=10)
    answers(first)
    with pytest.raises(PortBusy, match="another device object of this process"):
        second.connect()
    first.connect().close()
    with pytest.raises(PortBusy):
        second.connect()
    first.close()
    assert answers(second).board == BOARD.id


def test_other_process_that_holds_the_board_is_named(usb, make_device):
    code = (
        "import sys; from hil.devices.lock import BoardLock; "
        "lock = BoardLock('usb A1B2', 'd'); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PortBusy, match=f"process {holder.pid} on .* since "):
            make_device(usb).build(None)
    finally:
        holder.kill()
        holder.communicate()
    make_device(usb).flash(an_image(), timeout_s=10)


# ---- behind a URL


def test_url_without_a_way_to_flash_is_told_before_anything_else(monkeypatch):
    from hil.devices import open_device

    with pytest.raises(BadDevice, match=r"behind a URL cannot be flashed by `pio run") as caught:
        open_device("serial:socket://localhost:7000", board="nrf52840_dk")
    assert "HILNAS_UPLOAD_COMMAND" in caught.value.remedy
    monkeypatch.setenv("HILNAS_UPLOAD_COMMAND", "flash-it")
    open_device("serial:socket://localhost:7000", board="nrf52840_dk").close()
    with pytest.raises(BadDevice, match="a URL does not tell"):
        open_device("serial:socket://localhost:7000")


def test_server_that_is_not_there_is_told(make_device, make_board):
    device = make_device(make_board(), "socket://localhost:9", upload_command="flash-it", return_wait_s=0.2)
    with pytest.raises(PortMissing, match="nothing answers at socket://localhost:9") as caught:
        device.build(None)
    assert "server" in caught.value.remedy
    with pytest.raises(PortMissing):
        device.flash(an_image(), timeout_s=10)


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's
@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_board_on_another_host_is_measured(make_board, make_device, counter, scheme, monkeypatch):
    from tests.support.port_server import PortServer

    usb = make_board(native=False)
    monkeypatch.setattr(
        "hil.firmware.upload",
        lambda image, board, port, **named: usb.upload(image, board, usb.port, **named),
    )
    image = an_image()
    with PortServer(usb.port, rfc2217=scheme == "rfc2217") as server:
        device = make_device(usb, f"{scheme}://localhost:{server.number}", upload_command="flash-it")
        for _ in range(2):
            measured = bench(image, device, BenchSettings(retries=0), Reversed(image))
            assert measured.check.passed
        with pytest.raises(PortBusy):
            make_device(usb, device.port, upload_command="flash-it").connect()
    assert len(usb.uploads) == 1
    assert counter.cycles(f"nrf52840_dk at {device.port}") == 0
    assert counter.cycles(f"unit {b'REALUNIT'.hex()}") == 1
