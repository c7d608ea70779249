"""A search on a board that fails in all ways at once, held against the same search on one that never fails.

Run: make soak            (SOAK_CANDIDATES=50 for a short one)

The board is virtual: the emulated nRF52840 behind a pseudo-terminal in its own process, flashed by PlatformIO
and found by its serial number, as a board on USB is.  5 % of all operations (flashes, hellos, writes, runs,
reads) are struck by a fault.  Everything is real but the training, which touches no board: the accuracy is
pretended.  A study that stops is continued, as a person would.

The fault-free search runs beside it on the emulator in this computer's other process, and has the images
built before they are wanted.

Writes build/soak.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hil.board import load_board
from hil.errors import HilError
from hil.testing.virtual_board.client import VirtualBoard
from hil.testing.virtual_board.kinds import Kind
from hil.testing.virtual_board.plan import FaultPlan
from hil.testing.virtual_board.tally import Tally
from search.cascade import Evaluator
from search.config import Budget, MeasureConfig, StudyConfig
from search.errors import SearchError
from search.evaluate import HilEvaluator
from search.events import Event, StageRetried, TrialFinished
from search.store import Store
from search.study import Study
from search.testing.untrained import Untrained
from search.trial import State, Trial

BOARD = "nrf52840_dk"
RATE = 0.05
FLASH_TIMEOUT_S, STALL_S = 10.0, 11.0
REPLY_TIMEOUT_S, HELLO_TIMEOUT_S = 0.5, 1.0
MOST_CONTINUATIONS = 50
ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "build" / "soak.json"


def study(trials: int, device: str) -> StudyConfig:
    """Networks of a moment's inference: it is the way to the board that is soaked, not the kernels."""
    return StudyConfig(
        name="soak",
        objectives=["minimize latency_us", "minimize ram_bytes", "minimize flash_bytes"],
        space={"name": "chain", "max_depth": 3, "filters": [4, 8, 12, 16, 20, 24], "kernels": [3, 5]},
        strategy={"name": "random", "seed": 7},
        device=device,
        board=BOARD if device.startswith("serial:") else "",
        measure={"flash_timeout_s": FLASH_TIMEOUT_S},
        budget=Budget(trials=trials),
    )


