"""A study that lets networks run in stripes: what is refused without is measured with, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hil.board import load_board
from hil.codegen import PORTABLE, Target
from hil.graph import read
from hil.measurement_json import from_dict
from hil.patches import Patches
from hil.quantize import quantize
from hil.stripes import all_plans
from search import network
from search.cascade import STAGES, Unfit, Work, judge
from search.cli.export import export_trial
from search.config import Budget, StudyConfig
from search.evaluate import HilEvaluator, arena_room_of
from search.finding import Finding
from search.objective import Objectives
from search.report.page import page
from search.report.table import front_table
from search.room import arena_room
from search.space import make_space
from search.space.base import Architecture
from search.space.options import BadOption
from search.store import Store
from search.trial import Infeasibility, Proposal, Stage
from tests.search.sample_report import sample_report

# 48 maps of 8x8 between one and eight: what makes the arena large is gone after two operators.
WIDE_STEM = Architecture("chain", "conv3-48 ds3-8/2 ds3-16")


def config(*constraints: str, patches: str = "auto") -> StudyConfig:
    return StudyConfig(
        name="patched",
        device="simulated:nrf52840_dk",
        constraints=constraints,
        patches=patches,  # type: ignore[arg-type]
        train={"epochs": 1},  # type: ignore[arg-type]
        budget=Budget(trials=1),
    )


class Bench:
    """A store with one trial, and an evaluator to take it through its stages."""

    def __init__(self, folder: Path, study: StudyConfig) -> None:
        self.store = Store.open(folder)
        self.store.set_config(study.to_dict(), {})
        self.objectives: Objectives = study.make_objectives()
        self.evaluator = HilEvaluator(study)
        self.number = self.store.add_trial(Proposal(WIDE_STEM), asked=1).number

    def run(self, *stages: Stage) -> dict[Stage, Finding]:
        for stage in stages:
            work = Work(self.number, WIDE_STEM, self.store.findings(self.number), self.store)
            self.store.add_finding(self.number, self.evaluator.run(stage, work))
        return self.store.findings(self.number)

    def refusal(self, stage: Stage) -> Infeasibility | None:
        return judge(stage, self.store.findings(self.number), self.objectives)

    def close(self) -> None:
        self.evaluator.close()
        self.store.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    benches = []

    def open_bench(study: StudyConfig) -> Bench:
        benches.append(Bench(tmp_path / str(len(benches)), study))
        return benches[-1]

    yield open_bench
    for bench in benches:
        bench.close()


def test_a_network_over_the_limit_runs_in_stripes_and_says_so(opened: Any, tmp_path: Path) -> None:
    limit = "arena_bytes <= 2500 B"
    refused = opened(config(limit, patches="never"))
    refused.run(Stage.ANALYTIC)
    assert refused.refusal(Stage.ANALYTIC).metric == "arena_bytes"

    bench = opened(config(limit))
    findings = bench.run(*STAGES, Stage.DEPLOY)
    assert all(bench.refusal(stage) is None for stage in STAGES)
    planned = Patches.from_dict(findings[Stage.PLAN].detail["patches"])
    assert planned.plain_arena_bytes > 2500
    assert planned.recomputed_macs > 0
    for stage in (Stage.MEASURE, Stage.DEPLOY):
        measured = from_dict(findings[stage].detail["measurement"])
        assert measured.arena_bytes <= 2500
        assert Patches.from_settings(measured.origin.settings) == planned
        assert measured.macs == planned.macs
    assert [layer.index for layer in measured.layers] == list(range(len(measured.layers)))
    assert sum(layer.macs for layer in measured.layers) == planned.macs

    export_trial(bench.store, bench.number, tmp_path / "export")
    readme = (tmp_path / "export" / "README.md").read_text()
    assert "in stripes" in readme
    assert f"--board nrf52840_dk --arena-limit {measured.arena_bytes}\n" in readme
    assert f"arena {measured.arena_bytes} bytes" in (tmp_path / "export" / "c" / "model.c").read_text()

    export_trial(bench.store, bench.number, tmp_path / "lean", ("constant-channels",))
    options = f"--drop-constant-channels --arena-limit {measured.arena_bytes}"
    assert f"--board nrf52840_dk {options}\n" in (tmp_path / "lean" / "README.md").read_text()


def test_a_network_within_the_limit_runs_in_one_piece(opened: Any) -> None:
    findings = opened(config("arena_bytes <= 8 kB")).run(*STAGES[:3])
    assert findings[Stage.PLAN].detail["patches"] is None


def test_a_network_too_large_even_in_stripes_is_refused_with_the_limit(opened: Any) -> None:
    bench = opened(config("ram_bytes <= 4000 B"))
    bench.run(Stage.ANALYTIC, Stage.QUANTIZE)
    with pytest.raises(Unfit, match="even in stripes") as refusal:
        bench.run(Stage.PLAN)
    assert refusal.value.metric == "ram_bytes"
    assert refusal.value.limit == 4000
    assert refusal.value.value > 4000


def test_what_is_promised_of_ram_is_kept(opened: Any) -> None:
    """A limit on all RAM leaves room for static data and stack."""
    limit = 2500 + 2688 + 376
    findings = opened(config(f"ram_bytes <= {limit}")).run(*STAGES[:5])
    assert findings[Stage.PLAN].detail["patches"] is not None
    assert findings[Stage.MEASURE].values["ram_bytes"] <= limit


def test_the_tightest_limit_counts() -> None:
    facts = {"ram_bytes": 10_000, "static_bytes": 1000, "stack_bytes": 300, "reserved_bytes": 2000}
    constraints = Objectives.parse(
        ["maximize accuracy"], ["ram_bytes <= 9000", "arena_bytes <= 7700", "flash_bytes <= 1 kB"]
    ).constraints
    assert arena_room((), **facts).arena_bytes == 7000
    assert arena_room(constraints, **{**facts, "ram_bytes": 20_000}).arena_bytes == 7700
    wider = [constraint for constraint in constraints if constraint.metric != "arena_bytes"]
    room = arena_room(wider, **{**facts, "ram_bytes": 20_000})
    assert (room.metric, room.limit, room.arena_bytes) == ("ram_bytes", 9000, 7700)
    assert arena_room((), **{**facts, "ram_bytes": 2000}).arena_bytes == 0


def test_only_auto_leaves_room_for_stripes() -> None:
    board = load_board("nrf52840_dk")
    assert arena_room_of(config("ram_bytes <= 9 kB", patches="never"), board) is None
    assert arena_room_of(config("ram_bytes <= 9 kB"), board) is not None


def test_another_word_is_refused() -> None:
    with pytest.raises(BadOption, match="patches"):
        config(patches="sometimes")


_architectures = st.integers(0, 2**32 - 1).map(
    lambda seed: make_space("chain", {}, input_shape=(12, 12, 1), classes=4).sample(
        np.random.default_rng(seed)
    )
)


@settings(max_examples=8, deadline=None)
@given(architecture=_architectures)
def test_the_analytic_bound_lies_below_every_plan(architecture: Architecture) -> None:
    space = make_space("chain", {}, input_shape=(12, 12, 1), classes=4)
    cost = space.cost(architecture)
    assert cost.striped_activation_bytes <= cost.peak_activation_bytes
    model = network.build(space.layers(architecture), (12, 12, 1), seed=0)
    x = np.random.default_rng(0).random((32, 12, 12, 1), dtype=np.float32)
    network.settle(model, x)
    graph = read(quantize(model, x))
    for target in (PORTABLE, Target(dsp=True)):
        assert all(cost.striped_activation_bytes <= plan.arena_bytes for plan in all_plans(graph, target))


def test_reports_show_what_is_patched() -> None:
    report = sample_report()
    patches = Patches(0, 3, 4, macs=1061, recomputed_macs=61, plain_arena_bytes=43210)
    (first, *others) = report.networks
    assert first.deployed is not None
    origin = replace(first.deployed.origin, settings=patches.to_settings())
    patched = replace(first, deployed=replace(first.deployed, origin=origin))
    report = replace(report, networks=(patched, *others))
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115  # closed with the process
    console.print(front_table(report, 140))
    line = f"trial {first.trial.number} is patched: operators 0-3 in 4 stripes, +6.1% MACs"
    assert line in console.export_text()
    assert "43,210 bytes in one piece" in page(report)
    assert "patched" not in page(sample_report())
