"""What stands behind a meter's name: "PORT,key=value,...", e.g. "/dev/ttyACM1,source=3.0"."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hil.errors import BadDevice
from hil.nearest import did_you_mean


@dataclass(frozen=True)
class Argument:
    """What was written: the place ("" where none was named), and numbers by name."""

    place: str
    numbers: dict[str, float]


def read_argument(meter: str, text: str, known: Collection[str]) -> Argument:
    """Take `text` apart.

    Raises:
        BadDevice: an option that the meter does not know, or no number.
    """
    place, numbers = "", {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            if place:
                raise BadDevice(f"meter '{meter}:{text}' names two places", remedy="name one")
            place = part
            continue
        if key not in known:
            raise BadDevice(
                f"'{key}' is no option of the meter '{meter}'",
                remedy=did_you_mean(key, known, all_of_them="options"),
            )
        try:
            numbers[key] = float(int(value, 0)) if value.lower().startswith("0x") else float(value)
        except ValueError as error:
            raise BadDevice(
                f"{key}={value} of the meter '{meter}' is no number", remedy=f"write {key}=NUMBER"
            ) from error
    return Argument(place, numbers)
