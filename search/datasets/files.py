"""The user's own data: an .npz file, checked before any long work begins.

The file holds `x_train`, `y_train` and, if the user has a test set of their own, `x_test`, `y_test`:

* images: (count, height, width) or (count, height, width, channels); unsigned bytes are divided by 255,
  floats are taken as they are;
* labels: (count,), integers from 0 to classes - 1.

Without a test set the data are split 60/20/20, with one 80/20 into training and validation.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.datasets.base import Dataset, Images, Labels, stratified_split
from search.errors import BadData

SPLIT_SEED = 20_260
BYTE_MAX = 255.0


def load(path: Path) -> Dataset:
    """Read and check `path`.

    Raises:
        BadData: the file is missing or no .npz, or an array has the wrong shape, type, count or values.
    """
    arrays = _read(path)
    where = path.name
    x, y = _pair(arrays, "train", where)
    classes = int(y.max()) + 1
    if classes < 2:
        raise BadData(
            f"{where}: y_train holds only class 0; at least 2 classes are needed",
            remedy="check the labels: they count from 0 to classes - 1",
        )
    missing = sorted(set(range(classes)) - set(np.unique(y).tolist()))
    if missing:
        raise BadData(
            f"{where}: y_train has labels up to {classes - 1}, but no sample of class {_few(missing)}",
            remedy="number the classes from 0 without gaps, e.g. np.unique(y, return_inverse=True)[1]",
        )
    if "x_test" in arrays or "y_test" in arrays:
        x_test, y_test = _pair(arrays, "test", where)
        _same_kind(x, x_test, y_test, classes, where)
        train, val = stratified_split(y, (0.8, 0.2), seed=SPLIT_SEED)
        return Dataset(where, x[train], y[train], x[val], y[val], x_test, y_test, classes)
    train, val, test = stratified_split(y, (0.6, 0.2, 0.2), seed=SPLIT_SEED)
    return Dataset(where, x[train], y[train], x[val], y[val], x[test], y[test], classes)


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    if not path.is_file():
        raise BadData(
            f"there is no data file {path}",
            remedy="name an existing .npz file with x_train and y_train, or a built-in data set: digits",
        )
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise BadData(f"{path.name} holds one bare array; expected an .npz file", remedy=_SAVE)
        with file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise BadData(f"{path.name} cannot be read as .npz: {error}", remedy=_SAVE) from error


_SAVE = "write it with np.savez(path, x_train=..., y_train=...), plain numeric arrays only"


def _pair(arrays: dict[str, NDArray[np.generic]], split: str, where: str) -> tuple[Images, Labels]:
    for name in (f"x_{split}", f"y_{split}"):
        if name not in arrays:
            held = ", ".join(sorted(arrays)) or "nothing"
            raise BadData(f"{where}: no array {name}; the file holds {held}", remedy=_SAVE)
    x = _images(arrays[f"x_{split}"], f"{where}: x_{split}")
    y = _labels(arrays[f"y_{split}"], f"{where}: y_{split}")
    if len(x) != len(y):
        raise BadData(
            f"{where}: x_{split} has {len(x)} images, y_{split} has {len(y)} labels; they must be as many",
            remedy="give one label per image, in the same order",
        )
    return x, y


def _images(x: NDArray[np.generic], where: str) -> Images:
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise BadData(
            f"{where} has shape {x.shape}; expected (count, height, width) or "
            "(count, height, width, channels), none of them 0",
            remedy="reshape it, e.g. x.reshape(len(x), height, width, channels)",
        )
    if x.dtype == np.uint8:
        scaled = x.astype(np.float32) / np.float32(BYTE_MAX)
    elif np.issubdtype(x.dtype, np.floating):
        with np.errstate(over="ignore"):
            scaled = x.astype(np.float32)
    else:
        raise BadData(
            f"{where} has type {x.dtype}; expected uint8 (divided by 255) or floats (taken as they are)",
            remedy="convert it, e.g. x.astype('float32') / x.max()",
        )
    bad = np.argwhere(~np.isfinite(scaled))
    if len(bad):
        raise BadData(
            f"{where} holds {len(bad):,} values that are NaN or infinite, "
            f"the first at index {tuple(map(int, bad[0]))}",
            remedy="clean the data, e.g. np.nan_to_num, or leave those images out",
        )
    if scaled.min() == scaled.max():
        raise BadData(
            f"{where}: every value is {scaled.flat[0]:g}; nothing can be learnt from it",
            remedy="check how the file was written",
        )
    return scaled if scaled.ndim == 4 else scaled[..., np.newaxis]


def _labels(y: NDArray[np.generic], where: str) -> Labels:
    if y.ndim != 1 or len(y) == 0:
        raise BadData(
            f"{where} has shape {y.shape}; expected (count,), one class number per image",
            remedy="for one-hot labels: y.argmax(axis=1); for a column: y.ravel()",
        )
    if not np.issubdtype(y.dtype, np.integer):
        raise BadData(
            f"{where} has type {y.dtype}; expected integers from 0 to classes - 1",
            remedy="convert it, e.g. y.astype('int32'); for names: np.unique(y, return_inverse=True)[1]",
        )
    labels = y.astype(np.int64)
    if labels.min() < 0:
        raise BadData(
            f"{where} holds label {labels.min()}; labels count from 0",
            remedy="shift them, e.g. y - y.min()",
        )
    if labels.max() >= len(labels):
        raise BadData(
            f"{where} holds label {labels.max()}, but only {len(labels)} samples; labels count from 0",
            remedy="number the classes from 0 without gaps, e.g. np.unique(y, return_inverse=True)[1]",
        )
    return labels.astype(np.int32)


def _same_kind(x: Images, x_test: Images, y_test: Labels, classes: int, where: str) -> None:
    if x.shape[1:] != x_test.shape[1:]:
        raise BadData(
            f"{where}: x_train has images of shape {x.shape[1:]}, x_test of {x_test.shape[1:]}",
            remedy="prepare both in the same way",
        )
    if y_test.max() >= classes:
        raise BadData(
            f"{where}: y_test holds label {y_test.max()}, which y_train lacks (0 to {classes - 1})",
            remedy="use the same classes in both",
        )


def _few(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"
