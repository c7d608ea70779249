"""What a search costs beside its candidates: ask and tell, and a store of 100,000 trials."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Rows

from benchmarks import strategies
from search.config import Budget, StudyConfig
from search.dialogue import Dialogue
from search.finding import Finding
from search.space import make_space
from search.standings import Standings
from search.store import Store
from search.testing.pretend import pretend_trial
from search.trial import Proposal, Stage, State

TRIALS = 100_000
RESUME_S = 5.0


def run(*, seeds: int, processes: int, images: Path) -> dict[str, Any]:
    """Print both tables; returns what goes into the JSON."""
    asked = strategies.measured()
    strategies.show(asked)
    seconds = resume_s()
    rows = Rows(title=f"a study of {TRIALS:,} trials is taken up again (target: {RESUME_S:g} s)")
    for heading in seconds:
        rows.add_column(heading, justify="right")
    rows.add_row(*(f"{value:.2f} s" for value in seconds.values()))
    Console().print(rows)
    return {
        "ask_tell_ms_at_10000": {name: figures.slowest_ms for name, figures in asked.items()},
        "store_100000_resume_s": sum(seconds.values()),
    }


def resume_s() -> dict[str, float]:
    """Seconds of what `Study.run` does before its first question."""
    space = make_space("chain", {}, input_shape=(8, 8, 1), classes=10)
    config = StudyConfig(
        name="long",
        constraints=["latency_us <= 20 ms"],
        budget=Budget(trials=10**6),
        strategy="nsga2",  # type: ignore[arg-type]  # read as a table
    )
    objectives = config.make_objectives()
    memory = (
        "/dev/shm" if os.path.isdir("/dev/shm") else None
    )  # 300,000 forced writes are not what is measured
    with tempfile.TemporaryDirectory(dir=memory) as name:
        fill(Path(name), space, objectives)
        start = time.perf_counter()
        with Store.open(Path(name)) as store:
            trials = store.trials()
            read = time.perf_counter()
            Standings(objectives, [trial for trial in trials if trial.state is not State.RUNNING])
            ranked = time.perf_counter()
            Dialogue(config.make_strategy(space), trials, asked=store.asked(), ahead=4).ask()
            told = time.perf_counter()
    return {"read": read - start, "front": ranked - read, "tell and ask": told - ranked}


def fill(folder: Path, space: Any, objectives: Any) -> None:
    """A store of pretended trials."""
    import numpy as np

    rng = np.random.default_rng(0)
    with Store.open(folder) as store:
        for number in range(TRIALS):
            proposal = Proposal(space.sample(rng))
            outcome = pretend_trial(number, proposal, space, objectives)
            store.add_trial(proposal, asked=number + 1)
            provenance = dict.fromkeys(outcome.values, "pretended")
            store.add_finding(number, Finding(Stage.MEASURE, outcome.values, provenance))
            store.finish_trial(number, outcome.state, infeasibility=outcome.infeasibility)
