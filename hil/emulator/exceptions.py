"""Exceptions of the core: which one is taken when, entry, return.

ARMv7-M Architecture Reference Manual, B1.5.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.emulator import faults
from hil.emulator.cortex_m.core import Core, StackingFailed
from hil.emulator.cortex_m.nvic import FIRST_INTERRUPT, Nvic
from hil.emulator.cortex_m.system_block import SystemBlock
from hil.emulator.counter import Counter
from hil.emulator.faults import Fault
from hil.emulator.registers import Unmodelled
from hil.emulator.timing.types import Timing

_FIXED_PRIORITY = {faults.NMI: -2, faults.HARD: -1}
_THREAD = 256  # less urgent than any exception
_BASIC_FRAME = 1 << 4  # of EXC_RETURN: the frame holds no floating-point registers


class Lockup(Exception):
    """A fault where no handler can be entered any more: the core stops."""


class Exceptions:
    """Takes exceptions and returns from them.

    Attributes:
        event: the event register that WFE looks at.
    """

    def __init__(
        self,
        core: Core,
        nvic: Nvic,
        system: SystemBlock,
        counter: Counter,
        timing: Timing,
        word: Callable[[int], int],
    ) -> None:
        self._core, self._nvic, self._system = core, nvic, system
        self._counter, self._timing, self._word = counter, timing, word
        self._active: list[int] = []
        self.event = False

    def reset(self) -> None:
        self._active.clear()
        self.event = False

    @property
    def current(self) -> int:
        """Number of the running exception, 0 in thread mode."""
        return self._active[-1] if self._active else 0

    def _priority_of(self, exception: int) -> int:
        if exception in _FIXED_PRIORITY:
            return _FIXED_PRIORITY[exception]
        if exception >= FIRST_INTERRUPT:
            return self._nvic.priority(exception - FIRST_INTERRUPT)
        return self._system.priority(exception)

    def _running_priority(self, *, masks: bool = True) -> int:
        active = min((self._priority_of(e) for e in self._active), default=_THREAD)
        return min(active, self._core.masked_priority) if masks else active

    def interrupt_waits(self) -> bool:
        """An interrupt is pending and enabled, masked or not."""
        return self._nvic.most_urgent() is not None

    def wakes_from_wfi(self) -> bool:
        """An interrupt would be taken if PRIMASK were clear."""
        interrupt = self._nvic.most_urgent()
        return interrupt is not None and self._nvic.priority(interrupt) < self._running_priority(masks=False)

    def take_interrupt(self) -> bool:
        """Enter the handler of the most urgent interrupt where the masks allow it; whether that happened."""
        interrupt = self._nvic.most_urgent()
        if interrupt is None or self._nvic.priority(interrupt) >= self._running_priority():
            return False
        self._nvic.take(interrupt)
        self._enter(FIRST_INTERRUPT + interrupt, self._core.pc)
        return True

    def supervisor_call(self) -> None:
        """SVC; the program counter is already behind it.

        Raises:
            Lockup: within a fault handler.
        """
        if self._system.priority(faults.SVCALL) < self._running_priority():
            self._enter(faults.SVCALL, self._core.pc)
        else:
            self._hard_fault(self._core.pc, faults.FORCED)

    def take_fault(self, fault: Fault, pc: int, address: int | None = None) -> None:
        """Enter the handler of `fault` of the instruction at `pc`.

        Raises:
            Lockup: within the hard fault handler or NMI.
        """
        self._system.record_fault(fault.status, address=address)
        handler = fault.exception
        if handler != faults.HARD and self._can_enter(handler):
            self._enter(handler, pc)
        else:
            self._hard_fault(pc, fault.hard or faults.FORCED)

    def _can_enter(self, exception: int) -> bool:
        return (
            self._system.fault_enabled(exception) and self._priority_of(exception) < self._running_priority()
        )

    def _hard_fault(self, pc: int, reason: int) -> None:
        if self._running_priority() <= -1:
            raise Lockup
        self._system.record_fault(0, hard=reason)
        self._enter(faults.HARD, pc)

    def _enter(self, exception: int, return_to: int) -> None:
        try:
            self._core.enter(exception, return_to, self._vector(exception))
        except StackingFailed:
            # The bus fault of the push is taken in place of what was being entered, or with it.
            self._system.record_fault(faults.STACKING)
            if exception not in (faults.BUS, faults.HARD):
                exception = faults.BUS if self._can_enter(faults.BUS) else faults.HARD
                self._core.redirect(exception, self._vector(exception))
        self._active.append(exception)
        self.event = True
        self._counter.jump(self._core.pc, self._timing.exception_entry)

    def _vector(self, exception: int) -> int:
        return self._word(self._system.vectors + 4 * exception)

    def leave(self, link: int) -> None:
        """Return by EXC_RETURN `link`.

        Raises:
            Lockup: there is nothing to return from, or the frame is not in RAM.
        """
        if not self._active:
            raise Lockup
        exception = self._active.pop()
        if exception >= FIRST_INTERRUPT:
            self._nvic.leave(exception - FIRST_INTERRUPT)
        try:
            self._core.leave(link)
        except (ValueError, Unmodelled) as error:
            raise Lockup from error
        self.event = True
        with_floats = not link & _BASIC_FRAME
        cycles = self._timing.exception_return_float if with_floats else self._timing.exception_return
        self._counter.jump(self._core.pc, cycles)
