"""Programs on QEMU's model of a Cortex-M4 board, with their executed instructions counted by QEMU itself.

The objects are those that the emulated board runs, compiled once, by the flags of the firmware; only start-up
code and linker script are QEMU's own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.resources import firmware_dir

QEMU = "qemu-system-arm"
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"needs {QEMU} (Debian: {QEMU})")

TICK_INSTRUCTIONS = 40  # 1 ns each with -icount shift=0; the timer's clock is 25 MHz
_HERE = Path(__file__).parent
_MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror")
_TIMEOUT_S = 600.0  # against a program that hangs


@dataclass(frozen=True)
class QemuRun:
    """One inference.

    Attributes:
        instructions: to within `TICK_INSTRUCTIONS`.
        output: bytes, for the input of `hil.bench.input_bytes`.
    """

    instructions: int
    output: bytes


def link(objects: list[Path], elf: Path) -> Path:
    """Objects of model and kernels -> a program for the board."""
    library = firmware_dir() / "lib"
    command = ["arm-none-eabi-gcc", *_MACHINE, *_WARNINGS, "-O2"]
    command += [f"-I{library / 'runtime'}", f"-I{library / 'kernels'}"]
    command += ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"]
    command += [f"-T{_HERE / 'mps2_an386.ld'}", str(_HERE / "main.c"), *map(str, objects), "-o", str(elf)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return elf


def run(elf: Path) -> QemuRun:
    """Run a program that `link` made."""
    command = [QEMU, "-M", "mps2-an386", "-icount", "shift=0", "-nographic", "-monitor", "none"]
    command += ["-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_S,
    )
    found = re.search(r"ticks ([0-9a-f]{8})\noutput ([0-9a-f]*)\n", done.stdout)
    assert found is not None, done.stdout
    return QemuRun(int(found[1], 16) * TICK_INSTRUCTIONS, bytes.fromhex(found[2]))
