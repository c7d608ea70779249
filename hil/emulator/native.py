"""counter.c, compiled on first use with the host's C compiler and kept in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hil.emulator.counter import UNKNOWN_FUNCTION, Counter, CounterState, Hooks, PythonHooks
from hil.errors import CacheError
from hil.resources import cache_dir

_SOURCES = Path(__file__).resolve().parent
_FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared")


def compiler() -> str | None:
    """The host's C compiler: CC where it is set, else cc, gcc or clang, whichever is there."""
    names = [os.environ["CC"]] if os.environ.get("CC") else ["cc", "gcc", "clang"]
    return next((found for name in names if (found := shutil.which(name))), None)


def build(folder: Path, command: str) -> Path | None:
    """The compiled library in `folder`, compiled if need be; None where the compiler cannot."""
    texts = [(_SOURCES / name).read_bytes() for name in ("counter.h", "counter.c")]
    key = hashlib.sha256(
        b"\0".join([*texts, " ".join(_FLAGS).encode(), sys.platform.encode(), _machine()])
    ).hexdigest()[:16]
    library = folder / f"counter-{key}.so"
    if library.exists():
        return library
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / library.name
        done = subprocess.run(
            [command, *_FLAGS, "-o", str(fresh), str(_SOURCES / "counter.c")],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return None
        fresh.replace(library)  # atomic: two processes may do this at once
    return library


def _machine() -> bytes:
    return os.uname().machine.encode() if hasattr(os, "uname") else b""


class NativeHooks:
    """The counter in C, given to Unicorn as plain function pointers."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.hil_counter_size.restype = ctypes.c_uint32
        if self._library.hil_counter_size() != ctypes.sizeof(CounterState):
            raise OSError(f"{library}: its counter has another layout than hil/emulator/counter.py")

    def attach(self, counter: Counter, engine: Any) -> None:
        from unicorn import UC_HOOK_BLOCK, UC_HOOK_MEM_READ
        from unicorn.unicorn_py3.unicorn import uclib

        state = counter.state
        callback = UNKNOWN_FUNCTION(counter.on_unknown)
        state.on_unknown = ctypes.cast(callback, ctypes.c_void_p)
        state.emu_stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p)
        flash_end = state.flash_base + state.flash_bytes
        for kind, function, begin, end in (
            (UC_HOOK_BLOCK, self._library.hil_counter_on_block, 1, 0),
            (UC_HOOK_MEM_READ, self._library.hil_counter_on_flash_read, state.flash_base, flash_end - 1),
        ):
            handle = ctypes.c_size_t()
            error = uclib.uc_hook_add(
                engine._uch,
                ctypes.byref(handle),
                kind,
                ctypes.cast(function, ctypes.c_void_p),
                ctypes.cast(ctypes.pointer(state), ctypes.c_void_p),
                ctypes.c_uint64(begin),
                ctypes.c_uint64(end),
            )
            if error:
                raise OSError(f"Unicorn refused the hook: error {error}")
        counter.keep_alive = callback


@cache
def hooks() -> Hooks:
    """The counter in C where the host can compile it, else the slow one in Python."""
    command = compiler()
    if command is None:
        return PythonHooks()
    try:
        library = build(cache_dir("emulator"), command)
        return NativeHooks(library) if library is not None else PythonHooks()
    except (OSError, CacheError):
        return PythonHooks()
