"""Figures for people: the unit that reads best, three significant digits.  And sizes as people write them."""

from __future__ import annotations

import re

from hil.errors import InputError

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKmM]?)(?:i?[bB]|bytes)?")
_FREQUENCY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKmMgG]?)(?:[hH][zZ])?")


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


def frequency(hz: float) -> str:
    """84000000 -> "84MHz", 32768 -> "32.768kHz": exact, as `read_frequency` reads it."""
    for factor, unit in ((10**6, "MHz"), (10**3, "kHz")):
        if hz >= factor:
            return f"{hz / factor:.10g}{unit}"
    return f"{hz:.10g}Hz"


def read_frequency(text: str) -> int:
    """ "84 MHz", "84MHz", "84000000" -> 84000000.

    Raises:
        InputError: no frequency, or none of a whole number of Hz above 0.
    """
    match = _FREQUENCY.fullmatch(text.strip())
    factor = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[match["unit"].lower()] if match else 0
    hz = float(match["number"]) * factor if match else 0.0
    if hz < 1 or abs(hz - round(hz)) > 1e-6 * hz:
        raise InputError(f"'{text}' is no frequency", remedy="write Hz, or MHz behind the number: 84 MHz")
    return round(hz)


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
