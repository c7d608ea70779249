"""KerasTuner itself, imported without the chatter of TensorFlow; `kt` for all modules of this package."""

from __future__ import annotations

from search.network import load_keras

load_keras()  # first, as it silences what TensorFlow prints when it is loaded

import keras_tuner as kt  # noqa: E402

__all__ = ["kt"]
