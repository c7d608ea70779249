"""Kinds of faults, and the operations that each of them may befall."""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """What a host does with a board, and what may go wrong with it."""

    FLASH = "flash"
    HELLO = "hello"
    WRITE = "write"  # WriteInput
    RUN = "run"
    READ = "read"  # ReadOutput, ReadProfile


class Kind(Enum):
    """One kind of fault."""

    LOST_BYTES = "lost bytes"
    DOUBLED_BYTES = "doubled bytes"
    FLIPPED_BITS = "flipped bits"
    DELAYED_BYTES = "delayed bytes"
    GARBAGE = "garbage before a frame"
    RESET = "reset in the middle of an inference"
    HANG = "hang"
    HARD_FAULT = "hard fault"
    BROWN_OUT = "brown-out under load"
    PORT_VANISHES = "port vanishes, returns under a new name"
    FLASH_STALLS = "flashing times out"
    FLASH_FAILS = "flashing fails"
    OLD_IMAGE = "flashing claims success, the old image is still there"
    OLD_FIRMWARE = "wrong firmware version"


ON_THE_LINE = frozenset(
    {Kind.LOST_BYTES, Kind.DOUBLED_BYTES, Kind.FLIPPED_BITS, Kind.DELAYED_BYTES, Kind.GARBAGE}
)
DURING_A_RUN = frozenset({Kind.RESET, Kind.HANG, Kind.HARD_FAULT, Kind.BROWN_OUT})
DURING_A_FLASH = frozenset({Kind.FLASH_STALLS, Kind.FLASH_FAILS, Kind.OLD_IMAGE, Kind.OLD_FIRMWARE})


def possible(operation: Operation) -> frozenset[Kind]:
    """The kinds that may befall `operation`."""
    if operation is Operation.FLASH:
        return DURING_A_FLASH
    line = ON_THE_LINE | {Kind.PORT_VANISHES}
    return line | DURING_A_RUN if operation is Operation.RUN else line
