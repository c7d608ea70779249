"""Data sets by name: a built-in one, or the path of the user's own .npz file."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from search.datasets import digits, files
from search.datasets.base import Dataset, stratified_split
from search.errors import BadData

# One line per built-in data set.
BUILT_IN: dict[str, Callable[[], Dataset]] = {
    "digits": digits.load,
}


def load(name: str, *, folder: Path | None = None) -> Dataset:
    """The data set that the user named.

    Args:
        name: a name in `BUILT_IN`, or the path of an .npz file.
        folder: what a relative path is relative to (the study file's folder); default is the current one.

    Raises:
        BadData: unknown name, or a file with faults (see `search.datasets.files`).
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if not name.endswith(".npz"):
        near = difflib.get_close_matches(name, BUILT_IN, n=1)
        hint = f"did you mean '{near[0]}'?  " if near else ""
        raise BadData(
            f"'{name}' is no data set; expected one of {', '.join(BUILT_IN)} or the path of an .npz file",
            remedy=f'{hint}Write data = "digits" or name a file that ends in .npz',
        )
    path = Path(name).expanduser()
    return files.load(path if path.is_absolute() or folder is None else folder / path)


__all__ = ["BUILT_IN", "Dataset", "load", "stratified_split"]
