"""Constants of equal bytes are stored once, under the name that their first user gives them.

Operators that compute stripes of one layer have equal weights; layers of equal scales have equal factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hil.codegen.call import Call, Constant


def constant_names(calls: Sequence[Call]) -> dict[Constant, str]:
    """Each constant of each call -> the name of the C array that holds its bytes."""
    names: dict[Constant, str] = {}
    first: dict[tuple[str, bytes], str] = {}
    for call, constant in _constants(calls):
        key = (constant.data.dtype.str, constant.data.tobytes())
        names[constant] = first.setdefault(key, own_name(call, constant))
    return names


def own_name(call: Call, constant: Constant) -> str:
    """The name of a constant where it is the first with its bytes."""
    return f"op{call.operator}_{constant.name}"


def weight_bytes(calls: Sequence[Call]) -> int:
    """Flash that the constants of all calls take."""
    names = constant_names(calls)
    return sum(
        constant.data.nbytes
        for call, constant in _constants(calls)
        if names[constant] == own_name(call, constant)
    )


def _constants(calls: Sequence[Call]) -> Iterator[tuple[Call, Constant]]:
    return ((call, constant) for call in calls for constant in call.constants)
