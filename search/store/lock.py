"""Exclusive use of a study's folder by one process.  The kernel lets go of the lock when that process ends,
however."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from pathlib import Path

from search.errors import StudyLocked
from search.store.faults import as_study_error

FILE = "study.lock"


class FolderLock:
    """Held from construction to `release`; says in the file who holds it.

    Raises:
        StudyLocked: another process holds it; the message names that process.
        StudyError: the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise as_study_error(error, path) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(self._file)
            os.close(self._file)
            raise StudyLocked(
                f"the study in {folder} is being run by {owner}",
                remedy="wait until it ends, stop it with Ctrl-C there, or name another folder",
            ) from None
        try:
            me = {"pid": os.getpid(), "host": socket.gethostname(), "command": " ".join(sys.argv)[:200]}
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, json.dumps(me).encode(), 0)
        except OSError as error:
            self.release()
            raise as_study_error(error, path) from error

    def release(self) -> None:
        """Let go.  Releasing twice is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _owner(file: int) -> str:
    try:
        told = json.loads(os.pread(file, 4096, 0))
        return f"process {told['pid']} on {told['host']} ({told['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
