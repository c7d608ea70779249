"""One wording for a cache that cannot be written."""

from __future__ import annotations

from hil.errors import CacheError


def cache_error(what: str, error: OSError) -> CacheError:
    """The error to raise where `what` ("/x/y cannot be written") failed with `error`."""
    return CacheError(
        f"{what}: {error.strerror}",
        remedy="free some space or mend the permissions; export HILNAS_CACHE=/some/folder moves the cache",
    )
