"""Data sets: honest splits, and the faults of a user's file told before any long work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import datasets
from search.datasets import stratified_split
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
    "type float64; expected integers": {"x_train": images(), "y_train": labels() * 1.0},
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
    if "NaN" in message:
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
