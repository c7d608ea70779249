"""host.c, compiled against libsimavr on first use and kept in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from hil.emulator.native import compiler
from hil.errors import ToolMissing
from hil.resources import cache_dir

_SOURCE = Path(__file__).resolve().parent / "host.c"
_FLAGS = ("-std=gnu99", "-O2", "-fPIC", "-shared")
_LIBRARIES = ("-lsimavr",)
_INSTALL_COMPILER = "sudo apt-get install gcc libc6-dev"
_INSTALL_SIMAVR = "sudo apt-get install libsimavr-dev"


class Edge(ctypes.Structure):
    """A change of the trigger pin, as host.c notes it."""

    _fields_ = (("cycle", c_uint64), ("level", c_uint64))


# C function -> result and arguments; a host is a void pointer.
_FUNCTIONS = {
    "open": (c_void_p, (c_char_p, c_uint32, c_uint32, ctypes.c_char, c_int)),
    "close": (None, (c_void_p,)),
    "flash_bytes": (c_uint32, (c_void_p,)),
    "write_flash": (None, (c_void_p, c_char_p, c_uint32, c_uint32)),
    "reset": (None, (c_void_p,)),
    "send": (c_int, (c_void_p, c_char_p, c_size_t)),
    "run": (c_int, (c_void_p, c_uint64)),
    "take_output": (c_size_t, (c_void_p, c_char_p, c_size_t)),
    "take_edges": (c_size_t, (c_void_p, POINTER(Edge), c_size_t)),
    "cycle": (c_uint64, (c_void_p,)),
    "pc": (c_uint32, (c_void_p,)),
    "is_done": (c_int, (c_void_p,)),
    "message": (c_char_p, (c_void_p,)),
}


@cache
def library() -> ctypes.CDLL:
    """The functions of host.c, by their C names.

    Raises:
        ToolMissing: no C compiler, or no libsimavr; the remedy is the command.
        CacheError: the cache cannot be made.
    """
    loaded = ctypes.CDLL(str(build(cache_dir("emulator"), compiler())))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, f"hil_avr_{name}")
        function.restype, function.argtypes = result, arguments
    return loaded


def build(folder: Path, command: str | None) -> Path:
    """The compiled library in `folder`, compiled if need be.

    Args:
        command: the host's C compiler; None where there is none.

    Raises:
        ToolMissing: as `library`.
    """
    text = _SOURCE.read_bytes()
    target = folder / f"avr-{hashlib.sha256(text + ' '.join(_FLAGS).encode()).hexdigest()[:16]}.so"
    if target.exists():
        return target
    if command is None:
        raise ToolMissing("no C compiler on PATH, which emulating an AVR needs", remedy=_INSTALL_COMPILER)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / target.name
        done = subprocess.run(
            [command, *_FLAGS, "-o", str(fresh), str(_SOURCE), *_LIBRARIES],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
            raise ToolMissing(
                f"emulating an AVR needs libsimavr, which {command} cannot use: {first}",
                remedy=_INSTALL_SIMAVR,
            )
        fresh.replace(target)  # atomic: two processes may do this at once
    return target
