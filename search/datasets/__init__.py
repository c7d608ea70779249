"""Data sets by name: a built-in one, or the path of the user's own .npz file."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from search.datasets import diabetes, digits, files, synthetic_motion
from search.datasets.base import Dataset, random_split, stratified_split
from search.datasets.files import Kind
from search.errors import BadData

# One line per built-in data set.
BUILT_IN: dict[str, Callable[[], Dataset]] = {
    "digits": digits.load,
    "synthetic_motion": synthetic_motion.load,
    "diabetes": diabetes.load,
}


def load(name: str, *, folder: Path | None = None, kind: Kind = "images") -> Dataset:
    """The data set that the user named.

    Args:
        name: a name in `BUILT_IN`, or the path of an .npz file.
        folder: what a relative path is relative to (the study file's folder); default is the current one.
        kind: how the samples of a file are to be read; a built-in data set knows that itself.

    Raises:
        BadData: unknown name, or a file with faults (see `search.datasets.files`).
    """
    if name in BUILT_IN:
        if kind != "images":
            raise BadData(
                f"got kind = \"{kind}\" for the built-in data set '{name}', which knows its own shape",
                remedy="leave kind out; it says how to read an .npz file",
            )
        return BUILT_IN[name]()
    if not name.endswith(".npz"):
        near = difflib.get_close_matches(name, BUILT_IN, n=1)
        hint = f"did you mean '{near[0]}'?  " if near else ""
        raise BadData(
            f"'{name}' is no data set; expected one of {', '.join(BUILT_IN)} or the path of an .npz file",
            remedy=f'{hint}Write data = "digits" or name a file that ends in .npz',
        )
    path = Path(name).expanduser()
    return files.load(path if path.is_absolute() or folder is None else folder / path, kind=kind)


__all__ = ["BUILT_IN", "Dataset", "load", "random_split", "stratified_split"]
