"""Compute the table of search/testing/table.py: every network of a small space, trained and measured.

    make table          # about two hours of two cores; Ctrl-C, and the same command continues

A study (benchmarks/table.toml) in build/table does the work; this writes what it found as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import search
from search.testing.table import FIDELITIES, FOLDER
from search.trial import State, Trial

STUDY = Path(__file__).parent / "table.toml"
WORK = Path("build/table")
EXACT = (
    "accuracy", "float_accuracy", "latency_us", "cycles", "ram_bytes", "arena_bytes", "flash_bytes",
    "weight_bytes", "energy_uj", "macs", "parameters",
)  # fmt: skip
PARTIAL = ("accuracy", "float_accuracy")


def main() -> None:
    with search.run(STUDY, folder=WORK) as study:
        text = written(study.trials(), how=f"benchmarks/table.toml on {study.config.device}")
    path = FOLDER / "digits_nrf52840.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    print(f"{path}: {text.count(chr(10))} lines")


def written(trials: Iterable[Trial], *, how: str) -> str:
    """The table as CSV: one line per architecture, in the order of the trials."""
    found: dict[str, dict[str, str]] = {}
    for trial in trials:
        if trial.state is not State.COMPLETE:
            raise SystemExit(f"trial {trial.number} ({trial.architecture}) is {trial.state.value}")
        row = found.setdefault(trial.architecture.text, {"architecture": trial.architecture.text})
        fidelity = min(FIDELITIES, key=lambda known: abs(known - trial.fidelity))
        if fidelity == 1.0:
            row |= {key: shown(trial.values[key]) for key in EXACT}
        else:
            row |= {f"{key}@{fidelity:.3f}": shown(trial.values[key]) for key in PARTIAL}
    names = ["architecture", *EXACT, *(f"{key}@{one:.3f}" for one in FIDELITIES[:-1] for key in PARTIAL)]
    out = io.StringIO()
    out.write(f"# Made by `make table`: {how}.\n")
    out.write(
        "# latency_us, cycles, ram_bytes, flash_bytes: emulated; energy_uj: estimated; accuracy: int8, of\n"
    )
    out.write(
        "# validation data, by networks trained here; @0.111 and @0.333: for that share of the epochs.\n"
    )
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.values())
    return out.getvalue()


def shown(value: float) -> str:
    """Short, and exact to nine digits."""
    return str(int(value)) if value == int(value) else f"{value:.9g}"


if __name__ == "__main__":
    main()
