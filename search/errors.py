"""Errors of `search`, in one tree.  `hil.errors` holds those of models, boards and devices."""

from __future__ import annotations

from typing import Any


class SearchError(Exception):
    """Base of all errors of this package.

    Args:
        message: what was received and what was expected.
        remedy: how to mend it; shown on a line of its own at the command line.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross processes whatever their `__init__` takes."""
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[SearchError], args: tuple[Any, ...], facts: dict[str, Any]) -> SearchError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class BadConfig(SearchError):
    """A study file that cannot be read: malformed TOML, unknown key, wrong value.  Names line and key."""


class BadArchitecture(SearchError):
    """Text that is no architecture of the space."""


class BadData(SearchError):
    """A data set of wrong shape, with NaN, or missing."""


class StudyError(SearchError):
    """The study's folder or data base: missing, changed, locked, read-only, disk full."""


class StudyChanged(StudyError):
    """The study was begun with another configuration; the message shows the difference."""


class StudyLocked(StudyError):
    """Another process is running this study."""


class TrainingFailed(SearchError):
    """A training that came to nothing, e.g. a loss that is no number any more."""
