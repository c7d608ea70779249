"""`kill -9` in the middle of a flash, then the same command: the same figures, and no flash uncounted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil import toolchain
from hil.board import load_board
from hil.devices.wear_store import WearStore
from hil.testing.virtual_board.client import VirtualBoard
from hil.testing.virtual_board.kinds import Kind, Operation
from hil.testing.virtual_board.plan import FaultPlan
from search.store import Store
from search.trial import Stage, State, Trial
from tests.search.flashed_file import UNIT, FlashFile
from tests.search.kill_points import board_folder
from tests.search.small_networks import BOARD, wear_folder
from tests.search.study_fixtures import contents
from tests.search.test_kill import kill_points

needs_toolchain = pytest.mark.skipif(
    not toolchain.available(), reason="no ARM toolchain is installed (`hilnas doctor`)"
)
ROOT = Path(__file__).parent.parent.parent


def start(folder: Path, virtual: VirtualBoard) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.search.small_networks", str(folder), str(virtual.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def finish(folder: Path, virtual: VirtualBoard) -> None:
    process = start(folder, virtual)
    told, _ = process.communicate()
    assert process.returncode == 0, told


def trials(folder: Path) -> list[Trial]:
    with Store.read(folder) as store:
        return store.trials()


def starts(folder: Path) -> dict[tuple[int, Stage], int]:
    with Store.read(folder) as store:
        return store.starts()


@needs_toolchain
@pytest.mark.slow
def test_study_killed_while_it_flashes_ends_like_one_left_alone(tmp_path: Path) -> None:
    with VirtualBoard(load_board(BOARD)) as virtual:
        wear = WearStore(wear_folder(virtual.folder))
        unit = f"usb {virtual.device().listing()[0].serial_number}"
        finish(tmp_path / "alone", virtual)
        flashes_alone = virtual.tally().operations[Operation.FLASH]
        assert wear.cycles(unit) == flashes_alone == 2

        # The first flash hangs until the study has been killed; the old image is gone by then.
        virtual.plan(FaultPlan.every(Kind.FLASH_STALLS, limit=1, stall_s=1.5))
        process = start(tmp_path / "killed", virtual)
        while virtual.tally().operations[Operation.FLASH] == 0:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert [trial.state for trial in trials(tmp_path / "killed")] == [State.RUNNING]
        assert wear.was_cut_short(unit)

        finish(tmp_path / "killed", virtual)
        tally = virtual.tally()
        assert tally.faults == {Kind.FLASH_STALLS: 1}
        assert wear.cycles(unit) == flashes_alone + tally.operations[Operation.FLASH]
        assert not wear.was_cut_short(unit)

    assert trials(tmp_path / "killed") == trials(tmp_path / "alone")
    assert {trial.state for trial in trials(tmp_path / "killed")} == {State.COMPLETE}
    again = {key for key, count in starts(tmp_path / "killed").items() if count > 1}
    assert again == {(0, Stage.MEASURE)}


def counted(study: str) -> tuple[int, int]:
    """Flashes that were counted, and erasures that there were."""
    board = board_folder(Path(study))
    assert not WearStore(board / "wear").was_cut_short(UNIT)
    return WearStore(board / "wear").cycles(UNIT), FlashFile(board).cycles


def test_study_killed_once_at_every_point_of_a_flash_measures_whole_images_and_counts_every_erasure(
    folder: Path,
) -> None:
    studies = [name for name, _ in kill_points(folder, "flash")]
    alone = studies.pop()  # its point lay behind the end: it was not killed
    expected = contents(Path(alone))
    assert counted(alone) == (2, 2)
    assert len(studies) > 40
    for study in studies:
        assert contents(Path(study)) == expected, f"after a kill at point {study}"
        begun, erased = counted(study)
        assert 2 <= erased <= begun <= 3, f"after a kill at point {study}"
    assert {counted(study) for study in studies} == {(2, 2), (3, 2), (3, 3)}
