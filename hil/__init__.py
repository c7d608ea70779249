"""Models on microcontrollers: compile, build, flash and measure, on a real, an emulated or a simulated board.

    import hil

    measurement = hil.measure("model.tflite", device="emulated:nrf52840_dk", per_layer=True)
    print(measurement.latency_us, measurement.ram_bytes, measurement.origin.provenance)

The names below are loaded when they are first used, so that `import hil` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.api import compile_model, measure, plans
    from hil.bench import BenchSettings, bench
    from hil.board import Board, list_boards, load_board
    from hil.devices import attached, open_device
    from hil.errors import HilError
    from hil.measurement import Measurement, Provenance

_HOME = {
    "BenchSettings": "hil.bench",
    "Board": "hil.board",
    "HilError": "hil.errors",
    "Measurement": "hil.measurement",
    "Provenance": "hil.measurement",
    "attached": "hil.devices",
    "bench": "hil.bench",
    "compile_model": "hil.api",
    "list_boards": "hil.board",
    "load_board": "hil.board",
    "measure": "hil.api",
    "open_device": "hil.devices",
    "plans": "hil.api",
}

__all__ = [
    "BenchSettings",
    "Board",
    "HilError",
    "Measurement",
    "Provenance",
    "attached",
    "bench",
    "compile_model",
    "list_boards",
    "load_board",
    "measure",
    "open_device",
    "plans",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hil' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
