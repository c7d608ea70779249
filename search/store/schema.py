"""The data base of a study: tables, version, and the pragmas that make each commit durable.

| table        | one row per                                    | key                                       |
|--------------|------------------------------------------------|-------------------------------------------|
| study        | study                                          | 1                                         |
| sessions     | run of the search command, with its wall clock | id                                        |
| trials       | architecture that was asked for                | number                                    |
| stages       | finished stage of a trial; written once        | trial, stage                              |
| starts       | attempt at a stage, also of those that failed  |                                           |
| measurements | measured image                                 | image digest, device, settings            |
| trainings    | trained network                                | architecture, data digest, settings, seed |

`stages.finding` holds the JSON of a `search.finding.Finding`.  `trials.figures` holds what the stages of a
finished trial come to (values and their provenance), so that 100,000 trials are read in seconds; of a trial
under way they are merged when it is read.  `trials.asked` counts what the strategy had been asked for, this
one included: more than there are trials where it proposed an architecture twice.  `study.identity` holds
digests of what figures depend on beside the configuration.

Version 2 added `trials.fidelity` and `trials.figures`; a study of version 1 is brought up to date when it
goes on.
"""

from __future__ import annotations

import sqlite3

VERSION = 2

TABLES = """
CREATE TABLE study (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    config TEXT NOT NULL,
    identity TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    ending TEXT
) STRICT;
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    asked INTEGER NOT NULL,
    space TEXT NOT NULL,
    architecture TEXT NOT NULL,
    fidelity REAL NOT NULL DEFAULT 1.0,
    state TEXT NOT NULL,
    infeasibility TEXT,
    failure TEXT,
    asked_at TEXT NOT NULL,
    finished_at TEXT,
    figures TEXT
) STRICT;
CREATE INDEX trials_by_architecture ON trials (architecture);
CREATE TABLE stages (
    trial INTEGER NOT NULL REFERENCES trials (number),
    stage TEXT NOT NULL,
    finding TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished_at TEXT NOT NULL,
    PRIMARY KEY (trial, stage)
) STRICT;
CREATE TABLE starts (
    trial INTEGER NOT NULL REFERENCES trials (number),
    stage TEXT NOT NULL,
    started_at TEXT NOT NULL
) STRICT;
CREATE TABLE measurements (
    image_digest TEXT NOT NULL,
    device TEXT NOT NULL,
    settings TEXT NOT NULL,
    measurement TEXT NOT NULL,
    PRIMARY KEY (image_digest, device, settings)
) STRICT;
CREATE TABLE trainings (
    architecture TEXT NOT NULL,
    data_digest TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER NOT NULL,
    training TEXT NOT NULL,
    PRIMARY KEY (architecture, data_digest, settings, seed)
) STRICT;
"""

FROM_1_TO_2 = """
ALTER TABLE trials ADD COLUMN fidelity REAL NOT NULL DEFAULT 1.0;
ALTER TABLE trials ADD COLUMN figures TEXT;
CREATE INDEX trials_by_architecture ON trials (architecture);
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the connection durable and, in an empty data base, make the tables in one transaction."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    change = {0: TABLES, 1: FROM_1_TO_2}.get(version(connection))
    if change is not None:
        connection.executescript(f"BEGIN IMMEDIATE; {change} PRAGMA user_version = {VERSION}; COMMIT;")


def version(connection: sqlite3.Connection) -> int:
    """0 for an empty data base."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
