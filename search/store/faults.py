"""What goes wrong with files and SQLite, said so that a user can mend it."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from search.errors import StudyError

_KEPT = "What was finished is kept: the same command continues"

_REMEDIES = {
    errno.ENOSPC: f"the disk is full: free some space.  {_KEPT}",
    errno.EDQUOT: f"your disk quota is used up: free some space.  {_KEPT}",
    errno.EFBIG: f"the file would exceed the limit for files (ulimit -f): raise it.  {_KEPT}",
    errno.EROFS: "the file system is read-only: name a folder that can be written",
    errno.EACCES: "you may not write there: change its permissions, or name another folder",
    errno.EPERM: "you may not write there: change its permissions, or name another folder",
    errno.ENOTDIR: "part of the path is a file: name another folder",
    errno.EEXIST: "a file of that name is in the way: name another folder",
}


def as_study_error(error: OSError | sqlite3.Error, path: Path) -> StudyError:
    """The error of this package that `error` means, for a raise with `from error`."""
    if isinstance(error, OSError):
        remedy = _REMEDIES.get(error.errno or 0, "check the folder and the disk")
        return StudyError(f"{path} cannot be written: {error.strerror or error}", remedy=remedy)
    text = str(error)
    if "full" in text:
        return StudyError(f"{path} cannot grow: {text}", remedy=_REMEDIES[errno.ENOSPC])
    if "readonly" in text or "read-only" in text:
        return StudyError(f"{path} cannot be written: {text}", remedy=_REMEDIES[errno.EACCES])
    if "not a database" in text or "malformed" in text:
        return StudyError(
            f"{path} is damaged or no study: {text}",
            remedy="restore it from a copy, or start again in another folder",
        )
    if "disk I/O error" in text:
        return StudyError(
            f"{path} cannot be written: {text}", remedy=f"check that the disk is not full.  {_KEPT}"
        )
    return StudyError(f"{path}: {text}", remedy="check the folder and the disk")
