"""The real stages on the simulated board: figures, limits, and what is not done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.api import measure
from hil.errors import DeviceTimeout, PortMissing, UnsupportedOperator
from hil.measurement_json import from_dict
from search.cascade import STAGES, Fatal, Transient, Unfit, Work
from search.config import Budget, StudyConfig
from search.datasets import load
from search.errors import BadConfig, BadData
from search.evaluate import HilEvaluator, int8_accuracy
from search.finding import Finding
from search.space.base import Architecture
from search.store import Store
from search.trial import Proposal, Stage

SMALL = Architecture("chain", "conv3-8/2 ds3-16")


def config(**other: Any) -> StudyConfig:
    return StudyConfig(
        **{
            "name": "small",
            "device": "simulated:nrf52840_dk",
            "train": {"epochs": 3},
            "budget": Budget(trials=1),
            **other,
        }
    )


class Bench:
    """A store with one trial, and an evaluator to take it through its stages."""

    def __init__(self, folder: Path, architecture: Architecture = SMALL, **other: Any) -> None:
        self.store = Store.open(folder)
        self.evaluator = HilEvaluator(config(**other))
        self.number = self.store.add_trial(Proposal(architecture), asked=1).number
        self.architecture = architecture

    def run(self, *stages: Stage) -> dict[Stage, Finding]:
        for stage in stages:
            work = Work(self.number, self.architecture, self.store.findings(self.number), self.store)
            self.store.add_finding(self.number, self.evaluator.run(stage, work))
        return self.store.findings(self.number)

    def close(self) -> None:
        self.evaluator.close()
        self.store.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = Bench(tmp_path_factory.mktemp("study"))
    bench.run(*STAGES, Stage.DEPLOY)
    yield bench
    bench.close()


def test_lower_bounds_lie_below_the_exact_values(finished: Bench) -> None:
    findings = finished.store.findings(0)
    exact = findings[Stage.MEASURE].values
    for finding in findings.values():
        for metric, bound in finding.at_least.items():
            assert bound <= exact[metric], (finding.stage, metric)


def test_what_the_stages_say_agrees(finished: Bench) -> None:
    findings = finished.store.findings(0)
    assert findings[Stage.PLAN].values["arena_bytes"] == findings[Stage.MEASURE].values["arena_bytes"]
    assert findings[Stage.BUILD].values["flash_bytes"] == findings[Stage.MEASURE].values["flash_bytes"]
    direct = measure(
        finished.store.artifact(findings[Stage.QUANTIZE].detail["tflite"]), device="simulated:nrf52840_dk"
    )
    assert findings[Stage.MEASURE].values["latency_us"] == direct.latency_us
    assert findings[Stage.MEASURE].provenance["latency_us"] == "simulated"
    assert findings[Stage.MEASURE].provenance["energy_uj"] == "estimated"
    assert findings[Stage.ANALYTIC].values["macs"] == direct.macs


def test_trained_weights_change_neither_plan_nor_size(finished: Bench) -> None:
    findings = finished.store.findings(0)
    searched, deployed = findings[Stage.MEASURE], findings[Stage.DEPLOY]
    for metric in ("arena_bytes", "flash_bytes", "ram_bytes", "cycles"):
        assert searched.values[metric] == deployed.values[metric]
    digests = {from_dict(f.detail["measurement"]).origin.model_digest for f in (searched, deployed)}
    assert len(digests) == 2


def test_the_deployed_network_is_measured_per_layer_and_tested_on_unseen_data(finished: Bench) -> None:
    deployed = finished.store.findings(0)[Stage.DEPLOY]
    layers = from_dict(deployed.detail["measurement"]).layers
    assert [layer.operator for layer in layers][-1] == "SOFTMAX"
    digits = load("digits")
    tflite = finished.store.artifact(deployed.detail["tflite"]).read_bytes()
    assert deployed.values["test_accuracy"] == int8_accuracy(tflite, digits.x_test, digits.y_test)


def test_int8_accuracy_follows_the_float_networks(finished: Bench) -> None:
    trained = finished.store.findings(0)[Stage.TRAIN].values
    assert trained["accuracy"] > 0.3
    assert trained["accuracy"] == pytest.approx(trained["float_accuracy"], abs=0.05)


def test_every_stage_can_start_in_a_process_that_saw_none_before(finished: Bench, tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        number = store.add_trial(Proposal(SMALL), asked=1).number
        for stage in (*STAGES, Stage.DEPLOY):
            evaluator = HilEvaluator(config())
            found = evaluator.run(stage, Work(number, SMALL, store.findings(number), store))
            store.add_finding(number, found)
            evaluator.close()
        for stage, expected in finished.store.findings(0).items():
            assert store.findings(number)[stage].values == expected.values, stage


def test_a_measurement_and_a_training_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    first = bench.run(*STAGES)
    bench.number = bench.store.add_trial(Proposal(SMALL), asked=2).number

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("done again")

    monkeypatch.setattr("search.evaluate.evaluator.bench", refuse)
    monkeypatch.setattr("search.train.train", refuse)
    second = bench.run(*STAGES)
    for stage in (Stage.MEASURE, Stage.TRAIN):
        assert not first[stage].reused
        assert second[stage].reused
        assert second[stage].values == first[stage].values
    bench.close()


def test_what_exceeds_the_board_is_seen_before_keras_is_asked(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        Architecture("chain", "conv3-4096 conv3-4096"),
        space={"name": "chain", "filters": [8, 4096]},
    )
    with pytest.raises(Unfit, match="by the layer list alone") as caught:
        bench.run(Stage.ANALYTIC)
    assert caught.value.value > caught.value.limit
    bench.close()


@pytest.mark.parametrize(
    ("fault", "seen_as"),
    [
        (DeviceTimeout("no answer", device="serial:x"), Transient),
        (PortMissing("gone", device="serial:x"), Fatal),
        (UnsupportedOperator("TRANSPOSE_CONV", "up", "is not supported", remedy="none"), UnsupportedOperator),
    ],
)
def test_faults_are_told_apart_by_their_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, seen_as: type[Exception]
) -> None:
    bench = Bench(tmp_path)

    def fail(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr("search.evaluate.evaluator.compile_model", fail)
    with pytest.raises(seen_as) as caught:
        bench.run(Stage.ANALYTIC, Stage.QUANTIZE, Stage.PLAN)
    assert fault in (caught.value, caught.value.__cause__)
    bench.close()


def test_bad_data_are_told_before_anything_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x_train=np.full((20, 8, 8), np.nan), y_train=np.arange(20) % 2)
    with pytest.raises(BadData, match="NaN"):
        HilEvaluator(config(data=str(path)))


def test_metered_energy_says_by_what_and_is_kept_apart_from_estimates(tmp_path: Path) -> None:
    """By the estimate under its own name: other meters need a board that runs."""
    options = {"name": "estimate", "subtract_idle": True}
    bench = Bench(tmp_path / "a", meter=options)
    found = bench.run(Stage.ANALYTIC, Stage.QUANTIZE, Stage.PLAN, Stage.BUILD, Stage.MEASURE)[Stage.MEASURE]
    energy = from_dict(found.detail["measurement"]).energy
    assert energy is not None
    assert energy.idle_subtracted
    assert found.values["energy_uj"] == energy.energy_uj
    assert found.provenance["energy_uj"] == "estimated (estimate)"
    # Another meter's study in the same store measures anew.
    plain = HilEvaluator(config())
    work = Work(bench.number, SMALL, bench.store.findings(bench.number), bench.store)
    again = plain.run(Stage.MEASURE, work)
    assert not again.reused
    assert again.values["energy_uj"] > energy.energy_uj
    assert again.provenance["energy_uj"] == "estimated"
    assert bench.evaluator.run(Stage.MEASURE, work).reused
    bench.close()


def test_energy_needs_a_profile_that_knows_power(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from hil.board import load_board

    def without_power(name: str) -> Any:
        return dataclasses.replace(load_board(name), power=None)

    monkeypatch.setattr("search.devices.load_board", without_power)
    HilEvaluator(config()).close()
    with pytest.raises(BadConfig, match="energy_uj"):
        HilEvaluator(config(objectives=["maximize accuracy", "minimize energy_uj"]))
