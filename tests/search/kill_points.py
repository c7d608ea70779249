"""Run a small study in processes of their own, each killed (SIGKILL) at a chosen point.

A point is every SQL statement that the study executes, every file that it opens in its folder and every
rename: between any two of them the disk holds something else.  They are counted by SQLite's trace and
Python's audit hooks.

    python -m tests.search.kill_points FOLDER each      for every point: begin, die there, continue to the end
    python -m tests.search.kill_points FOLDER chain N   one study that dies at point N, comes back and dies at
                                                        point N + 3, then N + 6 ..., until it is done
    python -m tests.search.kill_points FOLDER flash     as each, for every point at which something changes on
                                                        the board, to which each network is flashed

Prints one line per study: its folder and how many points its last process had.  Processes are forked from
this one, which has imported everything already: a hundred of them take seconds.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import traceback
from pathlib import Path
from typing import Any

from search.cascade import Work
from search.config import StudyConfig
from search.space import make_space
from search.study import Study
from search.testing.pretend_evaluator import PretendEvaluator
from search.trial import Stage
from tests.search.flashed_file import FlashingEvaluator
from tests.search.study_fixtures import config, evaluator

TRIALS = 2


class Counter:
    """Counts points, and kills this process at one of them."""

    def __init__(self, folder: Path, kill_at: int | None) -> None:
        """Args: folder: what lies elsewhere is not counted."""
        self.points = 0
        self._folder = str(folder)
        self._kill_at = kill_at

    def tick(self, *_: object) -> None:
        self.points += 1
        if self.points == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = sqlite3.Connection(*arguments, **options)
        if self._folder in str(arguments[0]):
            connection.set_trace_callback(self.tick)
        return connection

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.rename", "open") and str(arguments[0]).startswith(self._folder):
            self.tick()


def finished_stays_finished(stage: Stage, work: Work) -> None:
    if stage in work.store.findings(work.number):
        raise SystemExit(f"{stage} of trial {work.number} is finished, and done again")


def board_folder(folder: Path) -> Path:
    """Where the board of the study in `folder` is."""
    return folder / "board"


def flashing(study: StudyConfig, folder: Path) -> PretendEvaluator:
    """An evaluator that flashes each network before it measures it."""
    space = make_space(study.space.name, study.space.options, input_shape=(8, 8, 1), classes=10)
    return FlashingEvaluator(space, faults=finished_stays_finished, folder=board_folder(folder))


def run_study(folder: Path, kill_at: int | None, *, flash: bool = False) -> int | None:
    """Run the study in a process of its own.

    Returns:
        How many points it had; None where it was killed.
    """
    answer, asked = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            counter = Counter(board_folder(folder) if flash else folder, kill_at)
            sys.addaudithook(counter.audit)
            sqlite3.connect = counter.connect
            study = config(trials=TRIALS)
            made = flashing(study, folder) if flash else evaluator(study, faults=finished_stays_finished)
            with Study.open(study, folder, evaluator=made) as opened:
                opened.run()
            os.write(asked, str(counter.points).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(asked)
    _, status = os.waitpid(child, 0)
    points = os.read(answer, 20)
    os.close(answer)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status != 0:
        raise SystemExit(f"the study in {folder} ended with status {status}")
    return int(points)


def each(root: Path, *, flash: bool = False) -> None:
    point = 0
    while True:
        point += 1
        folder = root / f"{point:04d}"
        finished = run_study(folder, point, flash=flash)
        points = finished if finished is not None else run_study(folder, None, flash=flash)
        print(folder, points, flush=True)
        if finished is not None:
            return


def chain(folder: Path, gap: int) -> None:
    # Coming back takes points of its own: were the gap never to grow, the study might never get further.
    kills = 0
    while (points := run_study(folder, gap + 3 * kills)) is None:
        kills += 1
    print(folder, points, kills, flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "chain":
        chain(Path(sys.argv[1]), int(sys.argv[3]))
    else:
        each(Path(sys.argv[1]), flash=sys.argv[2] == "flash")
