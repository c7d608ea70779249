"""The store keeps what it is given, once, for one owner, and says what is wrong with a folder."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from search.errors import StudyError, StudyLocked
from search.finding import Finding
from search.space.base import Architecture
from search.store import FILE, Store
from search.store.artifacts import write_whole
from search.trial import Failure, Infeasibility, Proposal, Stage, State

NET = Architecture("chain", "conv3-8 ds3-16")
MEASURED = Finding(
    Stage.MEASURE,
    values={"latency_us": 512.25},
    provenance={"latency_us": "simulated"},
    at_least={"ram_bytes": 100.0},
    detail={"image": "ab" * 32, "nested": {"list": [1, 2.5, None, True]}},
    seconds=0.25,
)


def test_findings_and_outcomes_come_back_equal(tmp_path: Path) -> None:
    unfit = Infeasibility(Stage.MEASURE, "latency_us", 512.25, 500.0, "latency_us is 512")
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        store.add_finding(0, MEASURED)
        store.finish_trial(0, State.INFEASIBLE, infeasibility=unfit)
        store.add_trial(Proposal(Architecture("chain", "conv3-8")), asked=4)
        failure = Failure(Stage.TRAIN, "TrainingFailed", "nan", attempts=1)
        store.finish_trial(1, State.FAILED, failure=failure)
    with Store.read(tmp_path) as store:
        first, second = store.trials()
        assert store.findings(0) == {Stage.MEASURE: MEASURED}
        assert first == store.trial(0)
        assert (first.architecture, first.state, first.infeasibility) == (NET, State.INFEASIBLE, unfit)
        assert (first.values, first.provenance) == ({"latency_us": 512.25}, {"latency_us": "simulated"})
        assert (second.state, second.failure) == (State.FAILED, failure)
        assert store.asked() == 4


def test_a_stage_is_finished_once(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        store.add_finding(0, MEASURED)
        with pytest.raises(StudyError, match="measure of trial 0 is finished already"):
            store.add_finding(0, MEASURED)


def test_a_trial_is_finished_once(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        store.finish_trial(0, State.COMPLETE)
        with pytest.raises(StudyError, match="trial 0"):
            store.finish_trial(0, State.FAILED)
        assert store.trial(0).state is State.COMPLETE


def test_deployed_figures_stand_beside_those_of_the_search(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        store.add_finding(0, MEASURED)
        store.add_finding(0, Finding(Stage.DEPLOY, values={"latency_us": 530.0}))
        assert store.trial(0).values == {"latency_us": 512.25}
        assert store.findings(0)[Stage.DEPLOY].values == {"latency_us": 530.0}


def test_measurements_are_found_by_image_device_and_settings(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_measurement("image", "emulated:a", {"runs": 3, "warmup": 1}, {"latency_us": 1.5})
        assert store.measurement("image", "emulated:a", {"warmup": 1, "runs": 3}) == {"latency_us": 1.5}
        assert store.measurement("other", "emulated:a", {"warmup": 1, "runs": 3}) is None
        assert store.measurement("image", "serial:a", {"warmup": 1, "runs": 3}) is None
        assert store.measurement("image", "emulated:a", {"warmup": 1, "runs": 4}) is None


def test_trainings_are_found_by_architecture_data_settings_and_seed(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_training(NET, "data", {"epochs": 2}, 1, {"accuracy": 0.5})
        assert store.training(NET, "data", {"epochs": 2}, 1) == {"accuracy": 0.5}
        assert store.training(Architecture("chain", "conv3-8"), "data", {"epochs": 2}, 1) is None
        assert store.training(NET, "other", {"epochs": 2}, 1) is None
        assert store.training(NET, "data", {"epochs": 3}, 1) is None
        assert store.training(NET, "data", {"epochs": 2}, 2) is None


def test_missing_trial_and_missing_study_are_named(tmp_path: Path) -> None:
    with Store.open(tmp_path / "study") as store:
        store.add_trial(Proposal(NET), asked=1)
        with pytest.raises(StudyError, match="no trial 7; it has trials 0 to 0"):
            store.trial(7)
        with pytest.raises(StudyError, match="is missing, although"):
            store.artifact("trials/0000/model.tflite")
    with pytest.raises(StudyError, match="no study in"):
        Store.read(tmp_path / "elsewhere")


def test_a_second_process_is_refused_and_told_who_runs_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from search.store import Store\n"
        f"Store.open(Path({str(tmp_path)!r})); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StudyLocked, match=f"process {other.pid} on "):
            Store.open(tmp_path)
        with Store.read(tmp_path) as looking:
            assert looking.trials() == []
        other.send_signal(signal.SIGKILL)
        other.wait()
        Store.open(tmp_path).close()
    finally:
        other.kill()
        other.communicate()


def test_a_reader_sees_each_commit_while_the_study_runs(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, Store.read(tmp_path) as looking:
        assert looking.trials() == []
        store.add_trial(Proposal(NET), asked=1)
        assert [trial.architecture for trial in looking.trials()] == [NET]
        with pytest.raises(StudyError, match="readonly"):
            looking.add_trial(Proposal(NET), asked=2)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="file") as caught:
        Store.open(tmp_path / "file" / "study")
    assert "name another folder" in str(caught.value.remedy)


def test_a_damaged_data_base_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no data base" * 100)
    for way in (Store.open, Store.read):
        with pytest.raises(StudyError, match="damaged or no study"):
            way(tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"this is no data base" * 100


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for way in (Store.open, Store.read):
        with pytest.raises(StudyError, match="schema version 99"):
            way(tmp_path)


def test_a_full_data_base_keeps_what_was_committed(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        large = Finding(Stage.MEASURE, detail={"text": "x" * 100_000})
        with pytest.raises(StudyError, match="full") as caught:
            store.add_finding(0, large)
        assert "same command continues" in str(caught.value.remedy)
        assert store.findings(0) == {}
        assert len(store.trials()) == 1


def test_a_disk_without_room_for_a_file_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from search.errors import StudyError\n"
        "from search.store.artifacts import write_whole\n"
        "try: write_whole(Path(sys.argv[1]), b'x' * 5000)\n"
        "except StudyError as error: print(error, '|', error.remedy)"
    )

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path / "model.tflite")],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=little_room,
    )
    assert "model.tflite cannot be written: File too large" in done.stdout
    assert "same command continues" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.tflite"
    write_whole(path, b"old")

    def power_cut(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", power_cut)
    with pytest.raises(StudyError, match="Input/output error"):
        write_whole(path, b"new and longer")
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs root to mount")
def test_a_read_only_file_system_is_named_and_can_still_be_read(tmp_path: Path) -> None:
    with Store.open(tmp_path / "study") as store:
        store.add_trial(Proposal(NET), asked=1)
    code = (
        "import sys; from pathlib import Path; from search.errors import StudyError\n"
        "from search.store import Store\n"
        "folder = Path(sys.argv[1])\n"
        "print(len(Store.read(folder).trials()))\n"
        "try: Store.open(folder)\n"
        "except StudyError as error: print(error, error.remedy)"
    )
    shell = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$1" -c "$2" "$0/study"'
    command = ["unshare", "--mount", "sh", "-c", shell, str(tmp_path), sys.executable, code]
    mount = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mount" in mount.stderr or "unshare" in mount.stderr:
        pytest.skip(f"mounting is not allowed here: {mount.stderr.strip()}")
    assert mount.returncode == 0, mount.stderr
    assert mount.stdout.startswith("1\n")
    assert "read-only" in mount.stdout.lower()


def test_a_study_of_the_first_version_goes_on(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET), asked=1)
        store.add_finding(0, MEASURED)
        store.finish_trial(0, State.COMPLETE)
        store.add_trial(Proposal(Architecture("chain", "conv3-8")), asked=2)
    connection = sqlite3.connect(tmp_path / FILE)
    connection.executescript(
        "DROP INDEX trials_by_architecture; ALTER TABLE trials DROP COLUMN figures;"
        "ALTER TABLE trials DROP COLUMN fidelity; PRAGMA user_version = 1"
    )
    connection.close()
    with pytest.raises(StudyError, match="schema version 1"):
        Store.read(tmp_path)
    with Store.open(tmp_path) as store:
        assert [trial.fidelity for trial in store.trials()] == [1.0, 1.0]
        assert store.trial(0).values == {"latency_us": 512.25}
        assert store.trial(1).state is State.RUNNING


def test_what_a_twin_has_found_is_found(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.add_trial(Proposal(NET, fidelity=0.25), asked=1)
        store.add_finding(0, MEASURED)
        store.add_trial(Proposal(NET), asked=2)
        store.add_trial(Proposal(Architecture("chain", "conv3-8")), asked=3)
        assert store.finding_of_twin(1, Stage.MEASURE) == MEASURED
        assert store.finding_of_twin(1, Stage.TRAIN) is None
        assert store.finding_of_twin(2, Stage.MEASURE) is None
        assert store.finished_stage(Stage.MEASURE) == {0: MEASURED}
