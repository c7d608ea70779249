"""Store -> StudyReport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hil.measurement import Measurement
from hil.measurement_json import from_dict
from search import pareto
from search.config import StudyConfig
from search.errors import StudyError
from search.finding import Finding
from search.report.data import Network, StudyReport
from search.store import Store
from search.trial import Stage, State


def collect(store: Store) -> StudyReport:
    """All that a report of this study shows.

    Networks of the front are shown as measured with trained weights; what the search saw stands beside.

    Raises:
        StudyError: the store holds no study yet.
    """
    begun = store.config()
    if begun is None:
        raise StudyError(f"the study in {store.folder} was not begun", remedy="run it: hilnas search FILE")
    config = StudyConfig.from_dict(begun)
    objectives = config.make_objectives()
    trials = store.trials()
    front = pareto.front(trials, objectives)
    axis = objectives.objectives[-1] if len(objectives.objectives) == 1 else objectives.objectives[1]
    best = pareto.best(trials, objectives)
    networks = []
    for trial in trials:
        findings = store.findings(trial.number) if trial.state is State.COMPLETE else {}
        searched, deployed = _measurement(findings, Stage.MEASURE), _measurement(findings, Stage.DEPLOY)
        if Stage.DEPLOY in findings:
            final = findings[Stage.DEPLOY]
            trial = replace(
                trial,
                values={**trial.values, **final.values},
                provenance={**trial.provenance, **final.provenance},
            )
        networks.append(Network(trial, searched, deployed))
    return StudyReport(
        name=config.name,
        device=", ".join([device for device, _ in config.boards_of_devices()]),
        data=f"{config.data.name}, SHA-256 {store.identity().get('data', '')[:12]}",
        objectives=objectives,
        networks=tuple(networks),
        front=tuple(t.number for t in sorted(front, key=lambda t: t.values.get(axis.metric, 0.0))),
        best=None if best is None else best.number,
        reward=config.reward.name,
        settings=dict(_flat("", begun)),
    )


def _measurement(findings: Mapping[Stage, Finding], stage: Stage) -> Measurement | None:
    return from_dict(findings[stage].detail["measurement"]) if stage in findings else None


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested tables as dotted keys, as one would write them in TOML."""
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        rows += _flat(name, value) if isinstance(value, Mapping) else [(name, str(value))]
    return rows
