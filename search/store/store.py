"""The Store: a study's trials, findings, measurements and files in one folder.

Every method that writes commits before it returns, and a committed row is never written again.  So at any
moment the folder tells exactly which stages are finished, also after `kill -9`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from search.errors import StudyError
from search.finding import Finding, merged
from search.space.base import Architecture
from search.store import schema
from search.store.artifacts import write_whole
from search.store.faults import as_study_error
from search.store.lock import FolderLock
from search.trial import Failure, Infeasibility, Proposal, Stage, State, Trial

FILE = "study.sqlite"
_TRIAL = "number, space, architecture, state, infeasibility, failure, fidelity, figures"


class Store:
    """One study's folder.  Make it with `Store.open` (to run the study) or `Store.read` (to look at it)."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: FolderLock | None) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = lock
        self._session: int | None = None

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open for running; make folder and tables where there are none.

        Raises:
            StudyLocked: another process runs this study.
            StudyError: not writable, damaged, or written by a newer version.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise as_study_error(error, folder) from error
        lock = FolderLock(folder)
        try:
            connection = _connect(folder / FILE, "rwc")
            try:
                schema.prepare(connection)
                _check_version(connection, folder)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            lock.release()
            raise as_study_error(error, folder / FILE) from error
        except BaseException:
            lock.release()
            raise
        return cls(folder, connection, lock)

    @classmethod
    def join(cls, folder: Path) -> Store:
        """Open for writing beside the process that runs the study, on its behalf: a worker of its own.

        Raises:
            StudyError: not writable, damaged, or not begun.
        """
        try:
            connection = _connect(folder / FILE, "rw")
            schema.prepare(connection)
        except sqlite3.Error as error:
            raise as_study_error(error, folder / FILE) from error
        return cls(folder, connection, None)

    @classmethod
    def read(cls, folder: Path) -> Store:
        """Open for looking, also while another process runs the study.  Writes nothing.

        Raises:
            StudyError: no study in `folder`, or a damaged one.
        """
        path = folder / FILE
        if not path.is_file():
            raise StudyError(
                f"there is no study in {folder} ({FILE} is missing)",
                remedy="name the folder of a study, as `hilnas search` printed it",
            )
        failure: sqlite3.Error | None = None
        # A study on a read-only medium cannot be opened with shared memory; as nobody writes it, it needs
        # none.
        for mode in ("ro", "ro&immutable=1"):
            try:
                connection = _connect(path, mode)
                _check_version(connection, folder)
                return cls(folder, connection, None)
            except sqlite3.Error as error:
                failure = error
        assert failure is not None
        raise as_study_error(failure, path) from failure

    def close(self) -> None:
        """Close and let others in.  Closing twice is harmless."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the study

    def config(self) -> dict[str, Any] | None:
        """What the study was begun with; None in a new one."""
        row = self._one("SELECT config FROM study")
        return None if row is None else json.loads(row[0])

    def identity(self) -> dict[str, str]:
        """Name -> digest of what the figures depend on beside the configuration."""
        row = self._one("SELECT identity FROM study")
        return {} if row is None else json.loads(row[0])

    def set_config(self, config: Mapping[str, Any], identity: Mapping[str, str]) -> None:
        """Note the configuration, of a new study or after a change that is harmless."""
        self._write(
            "INSERT INTO study VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET config = excluded.config",
            (_json(config), _json(identity), _now()),
        )

    def begin_session(self) -> None:
        """A run of the search begins."""
        with self._transaction() as execute:
            cursor = execute("INSERT INTO sessions (started_at, seconds) VALUES (?, 0)", (_now(),))
            self._session = cursor.lastrowid

    def note_session(self, seconds: float, ending: str | None = None) -> None:
        """How long this run has taken so far and, at its end, why it ended."""
        self._write(
            "UPDATE sessions SET seconds = ?, ending = ? WHERE id = ?", (seconds, ending, self._session)
        )

    def sessions(self) -> list[dict[str, Any]]:
        """Runs so far: started_at (ISO 8601, UTC), seconds, ending (None: running, or killed)."""
        rows = self._all("SELECT started_at, seconds, ending FROM sessions ORDER BY id")
        return [{"started_at": row[0], "seconds": row[1], "ending": row[2]} for row in rows]

    # ---- trials

    def add_trial(self, proposal: Proposal, *, asked: int) -> Trial:
        """Note what was asked for; numbers count from 0.

        Args:
            asked: how many proposals the strategy had been asked for, this one included.
        """
        with self._transaction() as execute:
            number = int(execute("SELECT COALESCE(MAX(number) + 1, 0) FROM trials", ()).fetchone()[0])
            execute(
                "INSERT INTO trials (number, asked, space, architecture, fidelity, state, asked_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    asked,
                    proposal.architecture.space,
                    proposal.architecture.text,
                    proposal.fidelity,
                    State.RUNNING.value,
                    _now(),
                ),
            )
        return Trial(number, proposal.architecture, fidelity=proposal.fidelity)

    def asked(self) -> int:
        """How many proposals the strategy had been asked for when it proposed the last trial."""
        return int(self._all("SELECT COALESCE(MAX(asked), 0) FROM trials")[0][0])

    def finish_trial(
        self,
        number: int,
        state: State,
        *,
        infeasibility: Infeasibility | None = None,
        failure: Failure | None = None,
    ) -> Trial:
        """Note a trial's outcome, once, and return it with its values."""
        values, provenance = merged(self.findings(number))
        with self._transaction() as execute:
            done = execute(
                "UPDATE trials SET state = ?, infeasibility = ?, failure = ?, finished_at = ?, figures = ? "
                "WHERE number = ? AND state = ?",
                (
                    state.value,
                    _stage_json(infeasibility),
                    _stage_json(failure),
                    _now(),
                    _json({"values": values, "provenance": provenance}),
                    number,
                    State.RUNNING.value,
                ),
            )
            if done.rowcount != 1:
                raise StudyError(f"trial {number} of {self.folder} is not running, it cannot be finished")
        return self.trial(number)

    def trials(self) -> list[Trial]:
        """All trials with their values, by number."""
        rows = self._all(f"SELECT {_TRIAL} FROM trials ORDER BY number")
        return [self._trial(row) for row in rows]

    def trial(self, number: int) -> Trial:
        """One trial with its values.

        Raises:
            StudyError: there is no such trial.
        """
        row = self._one(
            f"SELECT {_TRIAL} FROM trials WHERE number = ?",
            (number,),
        )
        if row is None:
            count = self._all("SELECT COUNT(*) FROM trials")[0][0]
            has = f"it has trials 0 to {count - 1}" if count else "it has no trials yet"
            raise StudyError(f"the study in {self.folder} has no trial {number}; {has}")
        return self._trial(row)

    def _trial(self, row: tuple[Any, ...]) -> Trial:
        number, space, text, state, infeasibility, failure, fidelity, figures = row
        if figures is None:  # under way, or finished by a version that did not note them
            values, provenance = merged(self.findings(number))
        else:
            known = json.loads(figures)
            values, provenance = known["values"], known["provenance"]
        return Trial(
            number=number,
            architecture=Architecture(space, text),
            state=State(state),
            values=values,
            provenance=provenance,
            infeasibility=None if infeasibility is None else Infeasibility(**_with_stage(infeasibility)),
            failure=None if failure is None else Failure(**_with_stage(failure)),
            fidelity=fidelity,
        )

    # ---- stages

    def start_stage(self, number: int, stage: Stage) -> None:
        """Note an attempt."""
        self._write("INSERT INTO starts VALUES (?, ?, ?)", (number, stage.value, _now()))

    def add_finding(self, number: int, finding: Finding) -> None:
        """Note a finished stage.  The files that it names must be in place.

        Raises:
            StudyError: this stage of this trial is finished already.
        """
        text = _json(finding.to_dict())
        try:
            self._write(
                "INSERT INTO stages VALUES (?, ?, ?, ?, ?)",
                (number, finding.stage.value, text, finding.seconds, _now()),
            )
        except StudyError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise StudyError(
                    f"stage {finding.stage.value} of trial {number} is finished already"
                ) from error
            raise

    def findings(self, number: int) -> dict[Stage, Finding]:
        """The finished stages of a trial, in their order."""
        rows = self._all("SELECT finding FROM stages WHERE trial = ?", (number,))
        found = {f.stage: f for f in (Finding.from_dict(json.loads(row[0])) for row in rows)}
        return {stage: found[stage] for stage in Stage if stage in found}

    def finding_of_twin(self, number: int, stage: Stage) -> Finding | None:
        """What that stage found for another trial of the same architecture, if it did."""
        row = self._one(
            "SELECT finding FROM stages JOIN trials ON trials.number = stages.trial "
            "WHERE (space, architecture) = (SELECT space, architecture FROM trials WHERE number = ?) "
            "AND stage = ? AND number != ? LIMIT 1",
            (number, stage.value, number),
        )
        return None if row is None else Finding.from_dict(json.loads(row[0]))

    def finished_stage(self, stage: Stage) -> dict[int, Finding]:
        """Trial -> what that stage found, for all trials that have finished it."""
        rows = self._all("SELECT trial, finding FROM stages WHERE stage = ? ORDER BY trial", (stage.value,))
        return {number: Finding.from_dict(json.loads(text)) for number, text in rows}

    def starts(self) -> dict[tuple[int, Stage], int]:
        """(trial, stage) -> how often it was begun, failed and interrupted attempts included."""
        rows = self._all("SELECT trial, stage, COUNT(*) FROM starts GROUP BY trial, stage")
        return {(number, Stage(stage)): count for number, stage, count in rows}

    def last_start(self) -> tuple[int, Stage] | None:
        """Trial and stage that were begun last."""
        row = self._one("SELECT trial, stage FROM starts ORDER BY rowid DESC LIMIT 1")
        return None if row is None else (int(row[0]), Stage(row[1]))

    # ---- what is not done twice

    def measurement(
        self, image_digest: str, device: str, settings: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """A measurement of that image on that device with those settings, if there is one."""
        row = self._one(
            "SELECT measurement FROM measurements WHERE image_digest = ? AND device = ? AND settings = ?",
            (image_digest, device, _json(settings)),
        )
        return None if row is None else json.loads(row[0])

    def add_measurement(
        self, image_digest: str, device: str, settings: Mapping[str, Any], measurement: Mapping[str, Any]
    ) -> None:
        """Keep a measurement (as `hil.measurement_json.to_dict` gives it)."""
        self._write(
            "INSERT OR IGNORE INTO measurements VALUES (?, ?, ?, ?)",
            (image_digest, device, _json(settings), _json(measurement)),
        )

    def training(
        self, architecture: Architecture, data_digest: str, settings: Mapping[str, Any], seed: int
    ) -> dict[str, Any] | None:
        """The result of that training, if it was made."""
        row = self._one(
            "SELECT training FROM trainings "
            "WHERE architecture = ? AND data_digest = ? AND settings = ? AND seed = ?",
            (_json(architecture.to_dict()), data_digest, _json(settings), seed),
        )
        return None if row is None else json.loads(row[0])

    def add_training(
        self,
        architecture: Architecture,
        data_digest: str,
        settings: Mapping[str, Any],
        seed: int,
        training: Mapping[str, Any],
    ) -> None:
        """Keep a training's result; the files that it names must be in place."""
        self._write(
            "INSERT OR IGNORE INTO trainings VALUES (?, ?, ?, ?, ?)",
            (_json(architecture.to_dict()), data_digest, _json(settings), seed, _json(training)),
        )

    # ---- files

    def write_artifact(self, number: int, name: str, data: bytes) -> str:
        """Put a file of a trial in place and return its path relative to the study's folder."""
        relative = f"trials/{number:04d}/{name}"
        write_whole(self.folder / relative, data)
        return relative

    def artifact(self, relative: str) -> Path:
        """Where a file named in a finding lies.

        Raises:
            StudyError: it is gone.
        """
        path = self.folder / relative
        if not path.is_file():
            raise StudyError(
                f"{path} is missing, although the study names it",
                remedy="restore it from a copy, or start again in another folder",
            )
        return path

    # ---- SQLite

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise as_study_error(error, self.folder / FILE) from error

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._transaction() as execute:
            execute(sql, values)

    def _all(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise as_study_error(error, self.folder / FILE) from error

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Autocommit: transactions are begun and ended by name.  Readers wait for a writer's checkpoint, not for
    # ever.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=10
    )


def _check_version(connection: sqlite3.Connection, folder: Path) -> None:
    found = schema.version(connection)
    if found != schema.VERSION:
        raise StudyError(
            f"the study in {folder} has schema version {found}, this hilnas reads version {schema.VERSION}",
            remedy="`hilnas search` brings an older study up to date; a newer one needs a newer hilnas",
        )


def _stage_json(fact: Infeasibility | Failure | None) -> str | None:
    return None if fact is None else _json({**asdict(fact), "stage": fact.stage.value})


def _with_stage(text: str) -> dict[str, Any]:
    data = json.loads(text)
    return {**data, "stage": Stage(data["stage"])}


def _json(value: Mapping[str, Any]) -> str:
    """Canonical, so that equal values are equal text and can be keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
