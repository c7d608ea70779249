"""What an instruction does, as far as time and the tracing of accesses need it.

Decoded once with capstone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import capstone
from capstone import arm as cs

_REGISTERS = {
    **{getattr(cs, f"ARM_REG_R{n}"): n for n in range(13)},
    cs.ARM_REG_SP: 13,
    cs.ARM_REG_LR: 14,
    cs.ARM_REG_PC: 15,
}
SP, PC = 13, 15
FLAGS = 16  # stands for the condition flags among the registers that an instruction reads and writes
_FLAGS_SET = frozenset({FLAGS})
_UNCONDITIONAL = (cs.ARM_CC_INVALID, cs.ARM_CC_AL)
_PICKS_APART = ("sxta", "uxta", "pkh")
_DIRECT_BRANCHES = {"b", "bl", "cbz", "cbnz"}
_LONG_ACCUMULATES = ("smlal", "smlsld", "umlal", "umaal")
_DESCENDING = {"push", "stmdb", "vpush", "ldmdb"}
_MULTIPLE = {
    "push",
    "pop",
    "ldm",
    "stm",
    "ldmdb",
    "stmdb",
    "vldmia",
    "vstmia",
    "vldmdb",
    "vstmdb",
    "vpush",
    "vpop",
}
_STACK = {"push", "pop", "vpush", "vpop"}


@dataclass(frozen=True, slots=True)
class Access:
    """A load or store: `count` elements of `element_bytes` from base + (index << shift) + displacement on.

    Registers are core numbers (13 sp, 15 pc).  `descending`: the elements lie below the base.
    """

    store: bool
    base: int
    index: int | None
    shift: int
    displacement: int
    element_bytes: int
    count: int
    descending: bool = False

    @property
    def bytes(self) -> int:
        return self.element_bytes * self.count

    def address(self, pc: int, register: Callable[[int], int]) -> int:
        """First address touched, given the register values before the instruction at `pc`."""
        start = (pc + 4) & ~3 if self.base == PC else register(self.base)
        if self.index is not None:
            start += register(self.index) << self.shift
        start += self.displacement
        return (start - (self.bytes if self.descending else 0)) & 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        name: base mnemonic, without condition and width, e.g. "ldr".
        text: as a disassembler prints it, for messages.
        read, written: core registers that it reads and writes, FLAGS among them.
        shifted: those of them that pass the shifter first, or are picked apart, in data processing.
        added: of a multiply-accumulate, the registers of the sum.
        target: of a branch to a fixed address.
        writes_back: whether the base register of its access is set to another address.
        registers: length of a register list, in registers of its kind; else 0.
        doubles: whether floating-point registers of that list are double words.
        core_float_moves: whether a VMOV goes between core registers and whole floating-point registers (not
            half of a double word).
        access: the memory that it touches; None where it touches none, or where that is not known statically.
    """

    address: int
    size: int
    name: str
    text: str
    written: frozenset[int]
    registers: int
    doubles: bool
    core_float_moves: bool
    access: Access | None
    read: frozenset[int] = frozenset()
    shifted: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    target: int | None = None
    writes_back: bool = False

    @property
    def float_unit(self) -> bool:
        """Whether it needs the floating-point unit."""
        return self.name.startswith("v") or self.name in ("fconsts", "fmstat", "fmdhr", "fmdlr")


def _element_bytes(name: str) -> int:
    stem = name.removeprefix("v")
    if stem.startswith(("ldrb", "ldrsb", "strb", "ldrexb", "strexb", "tbb")):
        return 1
    if stem.startswith(("ldrh", "ldrsh", "strh", "ldrexh", "strexh", "tbh")):
        return 2
    return 4


def _is_double(register: int) -> bool:
    return bool(cs.ARM_REG_D0 <= register <= cs.ARM_REG_D31)


def _is_single(register: int) -> bool:
    return bool(cs.ARM_REG_S0 <= register <= cs.ARM_REG_S31)


