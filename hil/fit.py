"""Does it fit?  The same question for every kind of device, asked before anything is flashed."""

from __future__ import annotations

from collections.abc import Mapping

from hil.board import Board
from hil.errors import ConstantsOutOfReach, DoesNotFit
from hil.program import Program

_WORDS = {
    "static": "the firmware's static data",
    "stack": "the stack reserve (build.stack_bytes of the board profile)",
    "code": "the firmware's code",
    "weights": "the model's weights",
}


# What a pointer of 16 bits reaches (firmware/lib/kernels/hil_flash.h).
NEAR_FLASH_BYTES = 65_536


def check_fit(
    board: Board,
    *,
    arena_bytes: int,
    static_bytes: int,
    stack_bytes: int,
    code_bytes: int,
    weight_bytes: int,
    peak: str,
) -> None:
    """Hold an image's needs against what the board has: RAM first, then flash, then an AVR's near flash.

    Args:
        stack_bytes: what the linker reserves, not what was seen in use.
        peak: what makes the arena as large as it is; `arena_peak` words it.

    Raises:
        DoesNotFit: needed, available, the parts, and the largest of them.
        ConstantsOutOfReach: the board has an AVR, and the constants alone are too many for it.
    """
    ram = {"arena": arena_bytes, "static": static_bytes, "stack": stack_bytes}
    flash = {"code": code_bytes, "weights": weight_bytes}
    _check("ram", board.ram.size_bytes, ram, peak)
    _check("flash", board.flash.size_bytes, flash, peak)
    if board.core.architecture == "avr":
        check_near_flash(weight_bytes)


def check_near_flash(weight_bytes: int, other_bytes: int = 0) -> None:
    """Hold the constants of an AVR's image against what its pointers reach.

    Args:
        other_bytes: vectors, parameters and texts, which lie there as well.

    Raises:
        ConstantsOutOfReach: they are too many.
    """
    needed_bytes = weight_bytes + other_bytes
    if needed_bytes > NEAR_FLASH_BYTES:
        parts = {"weights": weight_bytes, "vectors, parameters and texts": other_bytes}
        raise ConstantsOutOfReach(needed_bytes, NEAR_FLASH_BYTES, parts=parts)


def _check(resource: str, available_bytes: int, parts: Mapping[str, int], peak: str) -> None:
    needed_bytes = sum(parts.values())
    if needed_bytes > available_bytes:
        largest = max(parts, key=lambda name: parts[name])
        raise DoesNotFit(resource, needed_bytes, available_bytes, parts=parts, by=_WORDS.get(largest, peak))


def arena_peak(program: Program) -> str:
    """The operator that makes the arena as large as it is, e.g. "CONV_2D 'stem' (arena peak)"."""
    operator = program.graph.operators[program.plan.peak_operator]
    return f"{operator.name} '{operator.layer}' (arena peak)"
