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
import tempfile
import termios
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from hil.board import Board, load_board
from hil.emulator.control import (
    FLASH,
    PORT_NAME,
    SOCKET_NAME,
    STATUS,
    Failure,
    Reply,
    receive_request,
    send_reply,
    short_path,
)
from hil.emulator.elf import BadElf, load_segments
from hil.emulator.machine import Machine, State
from hil.errors import EmulationError, HilError
from hil.resources import cache_dir

_SLICE_CYCLES = 2_000_000
_CONTROL_TIMEOUT_S = 10.0


class Server:
    """A board between its pseudo-terminal and its control socket.

    Args:
        folder: where `port` and `control.sock` appear; one board per folder.
    """

    def __init__(self, board: Board, folder: Path) -> None:
        self._board = board
        self._folder = folder
        self._machine: Machine | None = None
        self._failure: Failure | None = None
        self._to_host = bytearray()
        self._asleep = True
        # The board's own end stays open, so that the port outlives those who open and close it.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = folder / PORT_NAME
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._slave))
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = folder / SOCKET_NAME
        path.unlink(missing_ok=True)
        with short_path(path) as name:
            self._control.bind(name)
        self._control.listen()

    def run(self, stops: Sequence[int]) -> None:
        """Serve until one of the file descriptors `stops` becomes readable."""
        while True:
            running = self._machine is not None and not self._asleep and self._failure is None
            readers = [self._master, self._control.fileno(), *stops]
            writers = [self._master] if self._to_host else []
            ready, writable, _ = select.select(readers, writers, [], 0 if running else None)
            if any(stop in ready for stop in stops):
                return
            if self._master in ready:
                self._from_host()
            if self._control.fileno() in ready:
                self._answer()
            if writable:
                self._send()
            self._step()

    def close(self) -> None:
        """Take port and socket away."""
        for path in (self.port, self._folder / SOCKET_NAME):
            path.unlink(missing_ok=True)
        self._control.close()
        os.close(self._master)
        os.close(self._slave)

    def _step(self) -> None:
        if self._machine is None or self._failure is not None:
            return
        try:
            state = self._machine.run(_SLICE_CYCLES)
        except EmulationError as error:
            self._failure = Failure(self._machine.failure_reason, error.address, error.pc)
            print(error.message, file=sys.stderr, flush=True)
            return
        self._asleep = state is State.ASLEEP
        self._to_host += self._machine.take_output()

    def _from_host(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._master, 65536)
            if self._machine is not None:
                self._machine.send(data)
                self._asleep = False

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._to_host[: os.write(self._master, self._to_host)]

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
            instructions = self._machine.inference_instructions if self._machine is not None else None
            send_reply(connection, Reply(error, self._failure, instructions))

    def _flash(self, elf: bytes) -> str | None:
        with tempfile.NamedTemporaryFile(suffix=".elf") as file:
            file.write(elf)
            file.flush()
            try:
                machine = Machine(self._board, device=f"emulated+pty:{self._board.id}")
                machine.load(load_segments(Path(file.name)))
            except BadElf as error:
                return str(error).replace(file.name, "the file")
            except HilError as error:
                return error.message
        self._machine, self._failure, self._asleep = machine, None, False
        self._to_host.clear()
        # What the last firmware was told or has said is of no interest to this one.
        termios.tcflush(self._slave, termios.TCIOFLUSH)
        return None


def serve(board: Board, folder: Path, ready: Callable[[str], None], stop: int | None = None) -> None:
    """Serve `board` in `folder` until SIGTERM or SIGINT comes.  Only for a process's main thread.

    Args:
        ready: called with the port once it can be opened.
        stop: a file descriptor that ends it, too, when it becomes readable.
    """
    wake_reader, wake_writer = os.pipe()

    def end(_number: int, _frame: FrameType | None) -> None:
        os.write(wake_writer, b"x")

    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    server = Server(board, folder)
    try:
        ready(str(server.port))
        server.run([wake_reader] if stop is None else [wake_reader, stop])
    finally:
        server.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(wake_reader)
        os.close(wake_writer)


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
