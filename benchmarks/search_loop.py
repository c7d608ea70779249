"""How fast the loop is: measured before training, and with worker processes.

Both sides of a comparison try the very same networks (random search, one seed), begin with an empty cache of
images, and end with the same results.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Rows

from search.cascade import Evaluator, Work
from search.config import Budget, RunConfig, StudyConfig
from search.evaluate import HilEvaluator
from search.finding import Finding
from search.space.base import Space
from search.study import Study
from search.trial import Stage, State, Trial

DEVICE = "emulated:nrf52840_dk"
CANDIDATES = 60


class TrainsFirst:
    """An evaluator that trains every candidate before it asks whether it fits, as most searches do."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @property
    def space(self) -> Space:
        return self._evaluator.space

    @property
    def identity(self) -> Mapping[str, str]:
        return self._evaluator.identity

    def run(self, stage: Stage, work: Work) -> Finding:
        if stage is Stage.ANALYTIC and work.number >= 0:
            self._evaluator.run(Stage.TRAIN, work)  # kept: TRAIN itself finds it in the store
        return self._evaluator.run(stage, work)

    def close(self) -> None:
        self._evaluator.close()


def hardware_first(*, seeds: int, processes: int, images: Path) -> dict[str, Any]:
    """Useful (trained and feasible) candidates per hour; returns what goes into the JSON."""
    config = StudyConfig(
        name="tight",
        objectives=["maximize accuracy", "minimize latency_us"],
        constraints=["latency_us <= 1 ms", "arena_bytes <= 1.5 kB", "flash_bytes <= 24 kB"],
        device=DEVICE,
        strategy={"name": "random", "seed": 1},  # type: ignore[arg-type]  # read as a table
        budget=Budget(trials=CANDIDATES),
    )
    first_s, first = timed(config, HilEvaluator(config))
    trained_s, trained = timed(config, TrainsFirst(HilEvaluator(config)))
    useful = [trial.number for trial in first if trial.state is State.COMPLETE]
    if useful != [trial.number for trial in trained if trial.state is State.COMPLETE]:
        raise SystemExit("the two searches did not find the same networks")
    rows = Rows(title=f"{CANDIDATES} candidates, {len(useful)} within tight limits, on {DEVICE}")
    for heading in ("order", "seconds", "useful candidates per hour"):
        rows.add_column(heading, justify="left" if heading == "order" else "right")
    rows.add_row("trained first", f"{trained_s:.0f}", f"{3600 * len(useful) / trained_s:.0f}")
    rows.add_row("hardware first", f"{first_s:.0f}", f"{3600 * len(useful) / first_s:.0f}")
    Console().print(rows)
    print(f"hardware first: {trained_s / first_s:.2f} times as many")
    return {"hardware_first_speedup": trained_s / first_s, "hardware_first_useful": len(useful)}


def overlap(*, seeds: int, processes: int, images: Path) -> dict[str, Any]:
    """Candidates per hour with one process and with workers; returns what goes into the JSON."""
    workers = os.cpu_count() or 1
    seconds: dict[str, float] = {}
    found: dict[str, list[Trial]] = {}
    ways = {
        "one process": RunConfig(),
        f"{workers} workers, fixed order": RunConfig(workers=workers),
        f"{workers} workers, free order": RunConfig(workers=workers, order="free"),
    }
    for name, run in ways.items():
        config = StudyConfig(
            name="overlap",
            objectives=["maximize accuracy", "minimize latency_us"],
            constraints=["latency_us <= 20 ms"],
            device=DEVICE,
            strategy={"name": "random", "seed": 2},  # type: ignore[arg-type]  # read as a table
            budget=Budget(trials=CANDIDATES),
            run=run,
        )
        seconds[name], found[name] = timed(config)
    rows = Rows(
        title=f"{CANDIDATES} candidates on {DEVICE}, {os.cpu_count()} cores, start of workers included"
    )
    for heading in ("loop", "seconds", "candidates per hour", "ratio"):
        rows.add_column(heading, justify="left" if heading == "loop" else "right")
    alone = seconds["one process"]
    for name, spent in seconds.items():
        rows.add_row(name, f"{spent:.0f}", f"{3600 * CANDIDATES / spent:.0f}", f"{alone / spent:.2f}")
    Console().print(rows)
    first, *others = (
        {t.architecture: t.values.get("latency_us") for t in trials} for trials in found.values()
    )
    if any(other != first for other in others):
        raise SystemExit("the searches did not find the same figures")
    best = {name: alone / spent for name, spent in seconds.items() if name != "one process"}
    fixed, free = best.values()
    return {"overlap_speedup": fixed, "overlap_speedup_free_order": free}


def timed(config: StudyConfig, evaluator: Evaluator | None = None) -> tuple[float, list[Trial]]:
    """Seconds of a study from nothing to its last trial, and its trials."""
    with tempfile.TemporaryDirectory() as folder, empty_cache():
        start = time.perf_counter()
        with Study.open(config, Path(folder) / "study", evaluator=evaluator) as study:
            study.run()
            return time.perf_counter() - start, study.trials()


@contextmanager
def empty_cache() -> Iterator[None]:
    """Nothing was built before."""
    before = os.environ.get("HILNAS_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HILNAS_CACHE"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["HILNAS_CACHE"]
            else:
                os.environ["HILNAS_CACHE"] = before
