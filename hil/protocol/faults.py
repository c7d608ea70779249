"""What a FAULT frame says, in words.

Source of the bits: Arm v7-M Architecture Reference Manual (DDI 0403E), B3.2.15 CFSR and B3.2.16 HFSR.
"""

from __future__ import annotations

from hil.protocol.messages import Fault

_KINDS = {
    2: "non-maskable interrupt",
    3: "hard fault",
    4: "memory management fault",
    5: "bus fault",
    6: "usage fault",
}
_CFSR_BITS = {
    0: "instruction fetch from a forbidden address",
    1: "data access to a forbidden address",
    3: "forbidden address while returning from an exception",
    4: "forbidden address while entering an exception",
    5: "forbidden address while saving the floating-point state",
    8: "bus error at an instruction fetch",
    9: "bus error at a data access",
    10: "late bus error of an earlier write",
    11: "bus error while returning from an exception",
    12: "bus error while entering an exception",
    13: "bus error while saving the floating-point state",
    16: "undefined instruction",
    17: "invalid processor state (a jump to an even address?)",
    18: "invalid return from an exception",
    19: "no coprocessor or floating-point unit",
    24: "unaligned access",
    25: "division by zero",
}
_MMFAR_VALID, _BFAR_VALID = 1 << 7, 1 << 15
_HFSR_VECTOR_TABLE = 1 << 1
_STACKING = (1 << 4) | (1 << 5) | (1 << 12) | (1 << 13)


def describe_fault(fault: Fault) -> str:
    """One line, e.g. "usage fault: undefined instruction at pc 0x00001234"."""
    first_interrupt = 16
    if fault.kind >= first_interrupt:
        name = f"unexpected interrupt {fault.kind - first_interrupt}"
    else:
        name = _KINDS.get(fault.kind, f"exception {fault.kind}")
    causes = [text for bit, text in _CFSR_BITS.items() if fault.cfsr >> bit & 1]
    if fault.hfsr & _HFSR_VECTOR_TABLE:
        causes.append("bus error while reading the vector table")
    text = f"{name}: {', '.join(causes)}" if causes else name
    text += f" at pc 0x{fault.pc:08x}"
    if fault.cfsr & _MMFAR_VALID:
        text += f", address 0x{fault.mmfar:08x}"
    elif fault.cfsr & _BFAR_VALID:
        text += f", address 0x{fault.bfar:08x}"
    return text


def fault_remedy(fault: Fault) -> str:
    """How to mend it, as far as the registers tell."""
    if fault.cfsr & _STACKING:
        return "the stack has probably overflown: raise build.stack_bytes in the board's profile"
    return f"look up 0x{fault.pc:08x} and lr 0x{fault.lr:08x} in the ELF (arm-none-eabi-addr2line -fe)"