def _access(insn: capstone.CsInsn, name: str, listed: int, doubles: bool) -> Access | None:
    store = name.startswith(("st", "vst", "push", "vpush"))
    if name in _MULTIPLE:
        base = SP if name in _STACK else _REGISTERS[insn.operands[0].reg]
        descending = name in _DESCENDING or name in ("vldmdb", "vstmdb")
        return Access(store, base, None, 0, 0, 4, listed * (2 if doubles else 1), descending)
    for operand in insn.operands:
        if operand.type == cs.ARM_OP_MEM:
            memory = operand.mem
            if memory.base not in _REGISTERS or (memory.index and memory.index not in _REGISTERS):
                return None
            shift = operand.shift.value if operand.shift.type == cs.ARM_SFT_LSL else memory.lshift
            post_indexed = bool(insn.writeback) and "]," in insn.op_str.replace(" ", "")
            count = 2 if name in ("ldrd", "strd") or (name in ("vldr", "vstr") and doubles) else 1
            return Access(
                store=store,
                base=_REGISTERS[memory.base],
                index=_REGISTERS[memory.index] if memory.index else None,
                shift=shift,
                displacement=0 if post_indexed else memory.disp,
                element_bytes=_element_bytes(name),
                count=count,
            )
    return None


def _numbers(registers: Iterable[int]) -> frozenset[int]:
    return frozenset(_REGISTERS.get(r, FLAGS) for r in registers if r in _REGISTERS or r == cs.ARM_REG_CPSR)


def _read(insn: capstone.CsInsn, name: str, registers: Iterable[int]) -> frozenset[int]:
    read = _numbers(registers)
    if name.startswith(_LONG_ACCUMULATES):  # nor the sum that a long product is added to
        read |= _numbers(o.reg for o in insn.operands[:2])
    return read | (_FLAGS_SET if insn.cc not in _UNCONDITIONAL else frozenset())


def _decode_one(insn: capstone.CsInsn) -> Instruction:
    name = insn.insn_name() or insn.mnemonic
    read, written = insn.regs_access()
    operands = [o.reg for o in insn.operands if o.type == cs.ARM_OP_REG]
    listed = (operands if name in _STACK else operands[1:]) if name in _MULTIPLE else []
    doubles = any(_is_double(r) for r in (listed or operands[:1]))
    core = sum(r in _REGISTERS for r in operands)
    # Capstone does not count an operand that is shifted among what is read.
    shifted = [o.reg for o in insn.operands if o.type == cs.ARM_OP_REG and o.shift.type != cs.ARM_SFT_INVALID]
    crosses = name == "vmov" and core > 0 and (core == 2 or any(_is_single(r) for r in operands))
    return Instruction(
        address=insn.address,
        size=insn.size,
        name=name,
        text=f"{insn.mnemonic} {insn.op_str}".strip(),
        written=_numbers(written) | (_FLAGS_SET if insn.update_flags else frozenset()),
        registers=len(listed),
        doubles=doubles,
        core_float_moves=crosses,
        access=_access(insn, name, len(listed), doubles),
        read=_read(insn, name, [*read, *shifted]),
        shifted=_numbers(shifted or (operands[2:3] if name.startswith(_PICKS_APART) else ())),
        added=_numbers(operands[:2] if name.startswith(_LONG_ACCUMULATES) else operands[3:4]),
        target=next((o.imm for o in insn.operands if o.type == cs.ARM_OP_IMM), None)
        if name in _DIRECT_BRANCHES
        else None,
        writes_back=bool(insn.writeback) or name in _STACK,
    )


def _undecoded(code: bytes, address: int) -> Instruction:
    """Bytes that are no instruction of this core: the emulator faults there, as the core does."""
    wide = len(code) >= 4 and (code[1] & 0xE0) == 0xE0 and (code[1] & 0x18) != 0
    return Instruction(
        address, 4 if wide else 2, "undefined", "undefined", frozenset(), 0, False, False, None
    )


class Decoder:
    """Thumb code -> instructions."""

    def __init__(self) -> None:
        self._capstone = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        self._capstone.detail = True

    def decode(self, code: bytes, address: int) -> tuple[Instruction, ...]:
        """All instructions in `code`, whose first byte lies at `address`."""
        found: list[Instruction] = []
        position = 0
        while position < len(code):
            before = position
            for insn in self._capstone.disasm(code[position:], address + position):
                found.append(_decode_one(insn))
                position += insn.size
            if position == before:
                found.append(_undecoded(code[position:], address + position))
                position += found[-1].size
        return tuple(found)
