"""What the compiler knows of the core that a model is compiled for."""

from __future__ import annotations

from dataclasses import dataclass

from hil.board import Board


@dataclass(frozen=True)
class Target:
    """A core, as far as it decides on kernels.

    Attributes:
        dsp: it has the DSP extension of Armv7E-M (SMLAD, SXTB16, SMMLA).
        flash_apart: flash has an address space of its own, so no pointer reaches both flash and RAM (AVR).
    """

    dsp: bool = False
    flash_apart: bool = False

    @classmethod
    def of(cls, board: Board) -> Target:
        """The core of a board."""
        return cls(dsp=board.core.dsp, flash_apart=board.core.architecture == "avr")


#: Any core with a C99 compiler.
PORTABLE = Target()
