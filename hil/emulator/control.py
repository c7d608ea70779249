"""The control socket of a served board: flash it, and ask how it is.  Both ends.

request   u32 length, little-endian | kind u8 | body          kinds: FLASH (body: an ELF file), STATUS
reply     u32 length | JSON: {"error": text or null, "failure": {...} or null, "instructions": n or null}
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

SOCKET_NAME, PORT_NAME = "control.sock", "port"
FLASH, STATUS = 1, 2
_LARGEST_REQUEST = 64 * 1024 * 1024
_LONGEST_PATH = 100  # what sockaddr_un holds, less some


@dataclass(frozen=True)
class Failure:
    """Why the emulated core stopped for good."""

    message: str
    address: int
    pc: int


@dataclass(frozen=True)
class Reply:
    """What a served board answers.

    Attributes:
        error: why the request failed; None where it did not.
        failure: why the firmware stopped; None where it runs.
        instructions: of the last inference.
    """

    error: str | None = None
    failure: Failure | None = None
    instructions: int | None = None


def socket_of(port: str) -> Path:
    """The control socket of the board whose pseudo-terminal is `port`: it lies beside it."""
    return Path(port).absolute().parent / SOCKET_NAME


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for `path` that fits into a socket's address."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def ask(path: Path, kind: int, body: bytes = b"", *, timeout_s: float) -> Reply:
    """Send one request to the board behind the socket `path`.

    Raises:
        OSError: no board is served there, or it did not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, short_path(path) as name:
        connection.settimeout(timeout_s)
        connection.connect(name)
        connection.sendall((len(body) + 1).to_bytes(4, "little") + bytes([kind]) + body)
        found = json.loads(_receive(connection))
    failure = Failure(**found["failure"]) if found["failure"] else None
    return Reply(found["error"], failure, found["instructions"])


def receive_request(connection: socket.socket) -> tuple[int, bytes]:
    """Kind and body of the request on `connection`.

    Raises:
        OSError: the other side went away, or sent nonsense.
    """
    request = _receive(connection)
    return request[0], request[1:]


def send_reply(connection: socket.socket, reply: Reply) -> None:
    """Answer the request on `connection`."""
    text = json.dumps(asdict(reply)).encode()
    connection.sendall(len(text).to_bytes(4, "little") + text)


def _receive(connection: socket.socket) -> bytes:
    size = int.from_bytes(_exactly(connection, 4), "little")
    if not 0 < size <= _LARGEST_REQUEST:
        raise OSError(f"a message of {size} bytes is announced")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(65536, size - len(data)))
        if not piece:
            raise OSError("the other side closed the control socket")
        data += piece
    return bytes(data)
