"""A port that vanishes and comes back under another name, as that of a board with USB of its own.

FOLDER/ttyACM0, then FOLDER/ttyACM1, ...   never the same name twice
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hil.emulator.pseudo_terminal import PseudoTerminal

PREFIX = "ttyACM"


class VanishingPort:
    """A port of `hil.emulator.serve.Server`.

    Args:
        folder: where it appears.
        clock: seconds, monotonic.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._names = 0
        self._back_at_s = 0.0
        for stale in folder.glob(PREFIX + "*"):
            stale.unlink()
        self._terminal: PseudoTerminal | None = self._appear()

    @property
    def link(self) -> Path | None:
        """Its name now; None while it is away."""
        return self._terminal.link if self._terminal is not None else None

    def vanish(self, away_s: float) -> None:
        """Be gone for so long."""
        self.close()
        self._back_at_s = self._clock() + away_s

    def come_back(self) -> None:
        """Appear again, where the time has come."""
        if self._terminal is None and self._clock() >= self._back_at_s:
            self._terminal = self._appear()

    def wait_s(self) -> float | None:
        """Until it comes back; None while it is there."""
        return None if self._terminal is not None else max(0.0, self._back_at_s - self._clock())

    def fileno(self) -> int | None:
        """For select; None while it is away."""
        return self._terminal.fileno() if self._terminal is not None else None

    def read(self) -> bytes:
        """What the host has sent."""
        return self._terminal.read() if self._terminal is not None else b""

    def write(self, data: bytes | bytearray) -> int:
        """Send to the host; while the port is away, all is lost."""
        return self._terminal.write(data) if self._terminal is not None else len(data)

    def discard(self) -> None:
        """Forget what is on its way."""
        if self._terminal is not None:
            self._terminal.discard()

    def close(self) -> None:
        """Be gone."""
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None

    def _appear(self) -> PseudoTerminal:
        link = self._folder / f"{PREFIX}{self._names}"
        self._names += 1
        return PseudoTerminal(link)
