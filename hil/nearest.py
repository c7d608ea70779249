"""The nearest known names to a mistyped one, for remedies of errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """Up to `count` of `known` that resemble `name`, best first; empty where none does.

    Example:
        nearest("nrf52840dk", ["nano33ble", "nrf52840_dk"]) == ["nrf52840_dk"]
    """
    lower = {candidate.lower(): candidate for candidate in known}
    return [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=count, cutoff=0.5)]


def did_you_mean(name: str, known: Iterable[str], *, all_of_them: str) -> str:
    """A remedy: the nearest names, or all names where none is near.

    Args:
        all_of_them: what the list of all names is called, e.g. "known boards".
    """
    names = sorted(known)
    close = nearest(name, names)
    if close:
        return f"did you mean {' or '.join(close)}? ({all_of_them}: {', '.join(names)})"
    return f"{all_of_them}: {', '.join(names) or 'none'}"