class Lines:
    """A line for every so many trials, and one for each stage that was tried again."""

    def __init__(self, console: Console, trials: int) -> None:
        self._console = console
        self._trials = trials
        self._began_s = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def emit(self, event: Event) -> None:
        match event:
            case TrialFinished() if event.done % max(1, self._trials // 20) == 0:
                passed_s = time.monotonic() - self._began_s
                self._console.print(f"{event.done} of {self._trials} trials, {passed_s:.0f} s")
            case StageRetried():
                self._console.print(f"  trial {event.number}: {event.stage.value} again: {event.message}")


Around = Callable[[Evaluator], Evaluator]
"""Makes the evaluator of a soak of the real one."""


def search_alone(config: StudyConfig, folder: Path, around: Around) -> None:
    """The fault-free search, on the emulator in this process."""
    with Study.open(config, folder, evaluator=around(HilEvaluator(config))) as opened:
        opened.run()


def search_faulty(
    config: StudyConfig, folder: Path, virtual: VirtualBoard, around: Around, console: Console
) -> int:
    """The search on the virtual board; returns how often it had to be continued."""
    continued = 0
    progress = Lines(console, config.budget.trials or 0)
    while True:
        # All anew, as in a new process.
        device = virtual.device(hello_timeout_s=HELLO_TIMEOUT_S)
        evaluator = HilEvaluator(config, device=device, reply_timeout_s=REPLY_TIMEOUT_S)
        try:
            with Study.open(config, folder, evaluator=around(evaluator)) as opened:
                opened.run(progress)
            return continued
        except (HilError, SearchError) as error:
            if continued == MOST_CONTINUATIONS:
                raise
            continued += 1
            console.print(f"  the study stopped, and is continued: {error}")


TIMES = frozenset({"latency_us", "cycles", "energy_uj"})
SPREAD = MeasureConfig().spread
"""Within this a time is right: what ran before an inference leaves its traces in the instruction cache."""


@dataclass(frozen=True)
class Comparison:
    """Of the trials of two searches.

    Attributes:
        lost: trials without an outcome, or given up because of the board.
        wrong: trials with another outcome, or with a figure that differs; times may, by SPREAD.
        other_times: trials, right ones, whose times differ all the same.
        largest: difference of times, relative.
    """

    lost: int
    wrong: int
    other_times: int
    largest: float


def compare(alone: list[Trial], faulty: list[Trial], trials: int) -> Comparison:
    """Hold each trial of the search on the faulty board against its like."""
    expected = {trial.number: trial for trial in alone}
    ended = [trial for trial in faulty if trial.state in (State.COMPLETE, State.INFEASIBLE)]
    differences = [_difference(expected.get(trial.number), trial) for trial in ended]
    right = [difference for difference in differences if difference <= SPREAD]
    return Comparison(
        lost=trials - len(ended),
        wrong=len(differences) - len(right),
        other_times=sum(difference > 0 for difference in right),
        largest=max(right, default=0.0),
    )


def _difference(expected: Trial | None, found: Trial) -> float:
    """Largest relative difference of times; infinite where anything else differs."""
    if expected is None or (expected.architecture, expected.state) != (found.architecture, found.state):
        return inf
    if expected.values.keys() != found.values.keys():
        return inf
    if any(found.values[name] != value for name, value in expected.values.items() if name not in TIMES):
        return inf
    pairs = [(found.values[name], expected.values[name]) for name in TIMES & expected.values.keys()]
    return max((abs(one - other) / other for one, other in pairs), default=0.0)


@dataclass(frozen=True)
class Soak:
    """What came of it.

    Attributes:
        trials: asked for.
        compared: with the fault-free search.
        continued: how often the study had stopped.
    """

    tally: Tally
    trials: int
    compared: Comparison
    continued: int

    def to_dict(self) -> dict[str, Any]:
        """What build/soak.json holds."""
        return {
            "operations": self.tally.operations.total(),
            "faults_injected": {kind.name.lower(): self.tally.faults[kind] for kind in Kind},
            "trials": self.trials,
            "trials_lost": self.compared.lost,
            "figures_wrong": self.compared.wrong,
            "recoveries": self.tally.recoveries,
        }


def soak(folder: Path, trials: int, plan: FaultPlan, console: Console) -> Soak:
    """Both searches, and what their comparison says.

    Args:
        folder: for the two studies; what is there is dropped.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "benchmarks.soak",
        "--alone",
        str(folder / "alone"),
        "--trials",
        str(trials),
    ]
    with subprocess.Popen(command, cwd=ROOT) as alone:
        try:
            with VirtualBoard(load_board(BOARD)) as virtual:
                virtual.plan(plan)
                config = study(trials, virtual.device().name)
                continued = search_faulty(config, folder / "faulty", virtual, Untrained, console)
                tally = virtual.tally()
        except BaseException:
            alone.kill()
            raise
    if alone.returncode != 0:
        raise SystemExit(f"the fault-free search ended with status {alone.returncode}")
    with Store.read(folder / "alone") as first, Store.read(folder / "faulty") as second:
        compared = compare(first.trials(), second.trials(), trials)
    return Soak(tally, trials, compared, continued)


def table(found: Soak, seconds: float) -> Table:
    """What a person wants to see."""
    shown = Table(title=f"{found.trials} candidates on a virtual {BOARD}, emulated figures, {seconds:.0f} s")
    shown.add_column("")
    shown.add_column("count", justify="right")
    for operation, count in found.tally.operations.items():
        shown.add_row(f"{operation.value} attempted", f"{count:,}")
    shown.add_section()
    for kind in Kind:
        shown.add_row(kind.value, f"{found.tally.faults[kind]:,}")
    shown.add_section()
    for what, count in (
        ("operations", found.tally.operations.total()),
        ("faults injected", found.tally.injected),
        ("recoveries", found.tally.recoveries),
        ("studies continued by hand", found.continued),
        ("trials lost", found.compared.lost),
        ("figures wrong", found.compared.wrong),
    ):
        shown.add_row(what, f"{count:,}")
    shown.add_row("times not the very same", f"{found.compared.other_times:,}")
    shown.add_row("largest difference of a time", f"{found.compared.largest:.3%}")
    return shown


def main() -> int:
    """Soak, print, write; fails where anything was lost or wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", type=Path, metavar="FOLDER", help="run the fault-free search only")
    options = parser.parse_args()
    if options.alone is not None:
        search_alone(study(options.trials, f"emulated:{BOARD}"), options.alone, Untrained)
        return 0
    console = Console()
    began_s = time.monotonic()
    plan = FaultPlan(seed=options.seed, rate=RATE, stall_s=STALL_S)
    found = soak(ROOT / "build" / "soak", options.trials, plan, console)
    RESULT.write_text(json.dumps(found.to_dict(), indent=2) + "\n")
    console.print(table(found, time.monotonic() - began_s))
    console.print(f"{RESULT.relative_to(ROOT)} written")
    return 1 if found.compared.lost or found.compared.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
