"""`python -m hil.emulator.upload ELF PORT`: flash the served board behind PORT.

What HILNAS_UPLOAD_COMMAND names for an emulated board: `pio run -t upload` then takes the way of a real
board.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hil.emulator.control import FLASH, ask, socket_of

TIMEOUT_S = 30.0


def main(arguments: list[str]) -> int:
    """Exit status: 0 flashed, 1 failed, 2 wrong arguments."""
    if len(arguments) != 2:
        print("usage: python -m hil.emulator.upload ELF PORT", file=sys.stderr)
        return 2
    elf, port = Path(arguments[0]), arguments[1]
    try:
        body = elf.read_bytes()
    except OSError as error:
        print(f"{elf}: cannot be read: {error.strerror}", file=sys.stderr)
        return 1
    try:
        reply = ask(socket_of(port), FLASH, body, timeout_s=TIMEOUT_S)
    except (OSError, ValueError) as error:
        print(f"{port}: no emulated board answers there: {error}", file=sys.stderr)
        return 1
    if reply.error is not None:
        print(f"{port}: {reply.error}", file=sys.stderr)
        return 1
    print(f"flashed {elf.name} ({len(body):,} bytes) to the emulated board at {port}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
