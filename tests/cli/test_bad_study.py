"""Studies that cannot be run, at the command line: each says what is wrong before any long work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Result, assert_clear, environment, hilnas

STUDY = """\
name = "tiny"
objectives = ["maximize accuracy", "minimize latency_us"]
constraints = ["latency_us <= 20 ms"]
device = "simulated:nrf52840_dk"
data = "digits"

[space]
name = "chain"
min_depth = 1
max_depth = 2

[budget]
trials = 1

[train]
epochs = 1
"""


def search(folder: Path, text: str, *more: str) -> Result:
    (folder / "study.toml").write_text(text)
    return hilnas("search", "study.toml", *more, folder=folder)


def with_data(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "own.npz", **arrays)  # type: ignore[arg-type]
    return STUDY.replace('data = "digits"', 'data = "own.npz"')


def test_missing_study_file(tmp_path: Path) -> None:
    assert_clear(hilnas("search", "no.toml", folder=tmp_path), 2, "no.toml")


def test_malformed_toml_names_the_line(tmp_path: Path) -> None:
    text = STUDY.replace("min_depth = 1", "min_depth = = 1")
    assert_clear(search(tmp_path, text), 2, "study.toml", "9")


def test_unknown_key_names_line_and_nearest_key(tmp_path: Path) -> None:
    text = STUDY.replace("epochs = 1", "epoch = 1")
    assert_clear(search(tmp_path, text), 2, "study.toml", "16", "train.epoch", "epochs")


def test_wrong_type_names_line_and_key(tmp_path: Path) -> None:
    text = STUDY.replace("trials = 1", 'trials = "many"')
    assert_clear(search(tmp_path, text), 2, "13", "budget.trials", "many")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "chain"', 'name = "chian"', ("chian", "chain")),
        ("simulated:nrf52840_dk", "simulated:nrf52840", ("nrf52840", "nrf52840_dk")),
        ("latency_us <= 20 ms", "latency_us <= 20 kB", ("latency_us", "kB")),
        ("maximize accuracy", "maximize acuracy", ("acuracy", "accuracy")),
    ],
)
def test_misspelt_names_show_the_right_one(tmp_path: Path, old: str, new: str, says: tuple[str, ...]) -> None:
    assert_clear(search(tmp_path, STUDY.replace(old, new)), 2, *says)


def test_contradictory_constraints(tmp_path: Path) -> None:
    text = STUDY.replace('"latency_us <= 20 ms"', '"latency_us <= 20 ms", "latency_us >= 30 ms"')
    assert_clear(search(tmp_path, text), 2, "latency_us")


def test_missing_data(tmp_path: Path) -> None:
    assert_clear(search(tmp_path, STUDY.replace('data = "digits"', 'data = "nowhere.npz"')), 2, "nowhere.npz")


def test_data_of_wrong_shape(tmp_path: Path) -> None:
    text = with_data(tmp_path, x_train=np.zeros((100, 64), np.float32), y_train=np.arange(100) % 3)
    assert_clear(search(tmp_path, text), 2, "own.npz", "x_train", "(100, 64)")


def test_data_with_nan(tmp_path: Path) -> None:
    x = np.zeros((100, 8, 8, 1), np.float32)
    x[17, 3, 3, 0] = np.nan
    assert_clear(
        search(tmp_path, with_data(tmp_path, x_train=x, y_train=np.arange(100) % 3)), 2, "own.npz", "NaN"
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study was run."""
    folder = tmp_path_factory.mktemp("finished")
    first = search(folder, STUDY)
    assert first.code == 0, first.err
    return folder


def test_changed_study_is_refused_with_the_difference(finished: Path) -> None:
    changed = search(finished, STUDY.replace("epochs = 1", "epochs = 2"))
    assert_clear(changed, 4, "epochs", "1", "2")


def test_report_of_no_study(tmp_path: Path) -> None:
    assert_clear(hilnas("report", "nothing", folder=tmp_path), 4, "nothing")


def test_export_of_no_trial(finished: Path) -> None:
    result = hilnas("export", "studies/tiny", "99", "-o", "out", folder=finished)
    assert_clear(result, 4, "99")
    assert not (finished / "out").exists()


def _mounted(folder: Path, options: str, *arguments: str) -> Result:
    """Run hilnas with a small tmpfs at folder/mount, in a mount namespace of its own."""
    mount = folder / "mount"
    mount.mkdir()
    code = "from search.cli import main; main()"
    script = f'mount -t tmpfs -o {options} none "{mount}" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    return Result(done.returncode, done.stdout, done.stderr)


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    test = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(test, capture_output=True).returncode == 0


needs_mount = pytest.mark.skipif(not _can_mount(), reason="needs user and mount namespaces")


@needs_mount
def test_disk_full(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    result = _mounted(tmp_path, "size=48k", "search", "study.toml", "--folder", "mount/study")
    assert_clear(result, 4, "mount/study", "space")


@needs_mount
def test_read_only_study(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    result = _mounted(tmp_path, "ro", "search", "study.toml", "--folder", "mount/study")
    assert_clear(result, 4, "mount/study", "ead-only")
