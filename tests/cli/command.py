"""Run `hilnas` as a user does: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without colour, as wide as a terminal that shows long lines whole."""
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "160", "PYTHONPATH": str(ROOT), **changes}


def hilnas(*arguments: str | Path, folder: Path, env: dict[str, str] | None = None) -> Result:
    code = "from search.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=env or environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def assert_clear(result: Result, code: int, *parts: str) -> None:
    """An error with its exit code, without a traceback, that says all of `parts` and how to mend it."""
    assert result.code == code, result
    assert "Traceback" not in result.err + result.out
    assert "error:" in result.err
    assert any(hint in result.err for hint in ("->", "expected", "it has")), (
        "the error does not say how to mend it"
    )
    for part in parts:
        assert part in result.err, f"{part!r} is not in: {result.err}"
