"""HyperModelSpace: a KerasTuner HyperModel as a Space, searched by every strategy with figures of a board.

`build(hp)` is run with one answer or another (search/keras_tuner/asking.py), so sampling, mutation,
crossover, distance, paths and text are those of every space of decisions.  Only what `build` asks for is one:
`for i in range(hp.Int("depth", 1, 3)): hp.Int(f"filters_{i}", ...)` has as many genes as there are layers,
with or without `conditional_scope`.

Each new combination of answers costs one run of `build` (some 20 to 50 ms); questions and ends are kept, so
that no combination is built twice to be walked.  `build` must ask the same questions for the same answers.

A combination for which `build` raises, or returns what a study cannot use, is an architecture like others:
its cost is 0, and its trial ends as infeasible with the message when the model is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from search.errors import BadArchitecture
from search.keras_tuner.asking import LEVELS, AskingHyperParameters
from search.keras_tuner.building import checked, seeded, with_softmax_apart
from search.keras_tuner.library import kt
from search.keras_tuner.loading import KEY, digest_of, hypermodel_of, load
from search.keras_tuner.traced_cost import traced_cost
from search.network import CannotBuild
from search.space.base import Architecture, Choice, Cost, Value
from search.space.cost import INPUT
from search.space.decisions import DecisionSpace
from search.space.layers import Layer
from search.space.options import BadOption
from search.space.walk import Choose, Option, inherited

NOTHING_KNOWN = Cost(0, 0, 0, 0, 0)
_MOST_NODES = 200_000  # of the tree that are kept


@dataclass(frozen=True)
class HyperModelNetwork(Layer):
    """All of a HyperModel's network as one layer: nothing but `keras_model` knows what is in it.

    Attributes:
        genes: gene -> what it became, for each answer.
        fault: why there is no model; empty where there is one.
    """

    genes: tuple[tuple[str, Value], ...]
    fault: str = ""


class HyperModelSpace(DecisionSpace):
    """See the module.

    Args:
        hypermodel: class, instance or function `build(hp)`; a class is called with those of `input_shape`,
            `classes` and `num_classes` that it names.
        input_shape: of one sample: (height, width, channels).
        classes: how many numbers the network gives.
        levels: how many values of an Int or Float without a step are offered (search/keras_tuner/asking.py).
        hold: names of hyper-parameters that stay at their default, such as a learning rate.
        digest: of the file that `hypermodel` comes from; by default of its own source.

    Raises:
        BadOption: it cannot be used, or `build` fails for its default values.

    Example:
        space = HyperModelSpace(build, input_shape=(8, 8, 1), classes=10)
        space.sample(np.random.default_rng(0))
    """

    name = "keras_tuner"

    def __init__(
        self,
        hypermodel: Any,
        *,
        input_shape: tuple[int, ...],
        classes: int,
        levels: int = LEVELS,
        hold: Sequence[str] = (),
        digest: str | None = None,
    ) -> None:
        super().__init__(input_shape=input_shape, classes=classes)
        self.digest = digest or digest_of(hypermodel)
        self._hypermodel = hypermodel_of(hypermodel, input_shape=self.input_shape, classes=classes)
        self._called = getattr(self._hypermodel, "name", None) or type(self._hypermodel).__name__
        self._levels = levels
        self._held = tuple(hold)
        self._tree: dict[tuple[int, ...], Choice | HyperModelNetwork] = {}
        self._cost_of = lru_cache(maxsize=20_000)(self._counted)
        self._must_build()

    def decode(self, choose: Choose) -> Iterable[Layer]:
        """One layer that stands for the whole network."""
        asked: list[Choice] = []
        path: tuple[int, ...] = ()
        while isinstance(node := self._tree.get(path), Choice):
            asked.append(node)
            path = (*path, node.options.index(choose(node.gene, node.options)))
        yield self._explored(asked, path, choose) if node is None else node

    def cost(self, architecture: Architecture) -> Cost:
        """Of the traced model, see `search/keras_tuner/traced_cost.py`; 0 where there is none.

        Takes some 0.1 s, the first time.
        """
        self.way(architecture)
        return self._cost_of(architecture)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Genes of one scope ("stem/...") or of one number ("filters_2", "kernel_2") come from one parent,
        every other gene by itself."""
        parents: tuple[Mapping[str, Value], Mapping[str, Value]] = (self.way(a).genes, self.way(b).genes)
        turned: dict[str, bool] = {}

        def pick(choice: Choice) -> int:
            number = re.search(r"\d+", choice.kind)
            part = choice.part or (number.group() if number else choice.gene)
            if part not in turned:
                turned[part] = bool(rng.integers(2))
            return inherited(choice, parents[::-1] if turned[part] else parents, rng)

        return self._walked(pick)

    def keras_model(self, architecture: Architecture, *, seed: int) -> Any:
        """See `search.network.BuildsModel`.

        Raises:
            CannotBuild: `build` raises for these answers, or returns what a study cannot use.
        """
        answer = _answers(self.way(architecture).genes)
        with seeded(seed):
            try:
                return with_softmax_apart(self._checked(self._run(answer)))
            except BadArchitecture:
                raise
            except Exception as error:  # whatever the user's code raises
                raise CannotBuild(self._fault(error)) from error

    def hyperparameters(self, architecture: Architecture) -> Any:
        """The `keras_tuner.HyperParameters` that make this architecture, for the user's own code."""
        answer = _answers(self.way(architecture).genes)
        hp = AskingHyperParameters(answer, levels=self._levels, held=self._held)
        self._build(hp)
        return hp.copy()

    # How it is done

    def _explored(self, asked: list[Choice], path: tuple[int, ...], choose: Choose) -> HyperModelNetwork:
        """Run `build`, answering as `path` does first, and note what it asks for and how it ends."""
        if len(self._tree) > _MOST_NODES:
            self._tree.clear()
        steps = list(path)
        refused: list[BaseException] = []
        position = 0

        def ask(gene: str, options: Sequence[Option]) -> Option:
            nonlocal position
            if len(options) == 1:
                return options[0]
            if position == len(asked):
                asked.append(Choice(gene, tuple(options)))
                self._tree[tuple(steps)] = asked[-1]
                try:
                    steps.append(options.index(choose(gene, options)))
                except BaseException as error:
                    refused.append(error)
                    raise
            known = asked[position]
            if (known.gene, known.options) != (gene, tuple(options)):
                raise _Inconstant(f"it asks for {gene} where it asked for {known.gene} before")
            position += 1
            return options[steps[position - 1]]

        fault = ""
        with seeded(0):
            try:
                self._checked(self._run(ask))
            except BadOption:
                raise
            except Exception as error:  # whatever the user's code raises
                fault = self._fault(error)
        if refused:  # even where the user's code has swallowed it
            raise refused[0]
        genes = tuple([(c.gene, c.options[step]) for c, step in zip(asked, steps, strict=True)])
        network = HyperModelNetwork("network", (INPUT,), genes, fault)
        self._tree[tuple(steps)] = network
        return network

    def _run(self, choose: Choose) -> Any:
        return self._build(AskingHyperParameters(choose, levels=self._levels, held=self._held))

    def _build(self, hp: Any) -> Any:
        declare = getattr(self._hypermodel, "declare_hyperparameters", None)
        if declare is not None:
            declare(hp)
        return self._hypermodel.build(hp)

    def _checked(self, model: Any) -> Any:
        return checked(model, name=self._called, input_shape=self.input_shape, classes=self.classes)

    def _fault(self, error: Exception) -> str:
        if isinstance(error, CannotBuild):
            return error.message
        return f"{self._called} raised {type(error).__name__}: {error}"[:2000]

    def _counted(self, architecture: Architecture) -> Cost:
        try:
            return traced_cost(self.keras_model(architecture, seed=0))
        except Exception:  # then nothing is known; the stage that wants the model tells why
            return NOTHING_KNOWN

    def _must_build(self) -> None:
        """A HyperModel that fails for its defaults is a mistake in the set-up, as it is in KerasTuner."""
        with seeded(0):
            try:
                self._checked(self._build(kt.HyperParameters()))
            except Exception as error:
                raise BadOption(
                    KEY,
                    f"with all hyper-parameters at their defaults, {self._fault(error)}",
                    remedy=getattr(error, "remedy", None)
                    or "try it by itself: import keras_tuner; build(keras_tuner.HyperParameters())",
                ) from error


def _answers(genes: Mapping[str, Any]) -> Choose:
    """Answers as an architecture says."""

    def answer(gene: str, options: Sequence[Option]) -> Option:
        return options[0] if len(options) == 1 else options[options.index(genes[gene])]

    return answer


class _Inconstant(Exception):
    """A HyperModel that asks other questions for the same answers."""


def make(
    hypermodel: str,
    *,
    input_shape: tuple[int, ...],
    classes: int,
    levels: int,
    hold: Sequence[str],
    folder: Path | None,
) -> HyperModelSpace:
    """The space of a study file (search/space/hypermodel.py)."""
    subject, digest = load(hypermodel, folder)
    return HyperModelSpace(
        subject, input_shape=input_shape, classes=classes, levels=levels, hold=hold, digest=digest
    )
