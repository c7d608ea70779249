"""Faults: which exception the core takes, and what it leaves in the status registers.

ARMv7-M Architecture Reference Manual, B1.5.14 (fault behaviour) and B3.2.15 (CFSR).
"""

from __future__ import annotations

from dataclasses import dataclass

NMI, HARD, MEMORY, BUS, USAGE, SVCALL = 2, 3, 4, 5, 6, 11

FORCED, DEBUG_EVENT, VECTOR_READ = 1 << 30, 1 << 31, 1 << 1  # HFSR
STACKING = 1 << 12  # CFSR, bus fault while pushing a frame


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        exception: the handler that serves it where that is enabled; else the hard fault does.
        status: bits of CFSR.
        hard: bits of HFSR.
    """

    text: str
    exception: int
    status: int
    hard: int = 0


INSTRUCTION_ACCESS = Fault("instruction fetch from a region that must not execute", MEMORY, 1 << 0)
INSTRUCTION_BUS = Fault("instruction fetch where there is no memory", BUS, 1 << 8)
DATA_BUS = Fault("data access where there is no memory", BUS, 1 << 9 | 1 << 15)
UNDEFINED = Fault("undefined instruction", USAGE, 1 << 16)
INVALID_STATE = Fault("jump to an address without the Thumb bit", USAGE, 1 << 17)
INVALID_RETURN = Fault("invalid EXC_RETURN", USAGE, 1 << 18)
NO_COPROCESSOR = Fault("no such coprocessor", USAGE, 1 << 19)
DIVISION_BY_ZERO = Fault("division by zero", USAGE, 1 << 25)
BREAKPOINT = Fault("breakpoint without a debugger", HARD, 0, DEBUG_EVENT)
