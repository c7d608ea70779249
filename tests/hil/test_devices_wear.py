"""Counts of flash wear: kept through crashes and crowds."""

import signal
import subprocess
import sys

import pytest

from hil.board import load_board
from hil.devices.discover import Port
from hil.devices.wear import NoWear, Wear, has_no_flash, settle_unit, unit_of
from hil.devices.wear_store import FILE, WearStore
from hil.errors import HostError

DK = load_board("nrf52840_dk")
COUNT = """
import sys
from pathlib import Path
from hil.devices.wear_store import WearStore
store = WearStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    store.begin("a", "1-2")
    print("counted", flush=True)
"""


def counting(folder, count):
    return subprocess.Popen(
        [sys.executable, "-c", COUNT, str(folder), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def store(tmp_path):
    return WearStore(tmp_path)


def test_counts_per_unit_and_lasts(store, tmp_path):
    assert (store.cycles("a"), store.was_cut_short("a")) == (0, False)
    assert [store.begin("a", "1-2"), store.begin("b", "1-3"), store.begin("a", "1-2")] == [1, 1, 2]
    assert store.was_cut_short("a")
    store.finish("a")
    again = WearStore(tmp_path)
    assert (again.cycles("a"), again.was_cut_short("a")) == (2, False)
    assert (again.cycles("b"), again.was_cut_short("b")) == (1, True)


def test_processes_that_count_at_the_same_time_lose_none(store, tmp_path):
    crowd = [counting(tmp_path, 20) for _ in range(4)]
    for process in crowd:
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in crowd:
        process.communicate()
        assert process.returncode == 0
    assert store.cycles("a") == 80


def test_what_was_counted_survives_a_kill(store, tmp_path):
    counted = 0
    for stop_after in (1, 3, 7):
        process = counting(tmp_path, 100_000)
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        for _ in range(stop_after):
            assert process.stdout.readline() == "counted\n"
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        counted += stop_after + rest.count("counted\n")
        # It may have been killed between a count and its word about it.
        assert counted <= store.cycles("a") <= counted + 1
        counted = store.cycles("a")
    assert store.begin("a", "1-2") == counted + 1


def test_merging_adds_up(store):
    store.begin("at 1-2", "1-2")
    store.merge("at 1-2", "unit 7")
    assert (store.cycles("at 1-2"), store.cycles("unit 7")) == (0, 1)
    assert store.was_cut_short("unit 7")
    store.begin("unit 7", "1-2")
    store.finish("unit 7")
    store.merge("at 1-2", "unit 7")
    assert (store.cycles("unit 7"), store.was_cut_short("unit 7")) == (2, False)
    assert store.unit_at("1-2") == "unit 7"
    assert store.unit_at("1-9") is None


def test_file_that_is_no_store_is_told(store, tmp_path):
    (tmp_path / FILE).write_text("this is no database, and was never one")
    with pytest.raises(HostError) as caught:
        store.begin("a", "1-2")
    assert "HILNAS_STATE" in caught.value.remedy
    with pytest.raises(HostError):
        WearStore(tmp_path / FILE / "below").begin("a", "1-2")


def test_serial_number_names_the_unit(store):
    port = Port("/dev/ttyACM0", "", "1366:1051", (), serial_number="683", location="1-2:1.0")
    assert unit_of(port, DK, None, store) == "usb 683"


def test_unit_behind_a_place_is_remembered(store):
    port = Port("rfc2217://lab:4000", "", "", ())
    assert settle_unit(port, DK, None, store) == "nrf52840_dk at rfc2217://lab:4000"
    store.begin("unit 77", "rfc2217://lab:4000")
    assert settle_unit(port, DK, None, store) == "unit 77"


def test_emulated_boards_do_not_wear():
    assert has_no_flash(Port("/dev/pts/7", "", "", ()), None)
    assert not has_no_flash(Port("/dev/ttyACM0", "", "", ()), None)
    assert NoWear().begin("a", "b") == NoWear().cycles("a") == 0


def test_share_is_of_the_rating():
    assert Wear(5_000, 10_000).share == 0.5
    assert str(Wear(312, 10_000)) == "312 of 10,000 rated erase cycles (3%)"
