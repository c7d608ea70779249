"""The counts of flash wear on disk: SQLite in the user's state folder, one row per board.

Every call is a transaction of its own, on the disk when it returns.  Any number of processes may count at the
same time, and any of them may be killed at any moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.errors import HostError
from hil.resources import STATE_VARIABLE, state_dir

FILE = "boards.sqlite"
_BUSY_TIMEOUT_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS boards (
  unit TEXT PRIMARY KEY,
  cycles INTEGER NOT NULL,
  finished INTEGER NOT NULL,    -- whether the last flash has ended well
  place TEXT NOT NULL,          -- where it was flashed last
  first_at TEXT NOT NULL,       -- ISO 8601, UTC
  last_at TEXT NOT NULL
)
"""


class WearStore:
    """A WearCounter that lasts.

    Args:
        folder: where the file lies; None for the user's state folder.

    All methods raise:
        HostError: the file cannot be read or written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def cycles(self, unit: str) -> int:
        """See WearCounter."""
        row = self._one("SELECT cycles FROM boards WHERE unit = ?", unit)
        return 0 if row is None else int(row[0])

    def begin(self, unit: str, place: str) -> int:
        """See WearCounter."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO boards VALUES (?1, 1, 0, ?2, ?3, ?3) ON CONFLICT (unit) DO UPDATE SET "
                "cycles = cycles + 1, finished = 0, place = excluded.place, last_at = excluded.last_at",
                (unit, place, now),
            )
            row = connection.execute("SELECT cycles FROM boards WHERE unit = ?", (unit,)).fetchone()
        return int(row[0])

    def finish(self, unit: str) -> None:
        """See WearCounter."""
        with self._transaction() as connection:
            connection.execute("UPDATE boards SET finished = 1 WHERE unit = ?", (unit,))

    def was_cut_short(self, unit: str) -> bool:
        """See WearCounter."""
        row = self._one("SELECT finished FROM boards WHERE unit = ?", unit)
        return row is not None and not row[0]

    def unit_at(self, place: str) -> str | None:
        """See WearCounter."""
        row = self._one(
            "SELECT unit FROM boards WHERE place = ? ORDER BY last_at DESC, rowid DESC LIMIT 1", place
        )
        return None if row is None else str(row[0])

    def merge(self, unit: str, into: str) -> None:
        """See WearCounter."""
        if self._one("SELECT 1 FROM boards WHERE unit = ?", unit) is None:
            return
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO boards SELECT ?2, cycles, finished, place, first_at, last_at FROM boards "
                "WHERE unit = ?1 ON CONFLICT (unit) DO UPDATE SET cycles = cycles + excluded.cycles, "
                "finished = min(finished, excluded.finished)",
                (unit, into),
            )
            connection.execute("DELETE FROM boards WHERE unit = ?", (unit,))

    def _one(self, query: str, argument: str) -> tuple[Any, ...] | None:
        with self._connection() as connection:
            row: tuple[Any, ...] | None = connection.execute(query, (argument,)).fetchone()
        return row

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for one call: calls are rare, and come from any thread."""
        path = state_dir(self._folder) / FILE
        try:
            with closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(_TABLE)
                yield connection
        except sqlite3.Error as error:
            raise HostError(
                f"the counts of flash wear in {path} cannot be kept: {error}",
                remedy=f"free some space, or name another folder: export {STATE_VARIABLE}=/some/folder",
            ) from error
