"""The process of a worker: `python -m search.executors.worker DESCRIPTOR`.

It begins with the evaluator, loads TensorFlow with the first model and keeps it, and does one job after the
other.  It ends when the study's process does, however that ends: its standard input is a pipe that nobody
writes to, and whose end says that the other side is gone.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from search.errors import SearchError


def main(descriptor: int) -> None:
    """Serve until the study's process hangs up."""
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    connection: Connection[Any, Any] = Connection(descriptor)
    sys.path[:] = json.loads(connection.recv_bytes())
    _serve(connection)


def _serve(connection: Connection[Any, Any]) -> None:
    from search.executors.base import do
    from search.executors.messages import Failed, Ready, Told
    from search.store import Store

    try:
        begin = connection.recv()
        store = Store.join(begin.folder)
        evaluator = begin.make_evaluator(begin.device)
    except Exception as error:  # whatever a user's data or class raises is told by the study's process
        connection.send(Failed(_portable(error)))
        return
    connection.send(Ready())
    while True:
        try:
            job = connection.recv()
        except EOFError:
            break
        try:
            answer = do(job, evaluator, store, begin.objectives, lambda event: connection.send(Told(event)))
        except Exception as error:  # a fatal fault, with whatever cause
            connection.send(Failed(_portable(error)))
        else:
            connection.send(answer)
    evaluator.close()
    store.close()


def _portable(error: Exception) -> Exception:
    """The error itself where it survives the way, else its words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does in pickling
        return SearchError(f"{type(error).__name__}: {error}")
    return error


def _end_with_the_study() -> None:
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)  # compilers that were started from here, too


if __name__ == "__main__":
    main(int(sys.argv[1]))
