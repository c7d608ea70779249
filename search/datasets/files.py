"""The user's own data: an .npz file, checked before any long work begins.

The file holds `x_train`, `y_train` and, if the user has a test set of their own, `x_test`, `y_test`.  Of `x`,
unsigned bytes are divided by 255 and floats are taken as they are; its shape depends on the kind that the
study file names:

| kind   | shape of x                                               | one sample          |
|--------|----------------------------------------------------------|---------------------|
| images | (count, height, width), (count, height, width, channels) | as it is            |
| series | (count, steps), (count, steps, channels)                 | (steps, 1, channels)|
| table  | (count, columns)                                         | (1, 1, columns)     |

The type of `y` says which task it is:

* integers, (count,), from 0 to classes - 1: a classification;
* floats, (count,) or (count, outputs): a regression, in the user's units.

Without a test set the data are split 60/20/20, with one 80/20 into training and validation.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.datasets.base import Dataset, Images, Labels, Numbers, Truth, random_split, stratified_split
from search.errors import BadData

Kind: TypeAlias = Literal["images", "series", "table"]
Raw: TypeAlias = NDArray[np.generic]

SPLIT_SEED = 20_260
BYTE_MAX = 255.0
_SAMPLES = {"images": "images", "series": "series", "table": "rows"}


def load(path: Path, *, kind: Kind = "images") -> Dataset:
    """Read and check `path`.

    Args:
        kind: how the shape of x is to be read; (count, 96, 3) may be pictures and may be series.

    Raises:
        BadData: the file is missing or no .npz, or an array has the wrong shape, type, count or values.
    """
    arrays = _read(path)
    where = path.name
    x, y = _pair(arrays, "train", where, kind)
    regression = y.dtype == np.float32
    classes = y.shape[1] if regression else _count_classes(y, where)
    if regression:
        _must_vary(y, where)
    task: Literal["classification", "regression"] = "regression" if regression else "classification"

    def split(*fractions: float) -> tuple[NDArray[np.intp], ...]:
        if regression:
            return random_split(len(y), fractions, seed=SPLIT_SEED)
        return stratified_split(y, fractions, seed=SPLIT_SEED)

    if "x_test" in arrays or "y_test" in arrays:
        x_test, y_test = _pair(arrays, "test", where, kind)
        _same_kind(x, y, x_test, y_test, classes, where, kind)
        train, val = split(0.8, 0.2)
        return Dataset(where, x[train], y[train], x[val], y[val], x_test, y_test, classes, task)
    train, val, test = split(0.6, 0.2, 0.2)
    return Dataset(where, x[train], y[train], x[val], y[val], x[test], y[test], classes, task)


def _count_classes(y: Truth, where: str) -> int:
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
    return classes


def _must_vary(y: Truth, where: str) -> None:
    for output in range(y.shape[1]):
        if y[:, output].min() == y[:, output].max():
            raise BadData(
                f"{where}: output {output} of y_train is {y[0, output]:g} everywhere; "
                "nothing can be learnt from it",
                remedy="check how the file was written, or leave that output out",
            )


def _read(path: Path) -> dict[str, Raw]:
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


def _pair(arrays: dict[str, Raw], split: str, where: str, kind: Kind) -> tuple[Images, Truth]:
    for name in (f"x_{split}", f"y_{split}"):
        if name not in arrays:
            held = ", ".join(sorted(arrays)) or "nothing"
            raise BadData(f"{where}: no array {name}; the file holds {held}", remedy=_SAVE)
    x = _inputs(arrays[f"x_{split}"], f"{where}: x_{split}", kind)
    raw = arrays[f"y_{split}"]
    floats = np.issubdtype(raw.dtype, np.floating)
    y: Truth = _numbers(raw, f"{where}: y_{split}") if floats else _labels(raw, f"{where}: y_{split}")
    if len(x) != len(y):
        said, what = ("numbers to predict", "one") if floats else ("labels", "one label")
        raise BadData(
            f"{where}: x_{split} has {len(x)} {_SAMPLES[kind]}, y_{split} has {len(y)} {said}; "
            "they must be as many",
            remedy=f"give {what} for each sample, in the same order",
        )
    return x, y


def _inputs(x: Raw, where: str, kind: Kind) -> Images:
    shaped = _shaped(x, where, kind)
    if x.dtype == np.uint8:
        scaled = shaped.astype(np.float32) / np.float32(BYTE_MAX)
    elif np.issubdtype(x.dtype, np.floating):
        with np.errstate(over="ignore"):
            scaled = shaped.astype(np.float32)
    else:
        raise BadData(
            f"{where} has type {x.dtype}; expected uint8 (divided by 255) or floats (taken as they are)",
            remedy="convert it, e.g. x.astype('float32') / x.max()",
        )
    bad = np.argwhere(~np.isfinite(scaled.reshape(x.shape)))
    if len(bad):
        raise BadData(
            f"{where} holds {len(bad):,} values that are NaN or infinite, "
            f"the first at index {tuple(map(int, bad[0]))}",
            remedy=f"clean the data, e.g. np.nan_to_num, or leave those {_SAMPLES[kind]} out",
        )
    if scaled.min() == scaled.max():
        raise BadData(
            f"{where}: every value is {scaled.flat[0]:g}; nothing can be learnt from it",
            remedy="check how the file was written",
        )
    return scaled


def _shaped(x: Raw, where: str, kind: Kind) -> Raw:
    """(count, height, width, channels), whatever the kind."""
    if 0 not in x.shape:
        match kind, x.ndim:
            case "images", 4:
                return x
            case "images", 3:
                return x[..., np.newaxis]
            case "series", 3:
                return x[:, :, np.newaxis, :]
            case "series", 2:
                return x[:, :, np.newaxis, np.newaxis]
            case "table", 2:
                return x[:, np.newaxis, np.newaxis, :]
    expected, remedy = {
        "images": (
            "(count, height, width) or (count, height, width, channels)",
            "reshape it, e.g. x.reshape(len(x), height, width, channels)",
        ),
        "series": (
            '(count, steps) or (count, steps, channels), for kind = "series"',
            "reshape it, e.g. x.reshape(len(x), steps, channels)",
        ),
        "table": ('(count, columns), for kind = "table"', "reshape it, e.g. x.reshape(len(x), -1)"),
    }[kind]
    others = {2: 'for a series or a table, write kind = "series" or "table" beside the name in [data]'}
    if kind == "images" and x.ndim in others and 0 not in x.shape:
        remedy = f"{remedy}; {others[x.ndim]}"
    raise BadData(f"{where} has shape {x.shape}; expected {expected}, none of them 0", remedy=remedy)


def _labels(y: Raw, where: str) -> Labels:
    if y.ndim != 1 or len(y) == 0:
        raise BadData(
            f"{where} has shape {y.shape}; expected (count,), one class number per sample",
            remedy="for one-hot labels: y.argmax(axis=1); for a column: y.ravel()",
        )
    if not np.issubdtype(y.dtype, np.integer):
        raise BadData(
            f"{where} has type {y.dtype}; expected integers from 0 to classes - 1, or floats to predict",
            remedy="convert it, e.g. y.astype('int32'); for names: np.unique(y, return_inverse=True)[1]",
        )
    labels = y.astype(np.int64)
    if labels.min() < 0:
        raise BadData(
            f"{where} holds label {labels.min()}; labels count from 0",
            remedy="shift them, e.g. y - y.min(); numbers to predict are floats: y.astype('float32')",
        )
    if labels.max() >= len(labels):
        raise BadData(
            f"{where} holds label {labels.max()}, but only {len(labels)} samples; labels count from 0",
            remedy="number the classes from 0 without gaps, e.g. np.unique(y, return_inverse=True)[1]; "
            "numbers to predict are floats: y.astype('float32')",
        )
    return labels.astype(np.int32)


def _numbers(y: Raw, where: str) -> Numbers:
    if y.ndim not in (1, 2) or 0 in y.shape:
        raise BadData(
            f"{where} has shape {y.shape}; expected (count,) or (count, outputs), none of them 0",
            remedy="reshape it, e.g. y.reshape(len(y), -1)",
        )
    with np.errstate(over="ignore"):
        numbers = y.astype(np.float32).reshape(len(y), -1)
    bad = np.argwhere(~np.isfinite(numbers.reshape(y.shape)))
    if len(bad):
        raise BadData(
            f"{where} holds {len(bad):,} values that are NaN, infinite or too large for 32 bits, "
            f"the first at index {tuple(map(int, bad[0]))}",
            remedy="clean the data, or leave those samples out",
        )
    return numbers


def _same_kind(
    x: Images, y: Truth, x_test: Images, y_test: Truth, classes: int, where: str, kind: Kind
) -> None:
    if x.shape[1:] != x_test.shape[1:]:
        raise BadData(
            f"{where}: x_train has {_SAMPLES[kind]} of shape {x.shape[1:]}, x_test of {x_test.shape[1:]}",
            remedy="prepare both in the same way",
        )
    if y.dtype != y_test.dtype or y.shape[1:] != y_test.shape[1:]:
        raise BadData(
            f"{where}: y_train holds {_described(y)}, y_test {_described(y_test)}",
            remedy="prepare both in the same way",
        )
    if y_test.dtype == np.int32 and y_test.max() >= classes:
        raise BadData(
            f"{where}: y_test holds label {y_test.max()}, which y_train lacks (0 to {classes - 1})",
            remedy="use the same classes in both",
        )


def _described(y: Truth) -> str:
    return "class numbers" if y.dtype == np.int32 else f"{y.shape[1]} float(s) a sample"


def _few(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"
