"""`python -m hil.emulator.serve --board ID FOLDER`: an emulated board on a pseudo-terminal.

    FOLDER/port           link to the pseudo-terminal; open it like any serial port
    FOLDER/control.sock   flashing and status (control.py)

One thread: it waits for bytes and requests while the core sleeps, and looks for them between slices while it
runs. The line's speed is kept in the firmware's time only: bytes pass the pseudo-terminal as fast as they
can.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Protocol

from hil.board import Board, load_board
from hil.emulator.control import (
    FLASH,
    PORT_NAME,
    SOCKET_NAME,
    STATUS,
    receive_request,
    send_reply,
    short_path,
)
from hil.emulator.pseudo_terminal import PseudoTerminal
from hil.emulator.served import Served, ServedMachine
from hil.errors import HilError
from hil.resources import cache_dir

_CONTROL_TIMEOUT_S = 10.0


class Port(Protocol):
    """The port of a served board.  One that vanishes has no descriptor while it is away."""

    def fileno(self) -> int | None: ...
    def read(self) -> bytes: ...
    def write(self, data: bytes | bytearray) -> int: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...


class Server:
    """A board between its port and its control socket.

    Args:
        socket_path: where the control socket appears; one board per folder.
    """

    def __init__(self, board: Served, port: Port, socket_path: Path) -> None:
        self._board = board
        self._port = port
        self._socket_path = socket_path
        self._to_host = bytearray()
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        socket_path.unlink(missing_ok=True)
        with short_path(socket_path) as name:
            self._control.bind(name)
        self._control.listen()

    def run(self, stops: Sequence[int]) -> None:
        """Serve until one of the file descriptors `stops` becomes readable."""
        while True:
            port = self._port.fileno()
            ports = [] if port is None else [port]
            readers = [*ports, self._control.fileno(), *stops]
            writers = ports if self._to_host else []
            ready, writable, _ = select.select(readers, writers, [], self._board.wait_s())
            if any(stop in ready for stop in stops):
                return
            if port in ready and (data := self._port.read()):
                self._board.receive(data)
            if self._control.fileno() in ready:
                self._answer()
            if writable:
                del self._to_host[: self._port.write(self._to_host)]
            self._to_host += self._board.step()

    def close(self) -> None:
        """Take port and socket away."""
        self._port.close()
        self._socket_path.unlink(missing_ok=True)
        self._control.close()

    def _answer(self) -> None:
        connection, _ = self._control.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_CONTROL_TIMEOUT_S)
            kind, body = receive_request(connection)
            error = None
            if kind == FLASH:
                error = self._flash(body)
            elif kind != STATUS:
                error = f"unknown request {kind}"
            send_reply(connection, replace(self._board.status(), error=error))

    def _flash(self, elf: bytes) -> str | None:
        error = self._board.flash(elf)
        if error is None:
            # What the last firmware was told or has said is of no interest to this one.
            self._to_host.clear()
            self._port.discard()
        return error


@contextlib.contextmanager
def ended_by_signal() -> Iterator[int]:
    """A file descriptor that becomes readable when SIGTERM or SIGINT comes.  Only for the main thread."""
    wake_reader, wake_writer = os.pipe()

    def end(_number: int, _frame: FrameType | None) -> None:
        os.write(wake_writer, b"x")

    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield wake_reader
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(wake_reader)
        os.close(wake_writer)


def serve(board: Board, folder: Path, ready: Callable[[str], None], stop: int | None = None) -> None:
    """Serve `board` in `folder` until SIGTERM or SIGINT comes.  Only for a process's main thread.

    Args:
        ready: called with the port once it can be opened.
        stop: a file descriptor that ends it, too, when it becomes readable.
    """
    with ended_by_signal() as signalled:
        terminal = PseudoTerminal(folder / PORT_NAME)
        server = Server(ServedMachine(board), terminal, folder / SOCKET_NAME)
        try:
            ready(str(terminal.link))
            server.run([signalled] if stop is None else [signalled, stop])
        finally:
            server.close()


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C, or until standard input closes where --until-stdin-closes is given."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.emulator.serve", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--board", required=True, help="id of a board profile, e.g. nrf52840_dk")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that started this"
    )
    parser.add_argument("folder", nargs="?", type=Path, help="where port and control.sock appear")
    options = parser.parse_args(arguments)
    try:
        board = load_board(options.board)
        folder = options.folder or cache_dir("emulated", board.id)
        folder.mkdir(parents=True, exist_ok=True)
        stop = sys.stdin.fileno() if options.until_stdin_closes else None
        serve(board, folder, lambda port: print(json.dumps({"port": port}), flush=True), stop)
    except HilError as error:
        print(error.message, file=sys.stderr)
        if error.remedy:
            print(error.remedy, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
