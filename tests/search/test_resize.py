"""Data at other resolutions, and a search in which the resolution is a gene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.graph import read
from search.datasets import load
from search.datasets.resize import smaller
from search.errors import BadData
from search.evaluate import int8_accuracy
from search.space.base import Architecture
from search.trial import Stage
from tests.search.test_evaluate import Bench


def test_half_the_size_is_the_mean_of_four_pixels() -> None:
    images = np.random.default_rng(1).random((5, 8, 6, 3), dtype=np.float32)
    expected = images.reshape(5, 4, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(smaller(images, 4, 3), expected, atol=1e-6)


def test_a_pixel_that_is_cut_counts_in_part() -> None:
    images = np.array([3.0, 6.0, 9.0], np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(smaller(images, 2, 1).ravel(), [(3 + 6 / 2) / 1.5, (6 / 2 + 9) / 1.5])


@pytest.mark.parametrize("size", [(7, 5), (3, 8), (8, 1), (1, 1)])
def test_what_is_even_stays_even_and_the_mean_is_kept(size: tuple[int, int]) -> None:
    images = np.random.default_rng(2).random((4, 8, 8, 1), dtype=np.float32)
    made = smaller(images, *size)
    assert made.shape == (4, *size, 1)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(smaller(np.full((1, 8, 8, 1), 0.25, np.float32), *size), 0.25, atol=1e-6)


def test_larger_is_refused() -> None:
    with pytest.raises(BadData, match="8x8 to 9x8"):
        smaller(np.zeros((1, 8, 8, 1), np.float32), 9, 8)


def test_data_are_resized_once_and_keep_their_labels() -> None:
    data = load("digits")
    assert data.resized(data.input_shape) is data
    small = data.resized((6, 4, 1))
    assert data.resized((6, 4, 1)) is small
    assert small.input_shape == (6, 4, 1)
    assert small.x_val.shape[0] == len(data.y_val)
    assert small.y_train is data.y_train
    assert small.digest != data.digest
    with pytest.raises(BadData, match="channels"):
        data.resized((4, 4, 3))


def test_a_network_of_lower_resolution_gets_pictures_of_its_own(tmp_path: Path) -> None:
    text = (
        "resolution=0.5 stages=1 stem.stride=1 stage1.block=ds stage1.repeats=1 stage1.kernel=3 "
        "stage1.width=16 stage1.stride=1"
    )
    bench = Bench(
        tmp_path,
        Architecture("stages", text),
        space={"name": "stages", "max_stages": 2, "resolutions": [1.0, 0.5]},
        train={"epochs": 6},
    )
    found = bench.run(*list(Stage))
    tflite = bench.store.artifact(found[Stage.DEPLOY].detail["tflite"]).read_bytes()
    assert read(tflite).input_tensor.shape == (1, 4, 4, 1)
    assert found[Stage.ANALYTIC].values["macs"] == bench.evaluator.space.cost(bench.architecture).macs
    assert found[Stage.TRAIN].values["accuracy"] > 0.4
    small = load("digits").resized((4, 4, 1))
    assert found[Stage.DEPLOY].values["test_accuracy"] == int8_accuracy(tflite, small.x_test, small.y_test)
    bench.close()
