"""Exclusive use of a board by one process of this computer: a lock file per board that names its owner.

The lock is `flock`'s, so the system lets go of it when the process ends, however that happens: what a dead
process has left in the file is recognised by nobody holding the lock, and is written over.  The file stays
(removing it would let two processes lock two files of one name).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from hil.devices.discover import Port, is_url
from hil.errors import HostError, PortBusy

VARIABLE = "HILNAS_LOCKS"
"""Environment variable: the folder of locks.  All who share boards have to name the same one."""

_BRIEF_WAIT_S = 5.0
_GLANCE_WAIT_S = 0.2  # somebody may just be looking who holds it
_POLL_S = 0.02


@dataclass(frozen=True)
class Owner:
    """Who holds a board.

    Attributes:
        since: ISO 8601, UTC.
        brief: only asks who is there (`hilnas boards`), and will be done in a moment.
    """

    pid: int
    host: str
    command: str
    since: str
    brief: bool = False

    @classmethod
    def this_process(cls, *, brief: bool = False) -> Owner:
        """This very process, from now on."""
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
        since = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(os.getpid(), socket.gethostname(), command, since, brief)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command}) since {self.since}"


def board_key(port: Port) -> str:
    """What names the board behind `port`, whatever the name it was called by."""
    if is_url(port.port):
        # However the URL is spelt: its options say how to talk to the server, not which board it is.
        return f"net {urlsplit(port.port).netloc.lower() or port.port}"
    return f"usb {port.serial_number}" if port.serial_number else os.path.realpath(port.port)


class BoardLock:
    """Held from construction to `release`.

    Args:
        key: of `board_key`.
        device: what errors call the board.
        brief: see Owner.

    Attributes:
        left_by: the process that died while it held the lock; None where the last one let go of it.

    Raises:
        PortBusy: another process holds the board, or another device object of this one; the message says so.
        HostError: the file cannot be written.
    """

    def __init__(self, key: str, device: str, *, brief: bool = False) -> None:
        path = _file(key)
        self._file = _open(path)
        try:
            if not _acquire(self._file):
                raise _busy(key, device, _read(self._file))
            self.left_by = _read(self._file)
            _write(self._file, json.dumps(asdict(Owner.this_process(brief=brief))))
        except OSError as error:
            self._close()
            raise _unusable(path, error) from error
        except BaseException:
            self._close()
            raise

    def release(self) -> None:
        """Let go.  Releasing twice is harmless."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
                # Explicitly: a child that was forked meanwhile has the file open, too.
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def owner_of(key: str) -> Owner | None:
    """Who holds the board `key`; None where nobody does, whatever a dead process has left in the file.

    Raises:
        HostError: the file cannot be read.
    """
    try:
        file = os.open(_file(key), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(_file(key), error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file) or Owner(0, "this computer", "not known", "")
    finally:
        os.close(file)
    return None


def _folder() -> Path:
    """One for all users: a board that one of them uses is taken for the others as well."""
    named = os.environ.get(VARIABLE)
    folder = Path(named).expanduser() if named else Path(tempfile.gettempdir()) / "hilnas-locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # it belongs to whoever came first
            folder.chmod(0o1777)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _file(key: str) -> Path:
    return _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.lock"


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):
            # Without O_CREAT first: with it, Linux refuses files of other users in a folder like this one.
            return _checked_open(path, flags)
        with contextlib.suppress(FileExistsError):
            file = _checked_open(path, flags | os.O_CREAT | os.O_EXCL)
            os.fchmod(file, 0o666)
            return file
    raise _unusable(path, OSError(0, "it comes and goes"))


def _checked_open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o666)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        raise _unusable(path, error) from error


def _acquire(file: int) -> bool:
    """Take the lock; somebody who will be done in a moment is waited for."""
    start = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            owner = _read(file)
            wait_s = _BRIEF_WAIT_S if owner is not None and owner.brief else _GLANCE_WAIT_S
            if time.monotonic() - start >= wait_s:
                return False
            time.sleep(_POLL_S)


def _read(file: int) -> Owner | None:
    try:
        return Owner(**json.loads(os.pread(file, 4096, 0)))
    except (OSError, ValueError, TypeError):
        return None


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, text.encode(), 0)


def _busy(key: str, device: str, owner: Owner | None) -> PortBusy:
    if owner is not None and owner.pid == os.getpid() and owner.host == socket.gethostname():
        return PortBusy(
            f"this board ({key}) is already in use by another device object of this process, "
            f"since {owner.since}",
            device=device,
            remedy="call close() on the first one, or share it",
        )
    what = "another process" if owner is None else str(owner)
    return PortBusy(
        f"the board ({key}) is in use by {what}{_ghost(owner)}",
        device=device,
        remedy="wait until it ends or stop it with Ctrl-C there; `hilnas boards` shows who uses which board",
    )


def _ghost(owner: Owner | None) -> str:
    """A process that is gone, but has left a child behind that has its files."""
    if owner is None or owner.host != socket.gethostname():
        return ""
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return "; that one has ended, but a process that it started still holds the board"
    except PermissionError:
        pass
    return ""


def _unusable(path: Path, error: OSError) -> HostError:
    return HostError(
        f"{path} cannot be used as a lock: {error.strerror}",
        remedy=f"name another folder: export {VARIABLE}=/some/folder (the same for all who share the boards)",
    )
