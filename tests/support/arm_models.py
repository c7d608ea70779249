"""Generated models on the emulated board, as the product builds them, for a fraction of the time.

PlatformIO builds the first model and prints its commands.  Each further model costs only two of them, the one
that compiles model.c and the one that links; so the flags are those of the real build, whatever they are.

    runner = ArmRunner(folder)
    (output,) = runner.run(generate(read(model)), data)
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hil import toolchain
from hil.board import Board, load_board
from hil.devices.emulated import EmulatedTransport
from hil.emulator.open import open_machine
from hil.emulator.types import Emulator
from hil.firmware.environments import environment_of
from hil.firmware.template import load_template, project_files, write_files
from hil.link import Link
from hil.program import Program

Array = np.ndarray[Any, Any]

_MODEL = Path("src/model.c")
_BUILD_TIMEOUT_S = 600.0


class ArmBuildError(AssertionError):
    """The firmware did not build; the text is what the tools printed."""


class ArmRunner:
    """Owns one firmware project, in `folder`, and builds one model after the other in it."""

    def __init__(self, folder: Path, board_id: str = "nrf52840_dk") -> None:
        self._folder = folder
        self.board: Board = load_board(board_id)
        self._device = f"emulated:{board_id}"
        self._compile: list[str] = []
        self._link: list[str] = []

    def build(self, program: Program) -> Path:
        """The ELF file that runs `program`; the next call overwrites it.

        Raises:
            ArmBuildError: it does not compile without warnings, or does not link.
        """
        write_files(project_files(load_template(), program, self.board), self._folder)
        if not self._link:
            self._build_all()
        else:
            self._do(self._compile)
            self._do(self._link)
        return self._folder / _output(self._link)

    def run(self, program: Program, *inputs: Array) -> list[Array]:
        """One inference per input, one after the other, on one board, over its serial line.

        Args:
            inputs: int8, as many elements as the model's input.

        Returns:
            The outputs, in the shape of the model's output.

        Raises:
            ArmBuildError: see `build`.
            DeviceError: the board failed.
        """
        _, link = self._started(program)
        outputs = []
        for data in inputs:
            link.write_input(data.astype(np.int8).tobytes())
            link.run()
            output = np.frombuffer(link.read_output(), dtype=np.int8)
            outputs.append(output.reshape(program.graph.output_tensor.shape))
        return outputs

    def count(self, program: Program, data: bytes) -> tuple[int, bytes]:
        """Executed instructions of one inference, and its output.

        Raises:
            ArmBuildError, DeviceError: as `run`.
        """
        machine, link = self._started(program)
        link.write_input(data)
        link.run()
        output = link.read_output()
        assert machine.inference_instructions is not None
        return machine.inference_instructions, output

    def objects(self) -> list[Path]:
        """The object files of the model that was built last and of all kernels."""
        paths = [Path(argument) for argument in self._link if argument.endswith(".o")]
        return [self._folder / p for p in paths if p.name == "model.o" or p.parent.name == "kernels"]

    def _started(self, program: Program) -> tuple[Emulator, Link]:
        machine = open_machine(self.board, self._device)
        machine.load(self.build(program))
        link = Link(EmulatedTransport(machine, self._device), self._device)
        assert link.hello().model_digest == program.digest
        return machine, link

    def _build_all(self) -> None:
        environment = environment_of(self.board).name
        done = toolchain.run_platformio(
            ["run", "-v", "-e", environment], folder=self._folder, timeout_s=_BUILD_TIMEOUT_S
        )
        if done.returncode:
            raise ArmBuildError(done.stdout)
        prefix = f"{self.board.build.toolchain}gcc "
        commands = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith(prefix)]
        self._compile = _only([c for c in commands if c[-1] == str(_MODEL)], "compiles the model")
        self._link = _only([c for c in commands if "-c" not in c], "links")

    def _do(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, cwd=self._folder, env=toolchain.environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise ArmBuildError(f"{shlex.join(command)}\n{done.stderr}")


def _only(commands: Sequence[list[str]], what: str) -> list[str]:
    if len(commands) != 1:
        raise ArmBuildError(f"{len(commands)} commands of the build, expected 1 that {what}: {commands}")
    return commands[0]


def _output(command: Sequence[str]) -> str:
    return command[command.index("-o") + 1]
