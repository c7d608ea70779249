"""The MLPerf Tiny reference models on the emulated nRF52840: output digests, cycles, instructions, bytes.

Run: make golden            writes build/golden.json and prints it as a table.
The input is that of every measurement: byte k = ((73 k + 41) mod 256) - 128.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

import hil

DEVICE = "emulated:nrf52840_dk"
MODELS = ("kws", "ic", "vww", "ad")


def main(folder: Path) -> int:
    present = [name for name in MODELS if (folder / f"{name}.tflite").is_file()]
    if not present:
        names = ", ".join(f"{name}.tflite" for name in MODELS)
        print(f"no model in {folder}; expected {names}: make golden MODELS=DIR")
        return 2
    console = Console()
    if not console.is_terminal:
        console.width = 110  # a file or a log takes the table whole
    found: dict[str, dict[str, object]] = {}
    table = Table(title=f"MLPerf Tiny models on {DEVICE} (emulated figures)")
    table.add_column("model")
    table.add_column("output SHA-256", no_wrap=True)
    for heading in ("instructions", "cycles", "cycles/MAC", "arena", "code", "weights"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in present:
        m = hil.measure(folder / f"{name}.tflite", device=DEVICE)
        found[name] = {
            "output_sha256": m.check.output_digest,
            "cycles": m.cycles,
            "instructions": m.instructions,
            "arena_bytes": m.arena_bytes,
            "code_bytes": m.code_bytes,
            "weight_bytes": m.weight_bytes,
        }
        table.add_row(
            name,
            m.check.output_digest[:16],
            f"{m.instructions:,}",
            f"{m.cycles:,}",
            f"{m.cycles / m.macs:.2f}",
            f"{m.arena_bytes:,}",
            f"{m.code_bytes:,}",
            f"{m.weight_bytes:,}",
        )
    target = Path("build/golden.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n")
    console.print(table)
    print(f"written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/models")))
