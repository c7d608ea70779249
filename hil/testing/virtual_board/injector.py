"""The injector: asks the plan for each operation's fate, and keeps the tally.

    FOLDER/plan.json    laid down by the host, read before each operation where it has changed
    FOLDER/tally.json   written after each

Files, so that plan and tally outlive either side.
"""

from __future__ import annotations

import os
from pathlib import Path

from hil.testing.virtual_board.kinds import Operation
from hil.testing.virtual_board.plan import Fate, FaultPlan
from hil.testing.virtual_board.tally import Tally

PLAN, TALLY = "plan.json", "tally.json"


def write_whole(path: Path, text: str) -> None:
    """Write a file that nobody sees half."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


class Injector:
    """Decides what befalls each operation.  A new plan begins a new tally."""

    def __init__(self, folder: Path) -> None:
        self._plan_path, self._tally_path = folder / PLAN, folder / TALLY
        self._laid_down: tuple[int, int] | None = None
        self._plan = FaultPlan()
        self._tally = Tally()
        self._look()

    def fate(self, operation: Operation) -> Fate | None:
        """Note an attempt, and say what befalls it."""
        self._look()
        fate = self._plan.fate(operation, self._tally.attempted(operation))
        if self._plan.limit is not None and self._tally.injected >= self._plan.limit:
            fate = None
        if fate is not None:
            self._tally.struck(operation, fate.kind)
        self._keep()
        return fate

    def succeeded(self, operation: Operation) -> None:
        """Note that an operation went all the way."""
        self._tally.succeeded(operation)
        self._keep()

    def image(self, digest: str) -> None:
        """Note which image the host flashes."""
        self._look()
        self._tally.image(digest)

    def _look(self) -> None:
        try:
            stat = self._plan_path.stat()
        except FileNotFoundError:
            return
        laid_down = (stat.st_mtime_ns, stat.st_ino)
        if laid_down != self._laid_down:
            self._laid_down = laid_down
            self._plan = FaultPlan.from_json(self._plan_path.read_text())
            self._tally = Tally()
            self._keep()

    def _keep(self) -> None:
        write_whole(self._tally_path, self._tally.to_json())
