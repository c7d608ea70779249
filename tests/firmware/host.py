"""Generated models on the host, compiled by gcc with the address and undefined-behaviour sanitizers.

The kernels are compiled once and linked into one long-lived runner process; a model is a small shared object
that it loads, so that a Hypothesis example costs one gcc run of model.c and no more.  The runner lets each
operator touch nothing but its own inputs, output and scratch (host_runner/runner.c).

    with HostRunner() as runner:
        output = runner.run(generate(read(model)), data)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hil.program import Program
from hil.resources import firmware_dir

HERE = Path(__file__).parent / "host_runner"
KERNELS = firmware_dir() / "lib" / "kernels"
RUNTIME = firmware_dir() / "lib" / "runtime"

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Werror")
_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1")
_INCLUDE = (f"-I{KERNELS}", f"-I{RUNTIME}", f"-I{HERE}", "-DHIL_HOST")


class HostRunError(AssertionError):
    """The model did not compile, or a sanitizer stopped it; the text is what gcc or the sanitizer said."""


def compile_c(*arguments: str | Path, compiler: str = "gcc") -> None:
    """Run a compiler.

    Raises:
        HostRunError: it failed; warnings are errors.
    """
    done = subprocess.run([compiler, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise HostRunError(f"{compiler} failed:\n{done.stderr}")


class HostRunner:
    """Owns the runner process and the folder it works in.  Use it as a context manager."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hil-host-"))
        self._runner = self._folder / "runner"
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = self._folder / "stderr"
        compile_c(
            *("-std=gnu99", "-Wall", "-Wextra", "-O1", *_SANITIZE, *_INCLUDE, "-rdynamic"),
            *(HERE / "runner.c", *sorted(KERNELS.glob("*.c"))),
            *("-o", self._runner, "-ldl"),
        )

    def __enter__(self) -> HostRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self._folder)

    def run(self, program: Program, data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """One inference.

        Args:
            data: int8, as many elements as the model's input.

        Returns:
            The output, in the shape of the model's output.

        Raises:
            HostRunError: the sources did not compile without warnings, or a sanitizer found a fault.
        """
        library = self._compile(program)
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        tensor = program.graph.output_tensor
        try:
            process.stdin.write(os.fsencode(library) + b"\n" + data.astype(np.int8).tobytes())
            process.stdin.flush()
            output = process.stdout.read(tensor.size_bytes)
        except BrokenPipeError:
            output = b""
        library.unlink()
        if len(output) != tensor.size_bytes:
            self._stop()
            raise HostRunError(self._errors.read_text())
        return np.frombuffer(output, dtype=np.int8).reshape(tensor.shape)

    def _compile(self, program: Program) -> Path:
        model = self._folder / "model.c"
        for name, text in program.sources.items():
            (self._folder / name).write_text(text)
        with model.open("a") as file:
            file.write(regions(program))
        # A new name each time: the runner keeps each library open and would find it under its old name.
        library = Path(tempfile.mkstemp(suffix=".so", dir=self._folder)[1])
        compile_c(*WARNINGS, *_SANITIZE, *_INCLUDE, "-shared", "-fPIC", model, "-o", library)
        return library

    def _start(self) -> subprocess.Popen[bytes]:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [self._runner],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0"},
            )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with self._process:  # closes the pipes and waits
                pass
            self._process = None


def regions(program: Program) -> str:
    """C table of the arena bytes that each operator may touch, for host_runner/runner.c."""
    rows = []
    tensors = program.graph.tensors
    for operator in program.graph.operators:
        for index in (*operator.inputs, operator.output):
            if not tensors[index].is_constant:
                rows.append((operator.index, program.plan.offsets[index], tensors[index].size_bytes))
        if operator.index in program.plan.scratch:
            rows.append((operator.index, *program.plan.scratch[operator.index]))
    table = "".join(f"    {{{index}, {offset}, {size}}},\n" for index, offset, size in rows)
    return f'#include "regions.h"\nconst host_region host_regions[] = {{\n{table}    {{-1, 0, 0}}}};\n'
