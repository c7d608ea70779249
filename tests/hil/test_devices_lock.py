"""One board, one process: across processes, under any name, and whatever a dead owner has left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hil.devices.discover import Port
from hil.devices.lock import BoardLock, board_key, owner_of
from hil.errors import HostError, PortBusy

HOLD = """
import sys
from hil.devices.lock import BoardLock
lock = BoardLock("usb A1", "d")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HILNAS_LOCKS", str(tmp_path / "locks"))
    return tmp_path / "locks"


@pytest.fixture
def holder():
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, "measure", "kws.tflite"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_owner_is_named_to_others(holder):
    with pytest.raises(PortBusy) as caught:
        BoardLock("usb A1", "serial:x")
    for part in ("serial:x", f"process {holder.pid} on ", "measure kws.tflite", "since 20"):
        assert part in caught.value.message
    owner = owner_of("usb A1")
    assert (owner.pid, owner.brief) == (holder.pid, False)
    assert owner_of("usb A1") == owner, "looking does not take it"


def test_other_boards_stay_free(holder):
    assert owner_of("usb B2") is None
    BoardLock("usb B2", "d").release()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_lock_of_a_dead_process_is_taken_over(holder, number):
    holder.send_signal(number)
    holder.wait()
    assert owner_of("usb A1") is None
    lock = BoardLock("usb A1", "d")
    assert lock.left_by.pid == holder.pid
    assert owner_of("usb A1").pid == os.getpid()
    lock.release()


def test_released_lock_leaves_nothing_behind():
    BoardLock("usb A1", "d").release()
    lock = BoardLock("usb A1", "d")
    assert lock.left_by is None
    lock.release()
    lock.release()
    assert owner_of("usb A1") is None


def test_second_use_in_one_process_is_told_as_such():
    lock = BoardLock("usb A1", "d")
    with pytest.raises(PortBusy, match="another device object of this process") as caught:
        BoardLock("usb A1", "d")
    assert "close()" in caught.value.remedy
    lock.release()


def test_children_do_not_keep_the_board():
    lock = BoardLock("usb A1", "d")
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    lock.release()
    BoardLock("usb A1", "d").release()
    child.communicate()


def test_forked_child_that_outlives_its_owner_is_told():
    code = HOLD.replace(
        'print("held"', 'import os, signal\nif os.fork() == 0:\n    signal.pause()\nprint("held"'
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert parent.stdout.readline() == "held\n"
        parent.kill()
        parent.wait()
        with pytest.raises(PortBusy, match="has ended, but a process that it started"):
            BoardLock("usb A1", "d")
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.stdin.close()
        parent.stdout.close()


def test_somebody_who_only_asks_is_waited_for():
    lock = BoardLock("usb A1", "d", brief=True)
    timer = threading.Timer(0.4, lock.release)
    start = time.monotonic()
    timer.start()
    BoardLock("usb A1", "d").release()
    assert time.monotonic() - start >= 0.4
    timer.join()


def test_damaged_file_is_no_obstacle(folder):
    BoardLock("usb A1", "d").release()
    (file,) = folder.iterdir()
    file.write_text("{nonsense")
    lock = BoardLock("usb A1", "d")
    assert lock.left_by is None
    lock.release()


def test_link_planted_in_the_folder_is_not_followed(folder, tmp_path):
    BoardLock("usb A1", "d").release()
    (file,) = folder.iterdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    file.unlink()
    file.symlink_to(victim)
    with pytest.raises(HostError, match="cannot be used as a lock"):
        BoardLock("usb A1", "d")
    assert victim.read_text() == "precious"


def test_folder_that_cannot_be_made_names_another(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HILNAS_LOCKS", str(tmp_path / "file" / "locks"))
    with pytest.raises(HostError) as caught:
        BoardLock("usb A1", "d")
    assert "HILNAS_LOCKS" in caught.value.remedy


def test_lock_is_of_the_board_not_of_its_name(tmp_path):
    (tmp_path / "ttyACM0").write_text("")
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")
    at = {name: Port(str(tmp_path / name), "", "", ()) for name in ("ttyACM0", "by-id")}
    assert board_key(at["ttyACM0"]) == board_key(at["by-id"])
    moved = [Port(f"/dev/ttyACM{k}", "", "2341:805a", (), serial_number="A1") for k in (0, 1)]
    assert board_key(moved[0]) == board_key(moved[1])
    urls = [Port(url, "", "", ()) for url in ("rfc2217://Lab:4000", "rfc2217://lab:4000?ign_set_control")]
    assert board_key(urls[0]) == board_key(urls[1])
    assert board_key(Port("socket://lab:4001", "", "", ())) != board_key(urls[0])
