"""SpaceHyperModel: a search space here as a HyperModel, for any tuner of KerasTuner.

    space = make_space("stages", {}, input_shape=(8, 8, 1), classes=10)
    tuner = kt.RandomSearch(SpaceHyperModel(space), objective="val_accuracy", ...)

All genes are declared at once, those that depend on others with the conditions that were learnt
(search/keras_tuner/tree.py); what a tuner's values leave open in some place is drawn, always alike for the
same values.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from search.keras_tuner.library import kt
from search.keras_tuner.tree import SAMPLES, Tree
from search.network import load_keras, model_of
from search.space.base import Architecture, Space
from search.space.walk import drawn


class SpaceHyperModel(kt.HyperModel):  # type: ignore[misc]  # it has no types
    """See the module.

    Args:
        space: any space, e.g. of `search.space.make_space`.
        learning_rate: of Adam.
        loss, metrics: what the model is compiled with; labels are class numbers.
        samples: how many architectures are looked at to learn which gene depends on which.
        seed: of these samples and of the initial weights.
    """

    def __init__(
        self,
        space: Space,
        *,
        learning_rate: float = 0.01,
        loss: str = "sparse_categorical_crossentropy",
        metrics: tuple[str, ...] = ("accuracy",),
        samples: int = SAMPLES,
        seed: int = 0,
    ) -> None:
        super().__init__(name=space.name)
        self._space = space
        self._learning_rate = learning_rate
        self._loss = loss
        self._metrics = metrics
        self._seed = seed
        self._tree = Tree(space, samples=samples, seed=seed)

    def declare_hyperparameters(self, hp: Any) -> None:
        """All genes, with their conditions."""
        hp.merge([decision.parameter() for decision in self._tree.decisions], overwrite=False)

    def build(self, hp: Any) -> Any:
        """The compiled model of the architecture that the values make."""
        self.declare_hyperparameters(hp)
        model = model_of(self._space, self.architecture(hp), seed=self._seed)
        keras = load_keras()
        optimizer = keras.optimizers.Adam(self._learning_rate)
        model.compile(optimizer, self._loss, metrics=list(self._metrics))
        return model

    def architecture(self, hp: Any) -> Architecture:
        """The architecture that the values of `hp` make."""
        active = {name: value for name, value in hp.values.items() if not name.startswith("tuner/")}
        text = repr(sorted(active.items()))
        rng = np.random.default_rng((self._seed, zlib.crc32(text.encode())))
        return self._tree.follow(active, drawn(rng))
