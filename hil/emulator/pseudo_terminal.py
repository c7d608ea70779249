"""The port of a served board: a pseudo-terminal, and a link that names it."""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from pathlib import Path

_READ_BYTES = 65536


class PseudoTerminal:
    """One serial port.  It is there from the beginning until `close`.

    Args:
        link: where it can be opened; replaced where it is there already.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        # The board's own end stays open, so that the port outlives those who open and close it.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def fileno(self) -> int:
        """For select: readable where the host has sent, writable where it takes."""
        return self._master

    def read(self) -> bytes:
        """What the host has sent; b"" where it has sent nothing."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._master, _READ_BYTES)
        return b""

    def write(self, data: bytes | bytearray) -> int:
        """Send to the host; returns how many bytes it took."""
        with contextlib.suppress(BlockingIOError):
            return os.write(self._master, data)
        return 0

    def discard(self) -> None:
        """Forget what is on its way in either direction."""
        termios.tcflush(self._slave, termios.TCIOFLUSH)

    def close(self) -> None:
        """Take the port away.  Whoever has it open finds it gone."""
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
