"""KerasTuner both ways (docs/keras-tuner.md).

Out: an existing KerasTuner script becomes hardware-in-the-loop with two changed lines.

    from search import keras_tuner as kt                  # instead of: import keras_tuner as kt

    tuner = kt.RandomSearch(build_model, objective="val_accuracy", max_trials=10,
                            device="simulated:nrf52840_dk", constraints=["latency_us <= 20 ms"])

`RandomSearch`, `BayesianOptimization`, `Hyperband`, `GridSearch` and `Tuner` are those of KerasTuner with
`hardware` around them; every other name of `keras_tuner` is the library's own.

In: `HyperModelSpace`, `StrategyOracle`, `SpaceHyperModel`; and in study files the space and the strategy
called "keras_tuner".

Names are loaded when they are used: `import search.keras_tuner` loads neither TensorFlow nor KerasTuner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.keras_tuner.oracle import StrategyOracle
    from search.keras_tuner.space import HyperModelSpace
    from search.keras_tuner.space_model import SpaceHyperModel
    from search.keras_tuner.tuner import hardware

__all__ = ["HyperModelSpace", "SpaceHyperModel", "StrategyOracle", "hardware"]

_HOMES = {
    "HyperModelSpace": "search.keras_tuner.space",
    "SpaceHyperModel": "search.keras_tuner.space_model",
    "StrategyOracle": "search.keras_tuner.oracle",
    "hardware": "search.keras_tuner.tuner",
}
_WITH_HARDWARE = ("RandomSearch", "BayesianOptimization", "Hyperband", "GridSearch", "Tuner")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name.startswith("_"):
        raise AttributeError(f"module 'search.keras_tuner' has no attribute '{name}'")
    library = import_module("search.keras_tuner.library").kt
    try:
        found = getattr(library, name)
    except AttributeError:
        raise AttributeError(
            f"neither 'search.keras_tuner' nor KerasTuner has an attribute '{name}'"
        ) from None
    if name in _WITH_HARDWARE:
        return import_module("search.keras_tuner.tuner").hardware(found)
    return found
