"""Studies that judge by F1 and of numbers to predict, through the real stages on the simulated board."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.graph import read
from hil.measurement_json import from_dict
from search import network
from search.cascade import STAGES, Work
from search.cli.export import export_trial
from search.config import Budget, StudyConfig
from search.datasets import load
from search.errors import BadConfig
from search.evaluate import HilEvaluator, int8_outputs
from search.quality import qualities
from search.report.figures import columns, figure
from search.report.plot import _axes
from search.space.base import Architecture
from search.space.layers import ClassProbabilities, Dense, Flat
from search.store import Store
from search.train import predict
from search.trial import Proposal, Stage

NET = Architecture("chain", "conv3-8")


def config(**other: Any) -> StudyConfig:
    plain = {
        "name": "x",
        "device": "simulated:nrf52840_dk",
        "train": {"epochs": 3},
        "budget": Budget(trials=1),
    }
    return StudyConfig(**{**plain, **other})


def run(folder: Path, study: StudyConfig) -> tuple[dict[Stage, Any], Store]:
    store, evaluator = Store.open(folder), HilEvaluator(study)
    store.set_config(study.to_dict(), evaluator.identity)
    number = store.add_trial(Proposal(NET), asked=1).number
    for stage in (*STAGES, Stage.DEPLOY):
        store.add_finding(number, evaluator.run(stage, Work(number, NET, store.findings(number), store)))
    evaluator.close()
    return store.findings(number), store


def test_a_trial_by_f1_and_auc(tmp_path: Path) -> None:
    study = config(
        data="synthetic_motion",
        objectives=["maximize f1_score", "minimize latency_us"],
        constraints=["auc >= 0.1"],
        train={"epochs": 8},
    )
    findings, store = run(tmp_path, study)
    trained, deployed = findings[Stage.TRAIN], findings[Stage.DEPLOY]
    judged = {"accuracy", "f1_score", "auc"}
    assert set(trained.values) == judged | {f"float_{name}" for name in judged}
    assert set(trained.provenance.values()) == {"trained"}
    assert {f"test_{name}" for name in judged} < set(deployed.values)
    assert deployed.values["f1_score"] == trained.values["f1_score"] > 0.4
    assert trained.values["f1_score"] == pytest.approx(trained.values["float_f1_score"], abs=0.1)
    # What is said of the test split is of that split, and of the network that is deployed.
    motion, tflite = load("synthetic_motion"), store.artifact(deployed.detail["tflite"]).read_bytes()
    outputs = int8_outputs(tflite, motion.x_test)
    assert outputs.sum(axis=-1) == pytest.approx(1.0, abs=0.05)
    assert deployed.values["test_f1_score"] == qualities(["f1_score"], outputs, motion.y_test)["f1_score"]
    store.close()


def test_a_trial_of_a_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.random((200, 6, 6, 1))
    # Two outputs of very different units: only standardised do both survive int8.
    y = np.stack([5000 + 300 * x[:, :3].mean(axis=(1, 2, 3)), 0.001 * x[:, 3:].mean(axis=(1, 2, 3))], axis=1)
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y)
    study = config(
        data=str(tmp_path / "data.npz"),
        objectives=["minimize mean_absolute_error", "minimize latency_us"],
        constraints=["r2_score >= -9"],
        train={"epochs": 60, "batch_size": 32},
        space={"name": "chain", "filters": [8], "kernels": [3]},
    )
    findings, store = run(tmp_path / "study", study)
    trained, deployed = findings[Stage.TRAIN], findings[Stage.DEPLOY]
    judged = {"mean_absolute_error", "r2_score"}
    assert set(trained.values) == judged | {f"float_{name}" for name in judged}
    assert "accuracy" not in {*trained.values, *deployed.values}
    assert "test_mean_absolute_error" in deployed.values
    assert trained.values["float_r2_score"] > 0.1
    assert trained.values["r2_score"] == pytest.approx(trained.values["float_r2_score"], abs=0.15)
    # No softmax on the board, and how its output becomes numbers is kept.
    layers = from_dict(deployed.detail["measurement"]).layers
    assert "SOFTMAX" not in [layer.operator for layer in layers]
    data = load(str(tmp_path / "data.npz"))
    scale, mean = (np.array(trained.detail[key]) for key in ("target_scale", "target_mean"))
    tflite = store.artifact(deployed.detail["tflite"]).read_bytes()
    numbers = int8_outputs(tflite, data.x_val) * scale + mean
    off = np.abs(numbers - data.y_val)
    assert off.mean() == pytest.approx(trained.values["mean_absolute_error"], rel=1e-3)
    assert off[:, 0].mean() < 300
    assert off[:, 1].mean() < 0.001
    export_trial(store, 0, tmp_path / "exported")
    text = (tmp_path / "exported" / "README.md").read_text()
    rows = re.findall(r"\| \d \| q \* (\S+) \+ (\S+) \|", text)
    gave = read(tflite).output_tensor
    steps = np.rint(int8_outputs(tflite, data.x_val) / gave.scale) + gave.zero_point
    assert np.allclose(steps * [float(f) for f, _ in rows] + [float(o) for _, o in rows], numbers, rtol=1e-5)
    exact = qualities(["r2_score"], data.in_units(int8_outputs(tflite, data.x_val)), data.y_val)
    assert trained.values["r2_score"] == exact["r2_score"]
    store.close()


def test_a_regression_is_the_layer_list_without_its_softmax() -> None:
    layers = (
        Flat("flat", ("input",)),
        Dense("classes", ("flat",), 2, "none"),
        ClassProbabilities("probabilities", ("classes",)),
    )
    assert network.without_probabilities(layers) == layers[:2]
    assert network.without_probabilities(layers[:2]) == layers[:2]
    model = network.build(network.without_probabilities(layers), (2, 2, 1), seed=0)
    outputs = predict(model, np.random.default_rng(0).normal(size=(700, 2, 2, 1)).astype(np.float32))
    assert outputs.shape == (700, 2)
    assert outputs.min() < 0


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (
            "diabetes",
            {"objectives": ["maximize accuracy"], "reward": "accuracy"},
            "minimize mean_absolute_error",
        ),
        ("diabetes", {"objectives": ["maximize float_accuracy"], "reward": "accuracy"}, "float_accuracy"),
        ("diabetes", {"objectives": ["minimize latency_us"]}, "the reward reads accuracy"),
        (
            "diabetes",
            {"objectives": ["maximize r2_score", "minimize macs"], "constraints": ["f1_score >= 0.5"]},
            "a constraint is on f1_score",
        ),
        (
            "digits",
            {"objectives": ["minimize mean_absolute_error", "minimize macs"]},
            'write e.g. "maximize accuracy"',
        ),
        (
            "digits",
            {
                "objectives": ["maximize accuracy", "minimize macs"],
                "reward": {"name": "mnas", "quality": "r2_score"},
            },
            "the reward reads r2_score",
        ),
        (
            "three classes",
            {"objectives": ["maximize top_k_categorical_accuracy", "minimize macs"]},
            "it is always 1",
        ),
    ],
)
def test_metrics_that_do_not_suit_the_data_are_refused_before_any_work(
    tmp_path: Path, data: str, options: dict[str, Any], words: str
) -> None:
    if data == "three classes":
        data = str(tmp_path / "data.npz")
        x = np.random.default_rng(0).random((30, 4, 4, 1))
        np.savez(data, x_train=x, y_train=np.arange(30) % 3)
    with pytest.raises(BadConfig) as caught:
        HilEvaluator(config(data=data, **options))
    assert words in f"{caught.value.message} {caught.value.remedy}"
    assert caught.value.remedy


def test_reports_show_a_quality_with_its_test_figure_and_draw_it_upwards() -> None:
    assert columns(("f1_score", "latency_us"), {"f1_score", "test_f1_score", "latency_us", "accuracy"}) == [
        "f1_score",
        "test_f1_score",
        "latency_us",
        "accuracy",
    ]
    assert (figure("f1_score").show(0.5), figure("test_f1_score").heading) == ("50.0%", "F1 on test")
    assert figure("mean_absolute_error").show(12.3456) == "12.35"
    shown = config(objectives=["minimize mean_absolute_error", "minimize latency_us"]).make_objectives()
    x, y, _ = _axes(shown)
    assert (x.metric, y.metric) == ("latency_us", "mean_absolute_error")
    alone = config(
        objectives=["minimize latency_us"],
        reward={"name": "mnas", "quality": "r2_score"},
    ).make_objectives()
    assert [one.metric for one in _axes(alone)[:2] if one] == ["latency_us", "r2_score"]
