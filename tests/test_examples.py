"""The examples run as they are, and the README shows the very same code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, environment

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc (make setup installs it)"
)


def run(example: str, folder: Path) -> str:
    script = (ROOT / "examples" / example).read_text().replace("trials=4", "trials=1")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_search_from_python(tmp_path: Path) -> None:
    run("02_search_from_python.py", tmp_path)
    assert (tmp_path / "studies" / "digits_from_python" / "study.sqlite").is_file()


def test_measure_a_keras_model(tmp_path: Path) -> None:
    out = run("03_measure_keras_model.py", tmp_path)
    assert "(emulated)" in out
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["stem", "depthwise", "pool", "classes"]


def test_keras_tuner_with_hardware(tmp_path: Path) -> None:
    out = run("04_keras_tuner.py", tmp_path)
    assert "us," in out
    assert (tmp_path / "tuned" / "untitled_project" / "trial_0" / "measurement.json").is_file()


def test_readme_shows_the_example() -> None:
    script = (ROOT / "examples" / "02_search_from_python.py").read_text()
    code = script[script.index("import search") :].strip()
    assert code in (ROOT / "README.md").read_text()
