"""Option tables: frozen dataclasses whose fields are checked against their annotations.

The same class serves a study file and Python: a value that does not fit is refused at construction, with the
key, what was received and what was expected.  Bounds stand in the annotation:
``epochs: Annotated[int, Bounds(at_least=1)] = 12``.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar, cast

from search.errors import BadConfig


class BadOption(BadConfig):
    """An option that is unknown, missing or wrong.

    Args:
        key: way to the option from where it was looked up, e.g. ("space", "filters").
        near: the part of the value that is to blame, as it stands in the study file.
    """

    def __init__(
        self, key: tuple[str, ...], message: str, *, remedy: str | None = None, near: str | None = None
    ) -> None:
        super().__init__(f"{'.'.join(key)}: {message}" if key else message, remedy=remedy)
        self.key = key
        self.detail = message
        self.near = near

    def below(self, *prefix: str) -> BadOption:
        """The same error, seen from further up."""
        return BadOption((*prefix, *self.key), self.detail, remedy=self.remedy, near=self.near)


@dataclass(frozen=True)
class Bounds:
    """Limits of a number, or of how many items a list holds.  None: no limit on that side."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def hold(self, value: float) -> bool:
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        signs = ((">=", self.at_least), (">", self.above), ("<=", self.at_most), ("<", self.below))
        return " and ".join(f"{sign} {limit:g}" for sign, limit in signs if limit is not None)


@dataclass(frozen=True)
class Options:
    """Base of all option tables.  Lists become tuples and whole numbers floats where the annotation says so.

    Raises:
        BadOption: a value of wrong type or out of its bounds.
    """

    def __post_init__(self) -> None:
        for name, hint in _hints(cast(Any, type(self))).items():
            object.__setattr__(self, name, _fitted(name, getattr(self, name), hint))

    def to_dict(self) -> dict[str, Any]:
        """Plain values with the defaults filled in; tuples become lists, as JSON and TOML have them."""
        return cast(dict[str, Any], _plain(asdict(self)))


Table = TypeVar("Table", bound=Options)


def build(table: type[Table], values: Mapping[str, Any]) -> Table:
    """Make an option table of what a user wrote.

    Args:
        table: the class to make.  Fields whose metadata say ``{"written": False}`` are no keys.
        values: key -> value, as TOML gives them.

    Raises:
        BadOption: unknown key (with the nearest known one), missing key, wrong value.
    """
    known = [field.name for field in fields(table) if field.metadata.get("written", True)]
    for key in values:
        if key not in known:
            raise BadOption((key,), "unknown key", remedy=nearest(key, known))
    for field in fields(table):
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise BadOption(
                (field.name,), f"missing; expected {expectation(_hints(cast(Any, table))[field.name])}"
            )
    return table(**values)


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt word: the nearest known ones, then all of them."""
    names = sorted(known)
    if not names:
        return "there are no options here: leave it out"
    close = difflib.get_close_matches(word, names, n=2, cutoff=0.55)
    guess = "did you mean " + " or ".join(f"'{name}'" for name in close) + "? " if close else ""
    return f"{guess}known: {', '.join(names)}"


def expectation(hint: Any) -> str:
    """An annotation in words, e.g. "a whole number >= 1"."""
    if typing.get_origin(hint) is typing.Annotated:
        base, *notes = typing.get_args(hint)
        bounds = " and ".join(str(note) for note in notes if isinstance(note, Bounds))
        if typing.get_origin(base) is tuple:
            return f"{expectation(base)}, number of items {bounds}"
        return f"{expectation(base)} {bounds}".rstrip()
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in arguments)
    if origin is tuple:
        return f"a list, each item {expectation(arguments[0])}"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(expectation(one) for one in arguments if one is not type(None))
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names.get(hint, "a table")


@lru_cache(maxsize=128)
def _hints(table: Any) -> dict[str, Any]:
    return typing.get_type_hints(table, include_extras=True)


def _fitted(key: str, value: Any, hint: Any) -> Any:
    """`value` as `hint` has it.  Raises BadOption."""
    try:
        return _convert(value, hint)
    except _Misfit as misfit:
        raise BadOption((key,), f"got {_shown(misfit.value)}, expected {expectation(misfit.hint)}") from None


class _Misfit(Exception):
    """The innermost value that does not fit, and what was expected there."""

    def __init__(self, value: Any, hint: Any) -> None:
        self.value = value
        self.hint = hint


def _convert(value: Any, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _bounded(value, hint)
    if origin in (types.UnionType, typing.Union):
        for one in arguments:
            with suppress(_Misfit):
                return _convert(value, one)
        raise _Misfit(value, hint)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple([_convert(item, arguments[0]) for item in value])
    if not _fits(value, hint):
        raise _Misfit(value, hint)
    return float(value) if hint is float else value


def _bounded(value: Any, hint: Any) -> Any:
    base, *notes = typing.get_args(hint)
    try:
        converted = _convert(value, base)
    except _Misfit as misfit:
        raise _Misfit(misfit.value, hint if misfit.hint == base else misfit.hint) from None
    size = len(converted) if isinstance(converted, tuple) else converted
    if not all(note.hold(size) for note in notes if isinstance(note, Bounds)):
        raise _Misfit(value, hint)
    return converted


def _fits(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return isinstance(value, str) and value in typing.get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _shown(value: Any) -> str:
    """As it would stand in a study file."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
