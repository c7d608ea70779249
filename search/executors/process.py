"""One worker as the study's process sees it: start, hand a job in, hear, end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from search.executors.base import Job
from search.executors.messages import Begin, FromWorker

_LAST_LINES = 3


class Worker:
    """A process that does jobs, one at a time, from construction to `kill`.

    It does not run the caller's main module again, as multiprocessing's own processes would, so a study may
    be started from any script.

    Args:
        begin: what it needs to know.
        threads: of TensorFlow.

    Attributes:
        device: what it measures on; None: it has a processor only.
        job: what it is doing.
        ready: it has begun.
    """

    def __init__(self, begin: Begin, *, threads: int) -> None:
        self.device = begin.device
        self.job: Job | None = None
        self.ready = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process, closed in kill
        own, theirs = socket.socketpair()
        environment = {
            **os.environ,
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "TF_NUM_INTEROP_THREADS": "1",
            "OMP_NUM_THREADS": str(threads),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "search.executors.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # Ctrl-C is for the study's process, which ends this one
            )
        self.connection: Connection[Any, Any] = Connection(own.detach())
        with suppress(OSError):  # it died at once: whoever listens hears that
            self.connection.send_bytes(json.dumps(sys.path).encode())
            self.connection.send(begin)

    def hand(self, job: Job) -> None:
        """Give it a job."""
        self.job = job
        with suppress(OSError):  # it died between two jobs: whoever listens hears that
            self.connection.send(job)

    def hear(self) -> FromWorker | None:
        """What it says next; None where it has died."""
        try:
            said: FromWorker = self.connection.recv()
        except (EOFError, OSError):
            return None
        return said

    def kill(self) -> str:
        """End it and all that it started.  Returns how it ended, and its last words."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM if self._process.poll() is None else signal.SIGKILL)
        try:
            code = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        self.connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        self._said.close()
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"{how}: {' / '.join(lines)}" if lines else how
