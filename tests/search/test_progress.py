"""What a running study shows, on a terminal and off it."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import termios
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from search.events import (
    BenchLost,
    DeployStarted,
    EpochFinished,
    Event,
    Progress,
    StageFinished,
    StageRetried,
    StageStarted,
    StudyEnded,
    StudyOpened,
    TrialFinished,
    TrialStarted,
)
from search.finding import Finding
from search.objective import Objectives
from search.progress import LineProgress, LiveProgress, Pace, for_terminal
from search.space.base import Architecture
from search.trial import Infeasibility, Stage, State, Trial

GOOD = Trial(0, Architecture("chain", "conv3-8"), State.COMPLETE, {"accuracy": 0.95, "latency_us": 4100.0})
REFUSED = Trial(
    1,
    Architecture("chain", "conv5-64"),
    State.INFEASIBLE,
    {"latency_us": 61_000.0},
    infeasibility=Infeasibility(Stage.MEASURE, "latency_us", 61_000.0, 20_000.0, "too slow"),
)
OBJECTIVES = Objectives.parse(["maximize accuracy", "minimize latency_us"], ["latency_us <= 20 ms"])
EVENTS: tuple[Event, ...] = (
    StudyOpened("tiny", Path("studies/tiny"), "simulated:nrf52840_dk", OBJECTIVES, 0, 2, None, 0.0),
    TrialStarted(0, GOOD.architecture),
    StageStarted(0, Stage.TRAIN),
    EpochFinished(0, 1, 5, 0.7),
    StageRetried(0, Stage.MEASURE, 2, "a frame was lost"),
    StageFinished(0, Finding(Stage.TRAIN, seconds=2.0)),
    BenchLost("simulated:b", "no port", ("simulated:a",)),
    TrialFinished(GOOD, (GOOD,), 0, 1, 3.0, 0.5),
    TrialStarted(1, REFUSED.architecture, (Stage.QUANTIZE,)),
    TrialFinished(REFUSED, (GOOD,), 0, 2, 5.0, 0.7625),
    DeployStarted((0,)),
    StageStarted(0, Stage.DEPLOY),
    StudyEnded("trials", "all trials of the budget are done", 6.0, (GOOD,), {}),
)


def play(progress: Progress) -> None:
    with progress:
        for event in EVENTS:
            progress.emit(event)


def test_off_a_terminal_each_trial_is_one_line_without_control_characters() -> None:
    stream = io.StringIO()
    play(LineProgress(stream))
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "* trial 0: conv3-8: accuracy 95.0%  latency 4.10 ms" in text.splitlines()
    assert (
        "  trial 1: conv5-64: beyond a limit at measure: latency 61.0 ms, limit 20.0 ms" in text.splitlines()
    )
    assert "a frame was lost" in text
    assert text.splitlines()[-1].startswith("all trials of the budget are done; 1 network on the front, ")
    assert text.splitlines()[-1].endswith(" candidates a minute, hypervolume 0.762")
    assert "simulated:b is lost, the search goes on with simulated:a: no port" in text.splitlines()


def drawn_on_a_terminal(width: int = 80) -> str:
    """What the live display writes to a pseudo-terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    written = bytearray()

    def collect() -> None:
        # The read fails once the other end is closed and all is read.
        with contextlib.suppress(OSError):
            while data := os.read(master, 65536):
                written.extend(data)

    reader = threading.Thread(target=collect)
    reader.start()
    with os.fdopen(slave, "w") as stream:
        progress = for_terminal(stream)
        assert isinstance(progress, LiveProgress)
        play(progress)
    reader.join()
    os.close(master)
    return written.decode()


def test_on_a_terminal_the_display_shows_budget_front_and_outcomes() -> None:
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn_on_a_terminal())
    for expected in (
        "2/2 trials",
        "front: 1 network",
        "95.0%",
        "beyond a limit",
        "all trials of the budget are done",
    ):
        assert expected in shown


def test_on_a_narrow_terminal_figures_stay_whole_and_architectures_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = replace(GOOD, architecture=Architecture("chain", "conv3-8 " * 12))
    monkeypatch.setattr(
        f"{__name__}.EVENTS", (EVENTS[0], TrialFinished(long, (long,), 0, 1, 3.0)), raising=True
    )
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn_on_a_terminal(width=50))
    row = next(line for line in shown.splitlines() if "conv3-8" in line)
    assert "95.0%" in row
    assert "4.10 ms" in row
    assert "…" in row


def test_output_that_is_no_terminal_gets_lines() -> None:
    assert isinstance(for_terminal(io.StringIO()), LineProgress)


def test_the_pace_tells_candidates_per_minute_and_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("search.progress.time.monotonic", lambda: now[0])
    pace = Pace()
    pace.note(StudyOpened("tiny", Path("tiny"), "simulated:x", OBJECTIVES, 4, 20, 3.0, 60.0))
    assert pace.words() == []
    now[0] += 30.0
    pace.note(TrialFinished(GOOD, (GOOD,), 0, 6, 90.0))
    assert pace.words() == ["4.0 candidates a minute", "about 1:30 left"]  # of the minutes; trials want 3:30
    now[0] += 30.0
    pace.note(TrialFinished(GOOD, (GOOD,), 0, 16, 120.0, 0.5))
    assert pace.words() == ["12.0 candidates a minute", "hypervolume 0.500", "about 0:20 left"]
    pace.note(DeployStarted((0,)))
    assert pace.words() == ["12.0 candidates a minute", "hypervolume 0.500"]
