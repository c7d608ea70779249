"""Training learns, repeats itself, and says when it comes to nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search import network
from search.config import TrainConfig
from search.datasets import Dataset, load
from search.errors import TrainingFailed
from search.space.layers import ClassProbabilities, Conv, Dense, GlobalAverage
from search.train import EpochEnd, accuracy, train

LAYERS = (
    Conv("one", ("input",), 16, 3, 1, "relu"),
    Conv("two", ("one",), 16, 3, 2, "relu"),
    GlobalAverage("average", ("two",)),
    Dense("classes", ("average",), 10, "none"),
    ClassProbabilities("probabilities", ("classes",)),
)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def fresh(digits: Dataset) -> Any:
    model = network.build(LAYERS, digits.input_shape, seed=4)
    network.settle(model, digits.x_train[:128])
    return model


def test_it_learns_and_tells_each_epoch(digits: Dataset) -> None:
    model = fresh(digits)
    before = accuracy(model, digits.x_val, digits.y_val)
    told: list[EpochEnd] = []
    result = train(model, digits, TrainConfig(epochs=10), seed=1, on_epoch=told.append)
    assert before < 0.3
    assert result.float_accuracy > 0.9
    assert result.float_accuracy == accuracy(model, digits.x_val, digits.y_val)
    assert [end.epoch for end in told] == list(range(1, 11))
    assert told[-1].loss == result.loss < told[0].loss / 3


def test_the_same_seed_gives_the_same_weights(digits: Dataset) -> None:
    def weights(seed: int) -> bytes:
        model = fresh(digits)
        train(model, digits, TrainConfig(epochs=2), seed=seed)
        return b"".join(weight.tobytes() for weight in model.get_weights())

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_the_test_split_plays_no_part(digits: Dataset) -> None:
    blind = replace(digits, x_test=np.zeros((0, 8, 8, 1), np.float32), y_test=np.zeros(0, np.int32))
    one, other = fresh(digits), fresh(digits)
    a = train(one, digits, TrainConfig(epochs=2), seed=1)
    b = train(other, blind, TrainConfig(epochs=2), seed=1)
    assert (a.loss, a.float_accuracy) == (b.loss, b.float_accuracy)


def test_a_batch_larger_than_the_data_is_the_whole_data(digits: Dataset) -> None:
    few = replace(digits, x_train=digits.x_train[:40], y_train=digits.y_train[:40])
    result = train(fresh(digits), few, TrainConfig(epochs=60, batch_size=1000), seed=1)
    assert result.loss < 1.0  # it began at 2.3


def test_one_step_is_adam(digits: Dataset) -> None:
    """Held against Keras' own Adam on one batch that holds all the data."""
    keras = network.load_keras()
    few = replace(digits, x_train=digits.x_train[:32], y_train=digits.y_train[:32])
    ours, theirs = fresh(digits), fresh(digits)
    train(ours, few, TrainConfig(epochs=1, batch_size=32, learning_rate=0.005), seed=1)
    theirs.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", jit_compile=False)
    theirs.fit(few.x_train, few.y_train, batch_size=32, epochs=1, verbose=0)
    for mine, reference in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        assert np.allclose(mine.numpy(), reference.numpy(), atol=2e-4), mine.name


def test_a_loss_that_is_no_number_is_a_failure(digits: Dataset) -> None:
    broken = replace(digits, x_train=digits.x_train * np.float32(np.nan))
    with pytest.raises(TrainingFailed, match="nan in epoch 1 of 3") as caught:
        train(fresh(digits), broken, TrainConfig(epochs=3), seed=1)
    assert "learning rate" in str(caught.value.remedy)


def test_tensorflow_keeps_quiet() -> None:
    code = (
        "from search import datasets, network, train\n"
        "from search.config import TrainConfig\n"
        "from tests.search.test_train import LAYERS\n"
        "data = datasets.load('digits')\n"
        "model = network.build(LAYERS, data.input_shape, seed=1)\n"
        "train.train(model, data, TrainConfig(epochs=1), seed=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
