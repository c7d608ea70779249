"""The MLPerf Tiny reference models on the emulated nRF52840, and what is kept of a measurement.

The input is that of every measurement: byte k = ((73 k + 41) mod 256) - 128.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import hil
from hil.bench import BenchSettings
from hil.measurement import Measurement

DEVICE = "emulated:nrf52840_dk"
MODELS = ("kws", "ic", "vww", "ad")
FOLDER = Path("../shared/models")

#: As `hilnas measure --per-layer` does it.
SETTINGS = BenchSettings(per_layer=True)

#: One model's figures: see `figures`.
Figures: TypeAlias = dict[str, int | str]


def present(folder: Path) -> dict[str, Path]:
    """The reference models that are in `folder`, name -> file."""
    paths = {name: folder / f"{name}.tflite" for name in MODELS}
    return {name: path for name, path in paths.items() if path.is_file()}


def measure(model: Path | bytes) -> Measurement:
    """One model on the emulated board, with its layers."""
    return hil.measure(model, device=DEVICE, settings=SETTINGS)


def figures(m: Measurement) -> Figures:
    """What is kept of a measurement."""
    return {
        "instructions": m.instructions or 0,
        "cycles": m.cycles,
        "arena_bytes": m.arena_bytes,
        "code_bytes": m.code_bytes,
        "weight_bytes": m.weight_bytes,
        "output_sha256": m.check.output_digest,
    }


def write(path: Path, found: Mapping[str, Figures]) -> None:
    """Model -> figures, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"written to {path}")


def none_there(folder: Path, command: str) -> str:
    """What to say where no model is found."""
    names = ", ".join(f"{name}.tflite" for name in MODELS)
    return f"no model in {folder}; expected {names}: {command} MODELS=DIR"
