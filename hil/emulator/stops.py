"""Why Unicorn has stopped, and what a core makes of it: a fault, an exception, sleep, or nothing.

Unicorn is stopped in front of a block, or stops at a fault.  There its registers are exact, but its program
counter is that of the block; `Block.index_of_access` finds the instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unicorn import UcError
from unicorn import unicorn_const as uc

from hil.emulator import divide, faults
from hil.emulator.blocks import Block
from hil.emulator.chip import Chip
from hil.emulator.cortex_m.core import Core
from hil.emulator.cortex_m.system_block import SystemBlock
from hil.emulator.counter import Counter
from hil.emulator.elf import Segment
from hil.emulator.exceptions import Exceptions
from hil.emulator.faults import Fault
from hil.emulator.memory import Memory
from hil.emulator.position import Position

# Unicorn's numbers of what it leaves to its user.
_SVC, _FETCH_ABORT, _BREAKPOINT, _EXCEPTION_RETURN = 2, 3, 7, 8
_FETCHES = (uc.UC_MEM_FETCH, uc.UC_MEM_FETCH_UNMAPPED, uc.UC_MEM_FETCH_PROT)
_WRITES = (uc.UC_MEM_WRITE, uc.UC_MEM_WRITE_UNMAPPED, uc.UC_MEM_WRITE_PROT)

Fail = Callable[[str, int, int | None], None]
"""Stops the machine for good: message, program counter, and the address meant where that is another."""


@dataclass
class _Seen:
    """What Unicorn met since it was started.

    Attributes:
        bad_access: its kind of access, and the address.
        exception: its number of an exception.
        divided_by_zero_at: address of a division that the core traps.
    """

    bad_access: tuple[int, int] | None = None
    exception: int | None = None
    divided_by_zero_at: int | None = None


class Stops:
    """Sees why Unicorn stops, and has the core take what follows.

    Args:
        fail: called with what cannot be emulated.
    """

    def __init__(
        self,
        engine: Any,
        chip: Chip,
        core: Core,
        system: SystemBlock,
        memory: Memory,
        position: Position,
        counter: Counter,
        exceptions: Exceptions,
        fail: Fail,
    ) -> None:
        self._engine, self._chip, self._core, self._system = engine, chip, core, system
        self._memory, self._position, self._counter = memory, position, counter
        self._exceptions, self._fail = exceptions, fail
        self._seen = _Seen()
        engine.hook_add(uc.UC_HOOK_INTR, self._on_exception)
        engine.hook_add(uc.UC_HOOK_INSN_INVALID, lambda _uc, _user: False)
        engine.hook_add(uc.UC_HOOK_MEM_UNMAPPED | uc.UC_HOOK_MEM_PROT, self._on_bad_access)

    def watch_divisions(self, segment: Segment) -> None:
        """Have all divisions in `segment` looked at: Unicorn does not trap those by zero."""
        for address in divide.find(segment.data, segment.address):
            self._engine.hook_add(uc.UC_HOOK_CODE, self._on_division, begin=address, end=address)

    def begin(self) -> None:
        """Unicorn is about to run."""
        self._seen = _Seen()

    def after_return(self) -> bool:
        """Unicorn came back by itself: do what follows; False where nothing explains it.

        Raises:
            Lockup.
        """
        if self._seen.divided_by_zero_at is not None:
            self._fault(faults.DIVISION_BY_ZERO, self._seen.divided_by_zero_at)
        elif self._seen.exception is not None:
            self._after_exception(self._seen.exception)
        else:
            return False
        return True

    def after_error(self, error: UcError) -> bool:
        """Unicorn came back with an error: do what follows; True where the core sleeps in WFE now.

        Raises:
            Lockup.
        """
        pc = self._core.pc
        block = self._position.block()
        if error.errno == uc.UC_ERR_INSN_INVALID:
            if self._position.ended_with("wfe"):
                return True
            if self._position.ended_with("yield"):
                return False  # Unicorn stops there, too
            self._fault(faults.UNDEFINED if self._core.thumb else faults.INVALID_STATE, pc)
        elif self._seen.bad_access is not None:
            self._after_bad_access(*self._seen.bad_access, block)
        else:
            self._fail(f"the emulator stopped: {error}", pc, None)
        return False

    def _after_bad_access(self, kind: int, address: int, block: Block | None) -> None:
        fetch = kind in _FETCHES
        pc = address if fetch else self._core.pc
        if not fetch and block is not None:
            index = block.index_of_access(address, kind in _WRITES, self._core.register)
            pc = block.instructions[index].address if index is not None else pc
        what = self._chip.unmodelled_at(address)
        if what is not None and not fetch:
            verb = "written" if kind in _WRITES else "read"
            self._fail(f"{what} is {verb} where nothing is modelled", pc, address)
        elif what is not None:
            self._fault(faults.INSTRUCTION_ACCESS, pc)
        else:
            self._fault(faults.INSTRUCTION_BUS if fetch else faults.DATA_BUS, pc, None if fetch else address)

    def _after_exception(self, number: int) -> None:
        if number == _EXCEPTION_RETURN:
            self._exceptions.leave(self._core.pc | 1)
        elif number == _SVC:
            self._exceptions.supervisor_call()
        elif number == _FETCH_ABORT:
            self._fault(faults.INSTRUCTION_ACCESS, self._core.pc)
        elif number == _BREAKPOINT:
            self._fault(faults.BREAKPOINT, self._core.pc)
        else:
            self._fail(f"exception {number} of the emulator", self._core.pc, None)

    def _fault(self, fault: Fault, pc: int, address: int | None = None) -> None:
        """Take `fault` at `pc`, and take back what was charged for the rest of its block."""
        block = self._position.block()
        index = block.index_at(pc) if block is not None else None
        if block is not None and index is not None:
            self._counter.undo(block.cycles - block.before[index], len(block.instructions) - index)
        self._exceptions.take_fault(fault, pc, address)

    # --- called by Unicorn ---

    def _on_bad_access(
        self, _engine: Any, kind: int, address: int, _size: int, _value: int, _user: Any
    ) -> bool:
        self._seen.bad_access = (kind, address)
        return False

    def _on_exception(self, engine: Any, number: int, _user: Any) -> None:
        self._seen.exception = number
        engine.emu_stop()

    def _on_division(self, engine: Any, address: int, _size: int, _user: Any) -> None:
        if self._system.traps_division_by_zero:
            divisor = divide.divisor_register(self._memory.read(address, 4))
            if self._core.register(divisor) == 0:
                self._seen.divided_by_zero_at = address
                engine.emu_stop()
