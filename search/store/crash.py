"""Deaths of the process in native code (TensorFlow, an interpreter), unlike `kill -9` and power cuts.

A model that makes a library abort would do so again whenever the study is continued.  While a study runs,
Python's faulthandler writes the traceback of such a death into a file of the study; `kill -9` leaves that
file empty.
"""

from __future__ import annotations

import contextlib
import faulthandler
import sys
from collections.abc import Iterator
from pathlib import Path

from search.store.faults import as_study_error

FILE = "crash.log"


def last_crash(folder: Path) -> str | None:
    """How the previous run of the study died in native code, in a line; None where it did not."""
    try:
        lines = (folder / FILE).read_text(errors="replace").splitlines()
    except OSError:
        return None
    where = next((line.strip() for line in lines if line.strip().startswith("File ")), "")
    return f"{lines[0]} ({where})" if lines else None


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[None]:
    """While inside, a death in native code is written down; what an earlier run wrote is dropped.

    Raises:
        StudyError: the file cannot be written.
    """
    path = folder / FILE
    try:
        file = path.open("w")
    except OSError as error:
        raise as_study_error(error, path) from error
    before = faulthandler.is_enabled()
    faulthandler.enable(file, all_threads=False)
    try:
        yield
    finally:
        faulthandler.disable()
        if before:
            with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
                faulthandler.enable(sys.__stderr__ or sys.stderr)
        file.close()
