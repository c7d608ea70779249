"""The committed table of device figures, benchmarks/device.json, against which `make test` holds the kernels.

Counts on the emulator are exact, so a figure that is more than 2 % worse is a change of the code, not noise.
They hold for one compiler: another one gives other code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mlperf_tiny import Figures
from hil.measurement import Measurement

PATH = Path(__file__).with_name("device.json")
ALLOWED = 0.02
COSTS = ("instructions", "cycles", "arena_bytes", "code_bytes", "weight_bytes")


@dataclass(frozen=True)
class Committed:
    """The table.

    Attributes:
        compiler: that the figures hold for, e.g. "arm-none-eabi-gcc 12.2.1".
        models: name -> figures.
    """

    compiler: str
    models: Mapping[str, Figures]


def compiler_of(m: Measurement) -> str:
    """The compiler that built what was measured."""
    return next(f"{tool} {version}" for tool, version in m.origin.tools.items() if tool.endswith("gcc"))


def load(path: Path = PATH) -> Committed:
    """Read the table."""
    data = json.loads(path.read_text())
    return Committed(data["compiler"], data["models"])


def save(compiler: str, models: Mapping[str, Figures], path: Path = PATH) -> None:
    """Write the table."""
    path.write_text(json.dumps({"compiler": compiler, "models": models}, indent=2) + "\n")


def worse(name: str, found: Figures, before: Figures) -> list[str]:
    """One line per figure that is more than 2 % worse than committed, and for an output that changed."""
    lines = []
    for cost in COSTS:
        now, then = int(found[cost]), int(before[cost])
        if now > then * (1 + ALLOWED):
            growth = f", {now / then - 1:+.1%}" if then else ""
            lines.append(f"{name}: {cost} {now:,}, committed {then:,}{growth}")
    if found["output_sha256"] != before["output_sha256"]:
        lines.append(f"{name}: another output, {found['output_sha256']}, committed {before['output_sha256']}")
    return lines
