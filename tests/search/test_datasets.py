"""Data sets: honest splits, and the faults of a user's file told before any long work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import datasets
from search.datasets import random_split, stratified_split
from search.errors import BadData


def images(count: int = 60, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 5, 3), dtype=np.uint8)


def labels(count: int = 60, classes: int = 3) -> Any:
    return np.arange(count) % classes


def save(folder: Path, **arrays: Any) -> str:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return str(path)


def test_digits_are_the_real_ones_split_with_every_class_in_proportion() -> None:
    digits = datasets.load("digits")
    assert digits.input_shape == (8, 8, 1)
    assert len(digits.y_train) + len(digits.y_val) + len(digits.y_test) == 1797
    assert digits.x_train.dtype == np.float32
    assert digits.x_train.min() == 0.0
    assert digits.x_train.max() == 1.0
    everything = np.concatenate([digits.y_train, digits.y_val, digits.y_test])
    for split in (digits.y_train, digits.y_val, digits.y_test):
        for label in range(10):
            assert np.mean(split == label) == pytest.approx(np.mean(everything == label), abs=0.003)


def test_no_image_is_in_two_splits() -> None:
    digits = datasets.load("digits")
    splits = [{image.tobytes() for image in x} for x in (digits.x_train, digits.x_val, digits.x_test)]
    assert not splits[0] & splits[1]
    assert not splits[0] & splits[2]
    assert not splits[1] & splits[2]


def test_digest_follows_the_data_and_nothing_else(tmp_path: Path) -> None:
    assert datasets.load("digits").digest == datasets.load("digits").digest
    one = datasets.load(save(tmp_path, x_train=images(), y_train=labels()))
    again = datasets.load(save(tmp_path, x_train=images(), y_train=labels()))
    other = images()
    other[3, 2, 1, 0] ^= 1
    changed = datasets.load(save(tmp_path, x_train=other, y_train=labels()))
    assert one.digest == again.digest != changed.digest


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(3, 40), min_size=1, max_size=6),
    shares=st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.2), (0.98, 0.01, 0.01)]),
    seed=st.integers(0, 9),
)
def test_a_split_holds_each_sample_once_and_each_class_everywhere(
    counts: list[int], shares: tuple[float, ...], seed: int
) -> None:
    given_labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    parts = stratified_split(given_labels, shares, seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(given_labels)))
    for part in parts:
        assert set(given_labels[part].tolist()) == set(range(len(counts)))


def test_too_few_samples_of_a_class_are_named() -> None:
    with pytest.raises(BadData, match="class 1 has 2 samples"):
        stratified_split(np.array([0, 0, 0, 1, 1], np.int32), (0.6, 0.2, 0.2), seed=0)


def test_a_file_of_bytes_is_scaled_and_split(tmp_path: Path) -> None:
    data = datasets.load(save(tmp_path, x_train=images(), y_train=labels()))
    assert (data.input_shape, data.classes) == ((6, 5, 3), 3)
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (36, 12, 12)
    assert float(data.x_train.max()) <= 1.0
    assert sorted(data.x_train[0].ravel().tolist()) == sorted(
        (images()[0] / 255).astype("f").ravel().tolist()
    )


def test_a_file_may_bring_its_own_test_set(tmp_path: Path) -> None:
    held_back = np.random.default_rng(1).normal(size=(9, 6, 5)).astype(np.float64)
    data = datasets.load(
        save(
            tmp_path,
            x_train=images()[..., 0].astype("f"),
            y_train=labels(),
            x_test=held_back,
            y_test=labels(9),
        )
    )
    assert data.input_shape == (6, 5, 1)
    assert np.array_equal(data.x_test[..., 0], held_back.astype(np.float32))
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (48, 12, 9)


def test_a_relative_path_is_relative_to_the_study_file(tmp_path: Path) -> None:
    save(tmp_path, x_train=images(), y_train=labels())
    assert datasets.load("data.npz", folder=tmp_path).classes == 3


BAD = {
    "holds 2 values that are NaN": {"x_train": np.where(images() < 2, np.nan, 0.5), "y_train": labels()},
    r"shape \(60, 90\)": {"x_train": images().reshape(60, 90), "y_train": labels()},
    "type int64; expected uint8": {"x_train": images().astype(int), "y_train": labels()},
    "60 images, y_train has 59 labels": {"x_train": images(), "y_train": labels(59)},
    r"y_train has shape \(60, 3\)": {"x_train": images(), "y_train": np.eye(3, dtype=int)[labels()]},
    "type <U3; expected integers": {"x_train": images(), "y_train": np.array(["cat", "dog", "cow"] * 20)},
    "type bool; expected integers": {"x_train": images(), "y_train": labels() > 0},
    r"y_train has shape \(60, 2, 2\)": {"x_train": images(), "y_train": np.ones((60, 2, 2))},
    "60 images, y_train has 59 numbers": {"x_train": images(), "y_train": labels(59) * 1.0},
    "output 1 of y_train is 2 everywhere": {
        "x_train": images(),
        "y_train": np.stack([np.arange(60.0), np.full(60, 2.0)], axis=1),
    },
    r"1 values that are NaN, infinite or too large for 32 bits, the first at index \(3,\)": {
        "x_train": images(),
        "y_train": np.where(np.arange(60) == 3, 1e300, 0.5),
    },
    r"y_train holds 2 float\(s\) a sample, y_test class numbers": {
        "x_train": images(),
        "y_train": np.random.default_rng(0).random((60, 2)),
        "x_test": images(9),
        "y_test": labels(9),
    },
    "label -1": {"x_train": images(), "y_train": labels() - 1},
    "label 1000, but only 60": {"x_train": images(), "y_train": labels() + 998},
    "no sample of class 1": {"x_train": images(), "y_train": labels(classes=2) * 2},
    "only class 0": {"x_train": images(), "y_train": labels() * 0},
    "no array y_train": {"x_train": images(), "labels": labels()},
    "every value is 7": {"x_train": np.full((60, 4, 4), 7.0), "y_train": labels()},
    "no array y_test": {"x_train": images(), "y_train": labels(), "x_test": images(9)},
    "x_test of": {
        "x_train": images(),
        "y_train": labels(),
        "x_test": images(9)[:, :5],
        "y_test": labels(9),
    },
    "y_test holds label 3": {
        "x_train": images(),
        "y_train": labels(),
        "x_test": images(9),
        "y_test": labels(9, 4),
    },
}


@pytest.mark.parametrize("message", BAD)
def test_what_is_wrong_with_a_file_is_named_with_a_remedy(tmp_path: Path, message: str) -> None:
    arrays = BAD[message]
    if "2 values that are NaN" in message:
        x = np.full((60, 6, 5, 3), 0.5)
        x[4, 1, 2, 0] = np.nan
        x[5, 0, 0, 0] = np.inf
        x[0, 0, 0, 0] = 0.0
        arrays = {**arrays, "x_train": x}
    with pytest.raises(BadData, match=message) as caught:
        datasets.load(save(tmp_path, **arrays))
    assert caught.value.remedy


def test_nan_is_placed(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((60, 4, 4, 1))
    x[7, 1, 2, 0] = np.nan
    with pytest.raises(BadData, match=r"first at index \(7, 1, 2, 0\)"):
        datasets.load(save(tmp_path, x_train=x, y_train=labels()))


def test_missing_corrupt_and_unknown_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no data file"):
        datasets.load(str(tmp_path / "gone.npz"))
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(BadData, match=r"cannot be read as \.npz"):
        datasets.load(str(tmp_path / "bad.npz"))
    np.save(tmp_path / "bare.npz", images())
    (tmp_path / "bare.npz.npy").rename(tmp_path / "bare.npz")
    with pytest.raises(BadData, match="one bare array"):
        datasets.load(str(tmp_path / "bare.npz"))
    with pytest.raises(BadData, match="'digit' is no data set") as caught:
        datasets.load("digit")
    assert "digits" in str(caught.value.remedy)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}] * 60, dtype=object)
    with pytest.raises(BadData, match="cannot be read"):
        datasets.load(save(tmp_path, x_train=objects, y_train=labels()))


# ---- series and tables


@pytest.mark.parametrize(
    ("kind", "shape", "input_shape"),
    [
        ("series", (60, 30, 2), (30, 1, 2)),
        ("series", (60, 30), (30, 1, 1)),
        ("table", (60, 7), (1, 1, 7)),
        ("images", (60, 30, 2), (30, 2, 1)),
    ],
)
def test_kind_says_what_a_shape_means(
    tmp_path: Path, kind: Any, shape: tuple[int, ...], input_shape: tuple[int, int, int]
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    data = datasets.load(save(tmp_path, x_train=x, y_train=labels()), kind=kind)
    assert data.input_shape == input_shape
    # The order of the values is that of the file.
    kept = {sample.tobytes() for sample in x.astype(np.float32)}
    assert all(sample.tobytes() in kept for sample in data.x_train)


@pytest.mark.parametrize(
    ("kind", "shape", "words"),
    [
        ("series", (60, 6, 5, 3), 'kind = "series"'),
        ("series", (60,), 'kind = "series"'),
        ("series", (60, 0, 3), "none of them 0"),
        ("table", (60, 6, 5), 'kind = "table"'),
        ("images", (60, 90), 'write kind = "series" or "table"'),
    ],
)
def test_a_shape_of_another_kind_is_refused(
    tmp_path: Path, kind: Any, shape: tuple[int, ...], words: str
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(BadData, match="has shape") as caught:
        datasets.load(save(tmp_path, x_train=x, y_train=labels()), kind=kind)
    assert words in f"{caught.value.message} {caught.value.remedy}"


def test_nan_in_a_series_is_placed_as_in_the_file(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 8, 3))
    x[4, 7, 1] = np.nan
    with pytest.raises(BadData, match=r"first at index \(4, 7, 1\)"):
        datasets.load(save(tmp_path, x_train=x, y_train=labels()), kind="series")


def test_a_built_in_data_set_knows_its_kind() -> None:
    with pytest.raises(BadData, match="knows its own shape") as caught:
        datasets.load("digits", kind="series")
    assert caught.value.remedy


# ---- regression


def test_floats_to_predict_make_a_regression(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(5.0, [2.0, 0.01], size=(60, 2))
    data = datasets.load(save(tmp_path, x_train=images(), y_train=y))
    assert (data.task, data.classes, data.y_train.dtype) == ("regression", 2, np.float32)
    assert (data.y_train.shape, data.y_val.shape, data.y_test.shape) == ((36, 2), (12, 2), (12, 2))
    assert "2 outputs" in str(data)
    flat = datasets.load(save(tmp_path, x_train=images(), y_train=y[:, 0]))
    assert (flat.classes, flat.y_val.shape) == (1, (12, 1))
    assert "1 output," in str(flat)


def test_samples_and_targets_stay_together(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((50, 4, 4, 1))
    data = datasets.load(save(tmp_path, x_train=x, y_train=x.sum(axis=(1, 2, 3))))
    for images_, y in ((data.x_train, data.y_train), (data.x_val, data.y_val), (data.x_test, data.y_test)):
        assert np.allclose(images_.sum(axis=(1, 2, 3)), y[:, 0], rtol=1e-5)


def test_targets_are_standardised_by_the_training_split_and_back(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal([1000.0, 0.001], [50.0, 0.0001], size=(60, 2))
    data = datasets.load(save(tmp_path, x_train=images(), y_train=y))
    learnt = data.standardised(data.y_train)
    assert np.allclose(learnt.mean(axis=0), 0, atol=1e-4)
    assert np.allclose(learnt.std(axis=0), 1, atol=1e-3)
    assert np.allclose(data.in_units(data.standardised(data.y_test)), data.y_test, rtol=1e-6)
    assert not np.allclose(data.standardised(data.y_val).mean(axis=0), 0, atol=1e-3)


def test_a_regression_may_bring_its_own_test_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    held_back = rng.random(9)
    data = datasets.load(
        save(tmp_path, x_train=images(), y_train=rng.random(60), x_test=images(9, seed=1), y_test=held_back)
    )
    assert (len(data.y_train), len(data.y_val)) == (48, 12)
    assert np.array_equal(data.y_test[:, 0], held_back.astype(np.float32))


@given(count=st.integers(3, 60), seed=st.integers(0, 9))
def test_a_random_split_holds_each_sample_once(count: int, seed: int) -> None:
    parts = random_split(count, (0.6, 0.2, 0.2), seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    assert all(len(part) for part in parts)
    again = random_split(count, (0.6, 0.2, 0.2), seed=seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_too_few_samples_to_split_are_said() -> None:
    with pytest.raises(BadData, match="2 samples to split into 3 parts"):
        random_split(2, (0.6, 0.2, 0.2), seed=0)


# ---- built-in


def test_synthetic_motion_is_the_same_everywhere_and_can_be_told_apart() -> None:
    motion = datasets.load("synthetic_motion")
    assert (motion.input_shape, motion.classes, motion.task) == ((64, 1, 3), 6, "classification")
    assert (len(motion.y_train), len(motion.y_val), len(motion.y_test)) == (720, 240, 240)
    assert motion.digest == datasets.load("synthetic_motion").digest
    # The strength of the movement alone tells some classes apart, and not all: nearest mean of it.
    strength = [np.log(x.std(axis=(1, 2))) for x in (motion.x_train, motion.x_val)]
    means = np.array([strength[0][motion.y_train == kind].mean(axis=0) for kind in range(6)])
    nearest = np.linalg.norm(strength[1][:, np.newaxis] - means, axis=-1).argmin(axis=-1)
    assert 0.5 < np.mean(nearest == motion.y_val) < 0.95


def test_diabetes_is_a_regression_on_real_data() -> None:
    diabetes = datasets.load("diabetes")
    assert (diabetes.task, diabetes.classes, diabetes.input_shape) == ("regression", 1, (1, 1, 10))
    everything = np.concatenate([diabetes.y_train, diabetes.y_val, diabetes.y_test])
    assert (len(everything), everything.min(), everything.max()) == (442, 25.0, 346.0)
    assert np.allclose(diabetes.x_train.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(diabetes.x_train.std(axis=0), 1, atol=1e-5)
