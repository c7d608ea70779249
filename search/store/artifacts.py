"""Files of a study, put in place whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from search.store.faults import as_study_error


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, force it to the disk, and rename it into place.

    After a power cut or `kill -9` either the whole file is there or none of it.

    Raises:
        StudyError: the disk is full, or the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise as_study_error(error, path) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
