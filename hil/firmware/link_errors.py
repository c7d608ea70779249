"""What the linker says when an image is too large, in figures."""

from __future__ import annotations

import re

from hil.board import Board
from hil.fit import NEAR_FLASH_BYTES, arena_peak, check_fit, check_near_flash
from hil.program import Program

_OVERFLOW = re.compile(r"region [`'](RAM|FLASH|NEAR)' overflowed by (\d+) bytes?")


def raise_if_too_large(log: str, program: Program, board: Board) -> None:
    """Raise DoesNotFit where `log` says that a memory overflowed; return where it says something else.

    The linker names the excess only; arena, stack and weights are known, and what remains is the firmware's
    own.
    """
    excess = {region: int(count) for region, count in _OVERFLOW.findall(log)}
    if not excess:
        return
    arena_bytes, stack_bytes = program.plan.arena_bytes, board.build.stack_bytes
    weight_bytes = program.weight_bytes
    static_bytes = code_bytes = 0
    if "NEAR" in excess:  # an AVR's first 64 kB
        check_near_flash(weight_bytes, NEAR_FLASH_BYTES + excess["NEAR"] - weight_bytes)
    if "RAM" in excess:
        static_bytes = max(0, board.ram.size_bytes + excess["RAM"] - arena_bytes - stack_bytes)
    if "FLASH" in excess:
        code_bytes = max(0, board.flash.size_bytes + excess["FLASH"] - weight_bytes)
    check_fit(
        board,
        arena_bytes=arena_bytes,
        static_bytes=static_bytes,
        stack_bytes=stack_bytes,
        code_bytes=code_bytes,
        weight_bytes=weight_bytes,
        peak=arena_peak(program),
    )
