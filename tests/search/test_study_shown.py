"""A whole study as its user sees it: in lines, on a terminal, and after Ctrl-C."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from search.cascade import Transient, Work
from search.progress import LineProgress
from search.store import Store
from search.study import Study
from search.trial import Stage, State
from tests.search.study_fixtures import config, evaluator

ROOT = Path(__file__).parent.parent.parent
SHOWN_STUDY = """
import sys, time
from pathlib import Path
from search.progress import for_terminal
from search.study import Study
from tests.search.study_fixtures import config, evaluator
def slow(stage, work): time.sleep(float(sys.argv[2]))
study = config(trials=6)
with Study.open(study, Path(sys.argv[1]), evaluator=evaluator(study, faults=slow)) as opened:
    opened.run(for_terminal())
"""


def on_terminal(folder: Path, **environment: str) -> str:
    """All that a study writes to a terminal of 110 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-c", SHOWN_STUDY, str(folder), "0"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**kept, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait() == 0, seen.decode()
    return seen.decode()


def test_lines_tell_each_trial_once_and_mark_the_front(tmp_path: Path) -> None:
    out = io.StringIO()
    study = config(trials=6)
    with Study.open(study, tmp_path, evaluator=evaluator(study)) as opened:
        opened.run(LineProgress(out))
        front = {trial.number for trial in opened.front()}
        unfit = {trial.number for trial in opened.trials() if trial.state is State.INFEASIBLE}
    lines = out.getvalue().splitlines()
    for number in range(6):
        [line] = [line for line in lines if re.match(rf"[* ] trial {number}:", line)]
        assert ("limit" in line) == (number in unfit)
        if number in front:
            assert line.startswith("*")
    assert "\x1b" not in out.getvalue()


def test_lines_tell_what_is_continued_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.cascade.PAUSE_S", 0.0)
    study = config(trials=2, constraints=[])
    upset = []

    def faults(stage: Stage, work: Work) -> None:
        if stage is Stage.MEASURE and not upset:
            upset.append(work.number)
            raise Transient from TimeoutError("no answer within 2 s")
        if stage is Stage.TRAIN and work.number == 1 and len(upset) == 1:
            upset.append(1)
            raise KeyboardInterrupt

    out = io.StringIO()
    for _ in range(2):
        with Study.open(study, tmp_path, evaluator=evaluator(study, faults=faults)) as opened:
            opened.run(LineProgress(out))
    told = out.getvalue()
    assert "measure is tried again: no answer within 2 s" in told
    assert "interrupted; the same command continues" in told
    assert "trial 1: continuing after measure" in told


def test_a_terminal_shows_the_front_in_colour_unless_the_user_wants_none(tmp_path: Path) -> None:
    colour = r"\x1b\[(?:\d+;)*3\d(?:;\d+)*m"
    plain, coloured = on_terminal(tmp_path / "a", NO_COLOR="1"), on_terminal(tmp_path / "b")
    assert re.search(colour, coloured)
    assert not re.search(colour, plain)
    with Store.read(tmp_path / "a") as store:
        complete = [trial for trial in store.trials() if trial.state is State.COMPLETE]
    for seen in (plain, coloured):
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
        assert "6/6 trials" in text
        assert any(str(trial.architecture)[:20] in text for trial in complete)


def test_ctrl_c_leaves_a_study_that_the_same_command_continues(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SHOWN_STUDY, str(tmp_path), "0.05"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "trial 0" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate()
    assert process.returncode == 0
    assert "interrupted; the same command continues" in told
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "all trials of the budget are done" in again.stdout
    with Store.read(tmp_path) as store:
        assert [session["ending"] for session in store.sessions()] == ["interrupted", "trials"]
        assert len(store.trials()) == 6
