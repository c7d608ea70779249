"""`python -m hil.testing.virtual_board.serve --board ID FOLDER`: the process of a virtual board.

    FOLDER/ttyACM0       link to its port; another number after it has vanished
    FOLDER/control.sock  flashing and status (hil.emulator.control)
    FOLDER/plan.json, FOLDER/tally.json   see injector.py

It ends when its standard input closes, or with SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from hil.board import load_board
from hil.emulator.control import SOCKET_NAME
from hil.emulator.serve import Server, ended_by_signal
from hil.testing.virtual_board.board import FaultyBoard
from hil.testing.virtual_board.chip import Chip
from hil.testing.virtual_board.injector import Injector
from hil.testing.virtual_board.port import VanishingPort


def main(arguments: list[str]) -> int:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m hil.testing.virtual_board.serve")
    parser.add_argument("--board", required=True, help="id of a board profile, e.g. nrf52840_dk")
    parser.add_argument("folder", type=Path, help="where port, control.sock, plan and tally lie")
    options = parser.parse_args(arguments)
    port = VanishingPort(options.folder, time.monotonic)
    board = FaultyBoard(Chip(load_board(options.board)), port, Injector(options.folder))
    server = Server(board, port, options.folder / SOCKET_NAME)
    with ended_by_signal() as signalled:
        try:
            print(json.dumps({"port": str(port.link)}), flush=True)
            server.run([signalled, sys.stdin.fileno()])
        finally:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
