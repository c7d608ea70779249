"""The firmware core on the host: compiled by gcc with sanitizers, in lock step with the test."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from types import TracebackType

from hil.resources import firmware_dir
from tests.firmware.host import WARNINGS, compile_c

HERE = Path(__file__).parent
PROTOCOL = firmware_dir() / "lib" / "protocol"
KERNELS = firmware_dir() / "lib" / "kernels"
RUNTIME = firmware_dir() / "lib" / "runtime"
PORT = firmware_dir() / "lib" / "port"
MLPERF = firmware_dir() / "lib" / "mlperf"
MAIN = firmware_dir() / "src" / "main.c"

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O1")
STRICT = (*WARNINGS, "-Wconversion", "-Wshadow", "-Wundef")
_INCLUDE = tuple(f"-I{folder}" for folder in (KERNELS, PROTOCOL, RUNTIME, MLPERF, PORT, HERE))
_SIZE = struct.Struct("=I")


def build_frame_driver(folder: Path, *, max_payload: int) -> Path:
    """Compile frame_driver.c and what it drives."""
    program = folder / f"frame_driver_{max_payload}"
    compile_c(
        *STRICT,
        *SANITIZE,
        *_INCLUDE,
        f"-DHIL_MAX_PAYLOAD={max_payload}",
        HERE / "frame_driver.c",
        PROTOCOL / "hil_frame.c",
        "-o",
        program,
    )
    return program


def build_runtime(folder: Path, **defines: int) -> Path:
    """Compile main.c, runtime and protocol for the host, with tiny_model.c and host_port.c.

    Args:
        defines: preprocessor symbols, e.g. HIL_MAX_PAYLOAD=64; HIL_MLPERF=1 brings the text commands.
    """
    program = folder / "_".join(["runtime", *(f"{name}{value}" for name, value in defines.items())])
    symbols = [f"-D{name}={value}" for name, value in defines.items()]
    objects = []
    core = (MAIN, *sorted(RUNTIME.glob("*.c")), PROTOCOL / "hil_frame.c")
    text = sorted(MLPERF.glob("*.c")) if "HIL_MLPERF" in defines else []
    for source in (*core, *text):
        objects.append(folder / f"{program.name}_{source.stem}.o")
        compile_c(*STRICT, *SANITIZE, *_INCLUDE, *symbols, "-c", source, "-o", objects[-1])
    test_side = (HERE / "host_port.c", HERE / "tiny_model.c")
    compile_c("-std=gnu11", "-Wall", *SANITIZE, *_INCLUDE, *symbols, *test_side, *objects, "-o", program)
    return program


def build_text_driver(folder: Path) -> Path:
    """Compile text_driver.c and what it drives."""
    program = folder / "text_driver"
    sources = (HERE / "text_driver.c", MLPERF / "hil_mlperf_text.c")
    compile_c(*STRICT, *SANITIZE, *_INCLUDE, *sources, "-o", program)
    return program


class RuntimeProcess:
    """The firmware core in a process of its own.  Use it as a context manager, which checks its end.

    Raises:
        AssertionError: the process did not end well; the text is what a sanitizer said.
    """

    def __init__(self, program: Path) -> None:
        self._errors = program.with_suffix(".stderr")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )

    def feed(self, data: bytes) -> bytes:
        """Let `data` reach the firmware; return all that it sends until it has nothing left to read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(_SIZE.pack(len(data)) + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail()
        head = self._process.stdout.read(_SIZE.size)
        if len(head) != _SIZE.size:
            self._fail()
        return self._process.stdout.read(_SIZE.unpack(head)[0])

    def _fail(self) -> None:
        self._process.wait()
        raise AssertionError(f"ended with {self._process.returncode}:\n{self._errors.read_text()}")

    def __enter__(self) -> RuntimeProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:  # closes the pipes, and waits
            pass
        if kind is None and self._process.returncode != 0:
            self._fail()
