"""Project folders for builds, one builder in each at a time.

PlatformIO does not guard a project against two builds at once.  So there are as many folders as there ever
were builds at the same time, each with a lock; a build takes the first free one and finds there the objects
of the last build.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.firmware.failures import cache_error
from hil.resources import cache_dir

_STALE_S = 14 * 24 * 3600.0


@contextmanager
def project_folder(kind: str, digest: str) -> Iterator[Path]:
    """A folder that nobody else uses until the block ends.

    Args:
        kind: e.g. the PlatformIO environment; folders are not shared between kinds.
        digest: of what stays the same from build to build, so that objects are of use again.

    Raises:
        CacheError: the cache cannot be written.
    """
    parent = cache_dir("builds", f"{kind}-{digest[:16]}")
    _drop_stale(parent)
    number = 0
    while True:
        with _lock(parent / f"{number}.lock") as held:
            if held:
                folder = parent / str(number)
                folder.mkdir(exist_ok=True)
                yield folder
                return
        number += 1


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Hold `path`'s lock, or find it held by another.  The system lets go of it when the process dies."""
    try:
        file = path.open("w")
    except OSError as error:
        raise cache_error(f"{path} cannot be written", error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _drop_stale(current: Path) -> None:
    """Remove the folders of firmwares that were not built for two weeks."""
    for other in current.parent.iterdir():
        newest = max((lock.stat().st_mtime for lock in other.glob("*.lock")), default=time.time())
        if other != current and time.time() - newest > _STALE_S:
            shutil.rmtree(other, ignore_errors=True)
