"""`kill -9` at any moment, then the same command: nothing is lost, and no finished stage is done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.errors import StudyError
from search.store import Store
from search.trial import Stage, State
from tests.search.study_fixtures import contents


def kill_points(folder: Path, *way: str) -> list[list[str]]:
    command = [sys.executable, "-m", "tests.search.kill_points", str(folder), *way]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def starts(folder: Path) -> dict[tuple[int, Stage], int]:
    with Store.read(folder) as store:
        return store.starts()


def test_a_study_killed_once_at_every_point_ends_like_one_left_alone(folder: Path) -> None:
    studies = kill_points(folder, "each")
    alone = Path(studies[-1][0])  # its point lay behind the end: it was not killed
    expected = contents(alone)
    states = [trial.state for trial in expected["trials"]]
    assert State.COMPLETE in states
    assert len(studies) > 100
    for name, _ in studies[:-1]:
        assert contents(Path(name)) == expected, f"after a kill at point {name}"
        began = starts(Path(name))
        assert set(began) == set(starts(alone))
        # The stage that was under way is begun again, every other stage once.
        assert sum(began.values()) <= len(began) + 1, f"after a kill at point {name}"


@pytest.mark.parametrize("gap", [10, 61])
def test_a_study_killed_again_and_again_ends_like_one_left_alone(folder: Path, gap: int) -> None:
    [[_, _, kills]] = kill_points(folder / "killed", "chain", str(gap))
    kill_points(folder / "alone", "chain", "100000")
    assert int(kills) >= 2
    assert contents(folder / "killed") == contents(folder / "alone")
    began = starts(folder / "killed")
    assert sum(began.values()) <= len(began) + int(kills)


REAL_STUDY = """
import sys, search
config = search.StudyConfig(
    name="tiny", device="simulated:nrf52840_dk", constraints=["ram_bytes <= 64 kB"],
    space={"name": "chain", "max_depth": 2, "filters": [8], "kernels": [3]},
    train={"epochs": 2}, budget=search.Budget(trials=2), strategy={"name": "random", "seed": 1},
)
search.run(config, folder=sys.argv[1]).close()
"""


def start_real_study(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", REAL_STUDY, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )


def kill_when_started(folder: Path, trial: int, stage: Stage) -> None:
    """Run the study until it begins that stage, and kill it there."""
    process = start_real_study(folder)
    while process.poll() is None:
        try:
            if (trial, stage) in starts(folder):
                process.send_signal(signal.SIGKILL)
                break
        except StudyError:
            pass  # not made yet
        time.sleep(0.005)
    told, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, told


@pytest.mark.slow
def test_a_real_study_killed_while_it_quantizes_and_trains_ends_like_one_left_alone(tmp_path: Path) -> None:
    kill_when_started(tmp_path / "killed", 0, Stage.TRAIN)
    kill_when_started(tmp_path / "killed", 1, Stage.QUANTIZE)
    for name in ("killed", "alone"):
        process = start_real_study(tmp_path / name)
        told, _ = process.communicate()
        assert process.returncode == 0, told
    killed, alone = contents(tmp_path / "killed"), contents(tmp_path / "alone")
    assert [trial.state for trial in alone["trials"]] == [State.COMPLETE] * 2
    assert killed["trials"] == alone["trials"]
    untimed = {name: data for name, data in alone["files"].items() if name.endswith(".tflite")}
    assert len(untimed) == 4
    assert untimed == {name: data for name, data in killed["files"].items() if name.endswith(".tflite")}
    began = starts(tmp_path / "killed")
    assert {key: count for key, count in began.items() if count > 1}.keys() <= {
        (0, Stage.TRAIN),
        (1, Stage.QUANTIZE),
    }
