"""docs/faults.md has a row for every kind of fault, and names errors that there are."""

from __future__ import annotations

import re
from pathlib import Path

from hil import errors
from hil.testing.virtual_board.kinds import Kind

TEXT = (Path(__file__).parent.parent.parent / "docs" / "faults.md").read_text()


def test_every_kind_has_a_row() -> None:
    rows = {line.split("|")[1].strip() for line in TEXT.splitlines() if line.startswith("| ")}
    assert {kind.value for kind in Kind} <= rows


def test_errors_are_named_as_they_are_called() -> None:
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)(?:: [^`]*)?`", TEXT)) - {"SerialDevice"}
    assert len(named) > 8
    for name in named:
        assert issubclass(getattr(errors, name), errors.DeviceError)


def test_what_becomes_of_the_study_is_what_the_error_says() -> None:
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        found = re.match(r"`(\w+)", cells[3]) if len(cells) == 6 else None
        if found is None or not hasattr(errors, found.group(1)):
            continue
        error = getattr(errors, found.group(1))
        fatal = errors.Outcome.FATAL in (error.outcome, error.when_it_lasts)
        assert cells[4].startswith("stops" if fatal else "marks"), line
