"""Flash wear: how often each board was erased, what its maker rates it for, and when to warn and to refuse.

One flash counts as one erase cycle of the pages that it fills.  It is counted before it starts, so that no
crash loses one; that it ended is noted afterwards, so that an image whose writing was cut short is known for
what it is.  Counts are of this user on this computer: what others did to a board is not known here.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Protocol

from hil.board import Board
from hil.devices.discover import Port, is_url
from hil.devices.lock import board_key
from hil.errors import FlashWorn, HilWarning
from hil.protocol import Info

WARN_SHARE = 0.5
REFUSE_SHARE = 0.9
VARIABLE = "HILNAS_ALLOW_WORN"
"""Environment variable: "1" flashes boards beyond REFUSE_SHARE of their rating as well."""

_NOT_A_UNIT = (bytes(8), b"EMULATED", b"SIMULATE")


class FlashWearWarning(HilWarning):
    """A board has used up half of the erase cycles that its flash is rated for."""


class WearCounter(Protocol):
    """Counts flashes per board.  `hil.devices.wear_store.WearStore` is the real one."""

    def cycles(self, unit: str) -> int:
        """Flashes begun so far."""

    def begin(self, unit: str, place: str) -> int:
        """A flash of `unit` begins, at `place`: the count with this one, which is on the disk by then."""

    def finish(self, unit: str) -> None:
        """The flash that was begun last has ended well."""

    def was_cut_short(self, unit: str) -> bool:
        """Whether the flash begun last has not ended well: what the board holds is anybody's guess."""

    def unit_at(self, place: str) -> str | None:
        """The unit that was flashed last at `place`."""

    def merge(self, unit: str, into: str) -> None:
        """`unit` has turned out to be `into`: their counts are added up."""


class NoWear:
    """Of an emulated board, which has no flash that wears."""

    def cycles(self, unit: str) -> int:
        return 0

    def begin(self, unit: str, place: str) -> int:
        return 0

    def finish(self, unit: str) -> None:
        pass

    def was_cut_short(self, unit: str) -> bool:
        return False

    def unit_at(self, place: str) -> str | None:
        return None

    def merge(self, unit: str, into: str) -> None:
        pass


@dataclass(frozen=True)
class Wear:
    """How worn a board is: erase cycles so far, and what the maker rates a page for."""

    cycles: int
    endurance_cycles: int

    @property
    def share(self) -> float:
        """Of the rating, 1.0 is all of it."""
        return self.cycles / self.endurance_cycles

    def __str__(self) -> str:
        return f"{self.cycles:,} of {self.endurance_cycles:,} rated erase cycles ({self.share:.0%})"


def unit_of(port: Port, board: Board, info: Info | None, counter: WearCounter) -> str:
    """What the flashes of the board at `port` are counted under.

    The USB serial number; where there is none (behind a URL, cheap USB bridges), the id that the firmware
    reads from the chip; where that is silent, the unit that was flashed last at the same place, or the place.

    Args:
        info: what the firmware answered; None where none did.
    """
    if port.serial_number:
        return f"usb {port.serial_number}"
    if info is not None and info.unit_id not in _NOT_A_UNIT:
        return f"unit {info.unit_id.hex()}"
    return counter.unit_at(place_of(port)) or _at(board, place_of(port))


def settle_unit(port: Port, board: Board, info: Info | None, counter: WearCounter) -> str:
    """As `unit_of`; what was counted for the place, while nobody knew who was there, goes to the unit."""
    unit = unit_of(port, board, info, counter)
    by_place = _at(board, place_of(port))
    if unit != by_place and info is not None:
        counter.merge(by_place, unit)
    return unit


def place_of(port: Port) -> str:
    """Where a board is plugged in, or the URL that leads to it."""
    return port.port if is_url(port.port) else port.socket or board_key(port)


def _at(board: Board, place: str) -> str:
    return f"{board.id} at {place}"


def has_no_flash(port: Port, info: Info | None) -> bool:
    """Whether an emulated board is at `port`: it says so, or the port is a pseudo-terminal."""
    told = info is not None and info.unit_id == b"EMULATED"
    return told or (not is_url(port.port) and os.path.realpath(port.port).startswith("/dev/pts/"))


def worn_is_allowed() -> bool:
    """Whether the user has asked for boards to be flashed that are worn."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def check(wear: Wear, *, unit: str, device: str, allow_worn: bool) -> None:
    """Refuse a board that is worn; otherwise return.

    Raises:
        FlashWorn: REFUSE_SHARE of the rating is used up.
    """
    if wear.share >= REFUSE_SHARE and not allow_worn:
        raise FlashWorn(
            f"the flash of this board ({unit}) is worn: {wear}; no further image is written from "
            f"{REFUSE_SHARE:.0%} on",
            device=device,
            cycles=wear.cycles,
            endurance_cycles=wear.endurance_cycles,
            remedy=f"take another board, or accept that this one may fail: --allow-worn, or {VARIABLE}=1",
        )


def warn(wear: Wear, *, unit: str, device: str) -> bool:
    """Warn from WARN_SHARE of the rating on; returns whether that was done."""
    if wear.share < WARN_SHARE:
        return False
    warnings.warn(
        f"{device}: the flash of this board ({unit}) has taken {wear}; from {REFUSE_SHARE:.0%} on it is not "
        "flashed any more unless asked",
        FlashWearWarning,
        stacklevel=3,
    )
    return True
