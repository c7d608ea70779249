"""A KerasTuner script with two changed lines: its models are measured before they are trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.errors import UnknownBoard
from search import keras_tuner as hardware_tuner
from search.keras_tuner.library import kt
from search.keras_tuner.oracle import StrategyOracle
from search.keras_tuner.samples import int8_accuracy, training_inputs, validation
from search.keras_tuner.space_model import SpaceHyperModel
from search.keras_tuner.tuner import FIGURES, INT8_ACCURACY, hardware
from search.network import load_keras
from search.space import make_space
from search.space.options import BadOption

keras = load_keras()
DEVICE = "simulated:nrf52840_dk"
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 96)
X = (RNG.random((96, 8, 8, 1)) * 0.5 + Y.reshape(-1, 1, 1, 1) * 0.5).astype(np.float32)


def build(hp: Any) -> Any:
    """Small networks; those that are wide are slow, those that are broken raise."""
    filters = hp.Choice("filters", [4, 64])
    if hp.Boolean("broken"):
        raise ValueError("no such network")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def searched(tuner: Any, **more: Any) -> dict[tuple[int, bool], Any]:
    """Search, and give the trials by what they tried."""
    tuner.search(X[:64], Y[:64], validation_data=(X[64:], Y[64:]), verbose=0, **{"epochs": 2, **more})
    return {
        (t.hyperparameters["filters"], t.hyperparameters["broken"]): t for t in tuner.oracle.trials.values()
    }


def figures(trial: Any) -> dict[str, float]:
    return {name: history.get_best_value() for name, history in trial.metrics.metrics.items()}


def test_random_search_measures_before_it_trains(tmp_path: Path) -> None:
    tuner = hardware_tuner.RandomSearch(
        build,
        objective="val_accuracy",
        max_trials=4,
        seed=2,
        max_consecutive_failed_trials=1,
        directory=tmp_path,
        device=DEVICE,
        constraints=["latency_us <= 1 ms"],
    )
    trials = searched(tuner)
    assert len(trials) == 4, "what cannot be had ends no search, however much of it comes in a row"
    small, wide = trials[4, False], trials[64, False]
    known = figures(small)
    assert small.status == "COMPLETED"
    assert {*FIGURES, INT8_ACCURACY, "val_accuracy"} <= set(known)
    assert small.score == known["val_accuracy"]
    assert known["latency_us"] <= 1000 < figures(wide)["latency_us"]
    assert wide.status == "FAILED"
    assert "wanted latency_us <= 1000" in wide.message
    assert "loss" not in figures(wide), "it was not trained"
    assert trials[4, True].status == trials[64, True].status == "FAILED"
    assert "ValueError: no such network" in trials[4, True].message
    folder = tmp_path / "untitled_project" / f"trial_{small.trial_id}"
    origin = json.loads((folder / "measurement.json").read_text())["origin"]
    assert (origin["provenance"], origin["device"]) == ("simulated", DEVICE)
    accuracy = int8_accuracy((folder / "model.tflite").read_bytes(), X[64:], Y[64:])
    assert accuracy == pytest.approx(known[INT8_ACCURACY])
    assert tuner.get_best_models()[0].count_params() == 4 * 9 + 4 + 4 * 2 + 2


def test_bayesian_optimization_takes_latency_as_its_objective(tmp_path: Path) -> None:
    tuner = hardware_tuner.BayesianOptimization(
        build,
        objective=kt.Objective("latency_us", "min"),
        max_trials=3,
        seed=3,
        directory=tmp_path,
        device=DEVICE,
    )
    trials = searched(tuner)
    done = {key: trial for key, trial in trials.items() if trial.status == "COMPLETED"}
    assert done
    assert all(trial.score == figures(trial)["latency_us"] for trial in done.values())
    assert tuner.oracle.get_best_trials()[0].score == min(trial.score for trial in done.values())


def test_hyperband_weighs_accuracy_and_energy(tmp_path: Path) -> None:
    wishes = [kt.Objective("val_accuracy", "max"), kt.Objective("energy_uj", "min")]
    tuner = hardware(kt.Hyperband)(
        build, objective=wishes, max_epochs=2, factor=2, seed=1, directory=tmp_path, device=DEVICE
    )
    searched(tuner)
    done = [trial for trial in tuner.oracle.trials.values() if trial.status == "COMPLETED"]
    assert {trial.hyperparameters["tuner/epochs"] for trial in done} == {1, 2}
    for trial in done:
        known = figures(trial)
        assert trial.score == pytest.approx(known["energy_uj"] - known["val_accuracy"], abs=1e-4)


def test_a_strategy_here_drives_a_tuner_there(tmp_path: Path) -> None:
    space = make_space("mlp", {}, input_shape=(8, 8, 1), classes=2)
    tuner = hardware_tuner.Tuner(
        oracle=StrategyOracle("random", kt.Objective(INT8_ACCURACY, "max"), max_trials=2, seed=1),
        hypermodel=SpaceHyperModel(space, samples=20),
        directory=tmp_path,
        device=DEVICE,
    )
    tuner.search(X[:64], Y[:64], validation_split=0.25, epochs=2, verbose=0)
    trials = list(tuner.oracle.trials.values())
    assert [trial.status for trial in trials] == ["COMPLETED"] * 2, trials[0].message
    assert all(trial.score == figures(trial)[INT8_ACCURACY] for trial in trials)


class Untrainable(kt.HyperModel):  # type: ignore[misc]
    """Builds what can be measured, but its training is broken."""

    def build(self, hp: Any) -> Any:
        hp.Int("number", 0, 100)
        return build(kt.HyperParameters())

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no more memory")


def test_a_training_that_fails_again_and_again_ends_the_search(tmp_path: Path) -> None:
    tuner = hardware_tuner.RandomSearch(
        Untrainable(),
        "val_accuracy",
        max_trials=9,
        max_consecutive_failed_trials=2,
        directory=tmp_path,
        device=DEVICE,
    )
    with pytest.raises(RuntimeError, match="2 trials in a row failed in training"):
        tuner.search(X, Y, verbose=0)
    assert len(tuner.oracle.trials) == 2


def test_a_missing_board_ends_the_search_at_once(tmp_path: Path) -> None:
    tuner = hardware_tuner.RandomSearch(
        build,
        "val_accuracy",
        max_trials=9,
        directory=tmp_path,
        device="serial:/dev/no_such_port",
        board="nrf52840_dk",
    )
    with pytest.raises(kt.errors.FatalError):
        searched(tuner)
    assert len(tuner.oracle.trials) <= 4


@pytest.mark.parametrize(
    ("more", "error", "match"),
    [
        ({}, TypeError, "device"),
        ({"device": "simulated:nrf52"}, UnknownBoard, "nrf52"),
        ({"device": DEVICE, "constraints": ["latency <= 3 ms"]}, BadOption, "latency"),
    ],
)
def test_mistakes_are_told_before_the_search(
    tmp_path: Path, more: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        hardware_tuner.RandomSearch(build, "val_accuracy", directory=tmp_path, **more)


def test_every_other_name_is_kerastuners_own() -> None:
    assert hardware_tuner.Objective is kt.Objective
    assert hardware_tuner.HyperModel is kt.HyperModel
    assert issubclass(hardware_tuner.GridSearch, kt.GridSearch)
    with pytest.raises(AttributeError, match="RandomSeach"):
        _ = hardware_tuner.RandomSeach
    with pytest.raises(TypeError, match="expected a class of tuners"):
        hardware(kt.Objective)


class TestSamples:
    def test_a_data_set_is_read_batch_by_batch(self) -> None:
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
        assert training_inputs([data], {}).shape == (96, 8, 8, 1)
        found = validation([data], {"validation_data": data})
        assert found is not None
        assert np.array_equal(found[1], Y)

    def test_a_split_takes_the_last(self) -> None:
        found = validation([X, Y], {"validation_split": 0.25})
        assert found is not None
        assert np.array_equal(found[0], X[72:])

    def test_one_hot_rows_are_classes(self) -> None:
        found = validation([], {"validation_data": (X, np.eye(2)[Y])})
        assert found is not None
        assert np.array_equal(found[1], Y)

    def test_numbers_are_no_classes(self) -> None:
        assert validation([], {"validation_data": (X, np.linspace(0, 1, 96))}) is None

    @pytest.mark.parametrize("wrong", [None, iter([X]), {"a": X}])
    def test_what_cannot_be_looked_at_ends_the_search(self, wrong: Any) -> None:
        with pytest.raises(kt.errors.FatalValueError, match="search"):
            training_inputs([wrong], {})
