"""Figures for people: the unit that reads best, three significant digits.  And sizes as people write them."""

from __future__ import annotations

import re

from hil.errors import InputError

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKmM]?)(?:i?[bB]|bytes)?")


def _scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    for factor, unit in steps:
        if abs(value) >= factor:
            return f"{_three_digits(value / factor)} {unit}"
    factor, unit = steps[-1]
    return f"{_three_digits(value / factor)} {unit}"


def _three_digits(value: float) -> str:
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"


def duration(latency_us: float) -> str:
    """3210.0 -> "3.21 ms"."""
    return _scaled(latency_us, ((1e6, "s"), (1e3, "ms"), (1.0, "us")))


def energy(energy_uj: float) -> str:
    """1234.0 -> "1.23 mJ"."""
    return _scaled(energy_uj, ((1e6, "J"), (1e3, "mJ"), (1.0, "uJ")))


def current(current_a: float) -> str:
    """0.0033 -> "3.30 mA"."""
    return _scaled(current_a, ((1.0, "A"), (1e-3, "mA"), (1e-6, "uA"), (1e-9, "nA")))


def size(size_bytes: float) -> str:
    """23456 -> "22.9 KiB"; below 1 KiB in bytes."""
    if abs(size_bytes) < 1024:
        return f"{size_bytes:.0f} B"
    return _scaled(size_bytes, ((1024.0 * 1024.0, "MiB"), (1024.0, "KiB")))


def read_size(text: str | int) -> int:
    """ "24 kB", "24k", "24576" -> 24576; k is 1024, as memories are specified.

    Raises:
        InputError: no size, or none above 0.
    """
    match = _SIZE.fullmatch(str(text).strip())
    factor = {"": 1, "k": 1024, "m": 1024 * 1024}[match["unit"].lower()] if match else 0
    size_bytes = int(float(match["number"]) * factor) if match else 0
    if size_bytes < 1:
        raise InputError(f"'{text}' is no size", remedy="write bytes, or kB or MB behind the number: 24 kB")
    return size_bytes


def count(value: float) -> str:
    """12501632 -> "12.5 M"."""
    if abs(value) < 1000:
        return f"{value:.0f}"
    return _scaled(value, ((1e9, "G"), (1e6, "M"), (1e3, "k")))
