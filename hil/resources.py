"""Where the files that travel with the package lie, and where the user's cache and state are.

In a checkout `boards/` and `firmware/` stand beside `hil/`; an installed wheel carries them in `hil/_data/`.
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_state_path

from hil.errors import CacheError, HostError

STATE_VARIABLE = "HILNAS_STATE"

_PACKAGE = Path(__file__).resolve().parent


def _data_dir(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def boards_dir() -> Path:
    """The folder of board profiles."""
    return _data_dir("boards")


def firmware_dir() -> Path:
    """The firmware template: a PlatformIO project.  Read-only; builds happen in the cache."""
    return _data_dir("firmware")


def cache_dir(*parts: str) -> Path:
    """A folder in the user's cache, made if need be.  HILNAS_CACHE moves the cache.

    Raises:
        CacheError: the folder cannot be made.
    """
    root = os.environ.get("HILNAS_CACHE")
    folder = (Path(root).expanduser() if root else user_cache_path("hilnas")).joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"the cache folder {folder} cannot be made: {error.strerror}",
            remedy="free some space, or name another folder: export HILNAS_CACHE=/some/folder",
        ) from error
    return folder


def state_dir(folder: Path | None = None) -> Path:
    """The user's folder for what cannot be made again (a cache can).  HILNAS_STATE moves it.

    Args:
        folder: instead of the user's.

    Raises:
        HostError: the folder cannot be made.
    """
    root = os.environ.get(STATE_VARIABLE)
    folder = folder or (Path(root).expanduser() if root else user_state_path("hilnas"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"the folder {folder} cannot be made: {error.strerror}",
            remedy=f"free some space, or name another folder: export {STATE_VARIABLE}=/some/folder",
        ) from error
    return folder
