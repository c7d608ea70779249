"""HyperParameters that ask: a HyperModel's `build(hp)` as a function that decides as it goes.

Each `hp.Choice`, `hp.Int`, `hp.Float`, `hp.Boolean` that is active becomes one question to `choose`
(search/space/walk.py), the first time that its name is asked for; `hp.Fixed` and whatever has one value is no
question.  Conditional scopes are KerasTuner's own: what is inactive is None and is not asked.

What can take very many values is asked with `levels` of them, evenly spaced as its `sampling` spaces them
(linear, log or reverse_log), both ends included:

| hyper-parameter                            | options                                             |
|--------------------------------------------|-----------------------------------------------------|
| Choice, Boolean                            | its values                                          |
| Int, Float with a step                     | all steps, as KerasTuner counts them                |
| Int without a step, at most `levels` whole | all whole numbers                                   |
| Int without a step, more than that         | `levels` of them, rounded to whole numbers          |
| Float without a step                       | `levels` of them, rounded to 6 digits               |

An Int with step=1 is one without a step: KerasTuner does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from search.keras_tuner.library import kt
from search.space.base import Value
from search.space.options import BadOption
from search.space.walk import Choose

LEVELS = 16
_READABLE = "/_-+:,;()[]{}<>|!?*&^$#@~'"  # what may stand in a text as it is, beside letters, digits and dots


def gene_of(name: str) -> str:
    """A hyper-parameter's name as a gene: scopes become parts ("stem/filters" is "stem.filters"); blanks and
    equal signs, which have a meaning in an architecture's text, are escaped."""
    return quote(name, safe=_READABLE).replace("/", ".")


def values_of(parameter: Any, levels: int = LEVELS) -> tuple[Any, ...]:
    """The values that a hyper-parameter may take here, in its order, each once; see the table above.

    Args:
        parameter: a `keras_tuner` hyper-parameter.
        levels: how many, at most, where nothing else says how many.
    """
    hp_types = kt.engine.hyperparameters
    if isinstance(parameter, hp_types.Int):
        values: Iterable[Any] = _whole_numbers(parameter, levels)
    elif isinstance(parameter, hp_types.Float):
        values = [float(f"{value:.6g}") for value in _numbers(parameter, levels)]
    elif isinstance(parameter, hp_types.Boolean):
        values = (False, True)
    else:
        values = parameter.values
    return tuple(dict.fromkeys(values))


def labels_of(values: Sequence[Any]) -> tuple[Value, ...]:
    """The same values as options of a gene: texts without blanks; numbers whose short form is ambiguous as
    texts with all digits."""
    if any(isinstance(value, float) for value in values):
        short = len({f"{value:g}" for value in values}) == len(values)
        return tuple(values) if short else tuple(repr(value) for value in values)
    return tuple(quote(value, safe=_READABLE) if isinstance(value, str) else value for value in values)


class AskingHyperParameters(kt.HyperParameters):  # type: ignore[misc]  # it has no types
    """See the module.

    Args:
        choose: decides a gene.
        levels: see the table of the module.
        held: names of hyper-parameters that stay at their default and are not asked for.
    """

    def __init__(self, choose: Choose, *, levels: int = LEVELS, held: Sequence[str] = ()) -> None:
        super().__init__()
        self._choose = choose
        self._levels = levels
        self._held = frozenset(held)
        self._names: dict[str, str] = {}

    def copy(self) -> Any:
        """One that asks no more, as `HyperModel(tunable=False)` wants it: new entries take their default."""
        plain = kt.HyperParameters()
        plain.merge(self.space)
        plain.values = dict(self.values)
        return plain

    def _retrieve(self, hp: Any) -> Any:
        # Choice, Int, Float, Boolean and Fixed all end here, with names and conditions complete.
        if hp.name not in self.values and self.is_active(hp):
            self.values[hp.name] = hp.default if hp.name in self._held else self._asked(hp)
        return super()._retrieve(hp)

    def _asked(self, hp: Any) -> Any:
        gene = gene_of(hp.name)
        other = self._names.setdefault(gene, hp.name)
        if other != hp.name:
            raise BadOption(
                ("hypermodel",),
                f"the hyper-parameters '{other}' and '{hp.name}' are both read as '{gene}'",
                remedy="rename one of them",
            )
        values = values_of(hp, self._levels)
        labels = labels_of(values)
        return values[labels.index(self._choose(gene, labels))]


def _whole_numbers(parameter: Any, levels: int) -> list[int]:
    low, high, step = parameter.min_value, parameter.max_value, parameter.step
    if step is not None and (step != 1 or high - low < levels):
        return [int(value + 1e-9) for value in parameter.values]
    if high - low < levels:
        return list(range(low, high + 1))
    return [round(value) for value in _spread(low, high, parameter.sampling, levels)]


def _numbers(parameter: Any, levels: int) -> list[float]:
    if parameter.step is not None:
        return list(parameter.values)
    if parameter.min_value == parameter.max_value:
        return [parameter.min_value]
    return _spread(parameter.min_value, parameter.max_value, parameter.sampling, levels)


def _spread(low: float, high: float, sampling: str, count: int) -> list[float]:
    """`count` numbers from `low` to `high`, both included, at equal steps of KerasTuner's probability."""
    shares = [index / (count - 1) for index in range(count)]
    if sampling == "log":
        return [low * (high / low) ** share for share in shares]
    if sampling == "reverse_log":
        return [high + low - low * (high / low) ** (1 - share) for share in shares]
    return [low + (high - low) * share for share in shares]
