"""A small study that runs in milliseconds, shared by the tests of study, store and kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search.config import Budget, StudyConfig
from search.finding import Finding
from search.space import make_space
from search.store import Store
from search.testing.pretend_evaluator import Faults, PretendEvaluator, no_faults


def config(*, trials: int | None = 6, minutes: float | None = None, **other: Any) -> StudyConfig:
    """Two objectives, and a limit on RAM that some architectures break."""
    return StudyConfig(
        **{
            "name": "small",
            "objectives": ["maximize accuracy", "minimize latency_us"],
            "constraints": ["ram_bytes <= 4 kB"],
            "device": "simulated:nrf52840_dk",
            "strategy": {"name": "aging_evolution", "population": 4, "tournament": 2, "seed": 3},
            "budget": Budget(trials=trials, minutes=minutes),
            **other,
        }
    )


def evaluator(study: StudyConfig, *, faults: Faults = no_faults, **identity: str) -> PretendEvaluator:
    space = make_space(study.space.name, study.space.options, input_shape=(8, 8, 1), classes=10)
    return PretendEvaluator(space, faults=faults, identity={"data": "0" * 64, **identity})


def _lasting(finding: Finding) -> dict[str, Any]:
    """What of a finding does not depend on when, how fast and in how many pieces it was made."""
    kept = finding.to_dict()
    return {key: value for key, value in kept.items() if key not in ("seconds", "reused")}


def contents(folder: Path) -> dict[str, Any]:
    """All that a study knows, times left out: equal for equal studies."""
    with Store.read(folder) as store:
        trials = store.trials()
        return {
            "trials": trials,
            "asked": store.asked(),
            "findings": {
                trial.number: [_lasting(found) for found in store.findings(trial.number).values()]
                for trial in trials
            },
            "files": {
                str(path.relative_to(folder)): path.read_bytes()
                for path in sorted((folder / "trials").rglob("*"))
                if path.is_file() and not path.name.startswith(".")
            },
        }
