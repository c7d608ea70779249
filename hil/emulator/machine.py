"""The machine: core, memory and peripherals of one board, running one firmware.

    host -> line -> UARTE -> RAM        Unicorn runs blocks of code        RAM -> UARTE -> output -> host
                                        the counter charges them
                                        this file handles what Unicorn leaves open: exceptions, sleep, reset

Unicorn is stopped in front of a block, or stops at a fault.  There its registers are exact, but its program
counter is that of the block; `Block.index_of_access` finds the instruction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import unicorn
from unicorn import UcError
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc

from hil.board import Board
from hil.emulator import divide, faults, native
from hil.emulator.blocks import Block, make_block
from hil.emulator.cortex_m.core import Core
from hil.emulator.cortex_m.dwt import Dwt
from hil.emulator.cortex_m.nvic import Nvic
from hil.emulator.cortex_m.system_control import SystemControl
from hil.emulator.counter import Counter, Hooks
from hil.emulator.elf import Segment
from hil.emulator.exceptions import Exceptions, Lockup
from hil.emulator.faults import Fault
from hil.emulator.instructions import Decoder
from hil.emulator.line import Line
from hil.emulator.memory import Memory
from hil.emulator.nrf52840 import soc
from hil.emulator.position import Position
from hil.emulator.registers import Bus, Unmodelled
from hil.emulator.timing.cortex_m4 import NoTiming
from hil.errors import BadDevice, EmulationError

_NOWHERE = 0xFFFF_FFFE  # no code can be here, so running "until" it never ends by itself
_SVC, _FETCH_ABORT, _BREAKPOINT, _EXCEPTION_RETURN = (
    2,
    3,
    7,
    8,
)  # Unicorn's numbers of what it leaves to its user
_FETCHES = (uc.UC_MEM_FETCH, uc.UC_MEM_FETCH_UNMAPPED, uc.UC_MEM_FETCH_PROT)
_WRITES = (uc.UC_MEM_WRITE, uc.UC_MEM_WRITE_UNMAPPED, uc.UC_MEM_WRITE_PROT)


class State(Enum):
    """Why `run` came back."""

    OUTPUT = "output"  # the firmware has sent bytes
    ASLEEP = "asleep"  # it sleeps, and nothing is on its way that could wake it
    RUNNING = "running"  # the cycles granted are used up


@dataclass
class _Stop:
    """What made Unicorn stop, beside the counter.

    Attributes:
        bad_access: Unicorn's kind of access, and the address.
        exception: Unicorn's number of an exception.
        divided_by_zero_at: address of a division that the core traps.
    """

    bad_access: tuple[int, int] | None = None
    exception: int | None = None
    divided_by_zero_at: int | None = None


class Machine:
    """One emulated board.

    Args:
        device: its name in error messages, e.g. "emulated:nrf52840_dk".
        hooks: how blocks are counted; by default in C where the host can compile it.

    Attributes:
        counter: instructions and cycles so far.
        inference_instructions: executed between the first and the last reading of CYCCNT while the firmware
            answered the last question for which it read it at least twice (docs/emulator.md); None before
            that.
        failure_reason: what the EmulationError says that stopped it, without addresses; "" while it can run.

    Raises:
        BadDevice: the board's chip or core is not modelled.
    """

    def __init__(self, board: Board, *, device: str = "emulated", hooks: Hooks | None = None) -> None:
        if board.id not in soc.SOCS or board.core.architecture != "cortex-m4":
            raise BadDevice(
                f"board '{board.id}' cannot be emulated: its chip is not modelled",
                remedy=f"boards that can: {', '.join(sorted(soc.SOCS))}; or use simulated:{board.id}",
            )
        self.device = device
        self._engine: Any = unicorn.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        self._engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self.counter = Counter(board, self._on_unknown_block)
        self._line = Line(board.core.clock_hz, board.serial.baud)
        self._soc = soc.SOCS[board.id](board, self, board.flash.size_bytes, board.ram.size_bytes)
        self._nvic = Nvic(soc.INTERRUPTS, soc.PRIORITY_BITS, self._on_pend, self._stop_soon)
        self._system = SystemControl(self)
        self._dwt = Dwt(self)
        self._bus = Bus((*self._soc.peripherals, self._dwt, self._nvic, self._system))
        self.memory = Memory(self._engine, board, self._bus.pages(4096), self._on_read, self._on_write)
        self.core = Core(self._engine, self.memory)
        self._exceptions = Exceptions(self.core, self._nvic, self._system, self.counter, self.memory.word)
        self._decoder = Decoder()
        self._position = Position(self.counter, self.core)
        self._output = bytearray()
        self._failure: EmulationError | None = None
        self.failure_reason = ""
        self._access: tuple[int, bool] | None = (
            None  # address and direction of the peripheral access under way
        )
        self._stop = _Stop()
        self._reset_requested = False
        self._sleeps_for_event: bool | None = None  # True in WFE, False in WFI, None awake
        self._slept_cycles = 0
        self._clock_readings: list[int] = []
        self.inference_instructions: int | None = None
        (hooks or native.hooks()).attach(self.counter, self._engine)
        self._engine.hook_add(uc.UC_HOOK_INTR, self._on_exception)
        self._engine.hook_add(uc.UC_HOOK_INSN_INVALID, lambda _uc, _user: False)
        self._engine.hook_add(uc.UC_HOOK_MEM_UNMAPPED | uc.UC_HOOK_MEM_PROT, self._on_bad_access)

    # --- from outside ---

    def load(self, segments: Iterable[Segment]) -> None:
        """Erase flash, write `segments` to it, and reset.  Once per machine: what ran before stays compiled.

        Raises:
            BadElf: bytes outside of flash.
        """
        held = tuple(segments)
        self.memory.load(held)
        for segment in held:
            for address in divide.find(segment.data, segment.address):
                self._engine.hook_add(uc.UC_HOOK_CODE, self._on_division, begin=address, end=address)
        self.reset()

    def reset(self) -> None:
        """Reset core and peripherals; RAM keeps its bytes."""
        self._bus.reset()
        self._exceptions.reset()
        self.counter.forget_lines()
        self._sleeps_for_event = None
        self._reset_requested = False
        vectors = self._system.vectors
        entry = self.memory.word(vectors + 4)
        self.core.start(self.memory.word(vectors), entry)
        self.counter.jump(entry & ~1, 0)

    def send(self, data: bytes) -> None:
        """Put bytes on the line to the firmware."""
        self._line.send(data, self._now())

    def take_output(self) -> bytes:
        """What the firmware has sent since the last call."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def run(self, cycles: int) -> State:
        """Run until the firmware sends something, sleeps for good, or has used `cycles` cycles.

        Raises:
            EmulationError: the firmware touched what is not modelled, or locked up.
        """
        state = self.counter.state
        end = state.cycles + cycles
        while True:
            if self._failure is not None:
                raise self._failure
            if self._reset_requested:
                self.reset()
            if self._output:
                return State.OUTPUT
            if self._sleeps_for_event is not None and not self._wake():
                return State.ASLEEP
            if state.cycles >= end:
                return State.RUNNING
            self._line.deliver(self._soc.uarte, self._now())
            try:
                self._exceptions.take_interrupt()
                self._run_until(end)
            except Lockup:
                self._fail("the core locked up: a fault within a fault handler", self.core.pc)

    # --- the run loop's parts ---

    def _now(self) -> int:
        return int(self.counter.state.cycles) + self._slept_cycles

    def _run_until(self, end: int) -> None:
        state = self.counter.state
        due = self._line.due(self._soc.uarte)
        state.cycle_limit = end if due is None else min(end, due - self._slept_cycles)
        state.stop = int(self._exceptions.interrupt_waits())  # held back by a mask: look again at each block
        state.stopped = 0
        state.resume = 1
        self._stop = stop = _Stop()
        try:
            self._engine.emu_start(self.core.pc | int(self.core.thumb), _NOWHERE)
        except UcError as error:
            self._after_error(error)
            return
        if stop.divided_by_zero_at is not None:
            self._fault(faults.DIVISION_BY_ZERO, stop.divided_by_zero_at)
        elif stop.exception is not None:
            self._after_exception(stop.exception)
        elif not state.stopped and self._failure is None:
            self._sleeps_for_event = False  # WFI

    def _wake(self) -> bool:
        while True:
            if self._sleeps_for_event:
                awake = self._exceptions.event or self._exceptions.wakes_from_wfi()
                if awake:
                    self._exceptions.event = False
            else:
                awake = self._exceptions.wakes_from_wfi()
            if awake:
                self._sleeps_for_event = None
                return True
            now = self._now()
            then = self._line.burst(self._soc.uarte, now)
            if then is None:
                return False
            self._slept_cycles += then - now

    def _after_error(self, error: UcError) -> None:
        pc = self.core.pc
        block = self._position.block()
        if error.errno == uc.UC_ERR_INSN_INVALID:
            if block is not None and pc == block.end and block.instructions[-1].text.startswith("wfe"):
                self._sleeps_for_event = True
            elif not self.core.thumb:
                self._fault(faults.INVALID_STATE, pc)
            else:
                self._fault(faults.UNDEFINED, pc)
        elif self._stop.bad_access is not None:
            self._after_bad_access(*self._stop.bad_access, block)
        else:
            self._fail(f"the emulator stopped: {error}", pc)

    def _after_bad_access(self, kind: int, address: int, block: Block | None) -> None:
        fetch = kind in _FETCHES
        pc = address if fetch else self.core.pc
        if not fetch and block is not None:
            index = block.index_of_access(address, kind in _WRITES, self.core.register)
            pc = block.instructions[index].address if index is not None else pc
        what = soc.unmodelled_at(address)
        if what is not None and not fetch:
            verb = "written" if kind in _WRITES else "read"
            self._fail(f"{what} is {verb} where nothing is modelled", pc, address)
        elif what is not None:
            self._fault(faults.INSTRUCTION_ACCESS, pc)
        else:
            self._fault(faults.INSTRUCTION_BUS if fetch else faults.DATA_BUS, pc, None if fetch else address)

    def _after_exception(self, number: int) -> None:
        if number == _EXCEPTION_RETURN:
            self._exceptions.leave(self.core.pc | 1)
        elif number == _SVC:
            self._exceptions.supervisor_call()
        elif number == _FETCH_ABORT:
            self._fault(faults.INSTRUCTION_ACCESS, self.core.pc)
        elif number == _BREAKPOINT:
            self._fault(faults.BREAKPOINT, self.core.pc)
        else:
            self._fail(f"exception {number} of the emulator", self.core.pc)

    def _fault(self, fault: Fault, pc: int, address: int | None = None) -> None:
        """Take `fault` at `pc`, and take back what was charged for the rest of its block."""
        block = self._position.block()
        index = block.index_at(pc) if block is not None else None
        if block is not None and index is not None:
            self.counter.undo(block.cycles - block.before[index], len(block.instructions) - index)
        self._exceptions.take_fault(fault, pc, address)

    def _fail(self, message: str, pc: int, address: int | None = None) -> None:
        if self._failure is None:
            self.failure_reason = message
            self._failure = EmulationError(
                message, device=self.device, address=pc if address is None else address, pc=pc
            )
        self.counter.state.stop = 1

    # --- called by Unicorn and the counter ---

    def _on_unknown_block(self, address: int, size: int) -> None:
        code = self.memory.read(address, size)
        try:
            block = make_block(self._decoder, code, address)
        except NoTiming as error:
            self._fail(str(error), error.instruction.address)
            self.counter.state.resume = 0
            return
        if any(i.float_unit for i in block.instructions) and not self._system.float_unit_enabled:
            self._fail(
                "the floating-point unit is used while SCB.CPACR keeps it off: the core would take a fault",
                address,
            )
            self.counter.state.resume = 0
            return
        signals = any(i.text.startswith("sev") for i in block.instructions)
        if signals:
            self._exceptions.event = True
        self._position.add(block)
        # Code in RAM may change, and SEV has to be seen each time.
        self.counter.describe(block, keep=address in self.memory.flash and not signals)

    def _on_read(self, address: int, size: int) -> int:
        self._access = (address, False)
        try:
            return self._bus.read(address, size)
        except Unmodelled as error:
            self._fail_at_access(str(error), address)
            return 0
        finally:
            self._access = None

    def _on_write(self, address: int, size: int, value: int) -> None:
        self._access = (address, True)
        try:
            self._bus.write(address, size, value)
        except Unmodelled as error:
            self._fail_at_access(str(error), address)
        finally:
            self._access = None

    def _fail_at_access(self, message: str, address: int) -> None:
        block, index = self._position.block(), self._index_of_access()
        pc = block.instructions[index].address if block is not None and index is not None else self.core.pc
        self._fail(message, pc, address)

    def _index_of_access(self) -> int | None:
        return None if self._access is None else self._position.index_of_access(*self._access)

    def _on_bad_access(
        self, _engine: Any, kind: int, address: int, _size: int, _value: int, _user: Any
    ) -> bool:
        self._stop.bad_access = (kind, address)
        return False

    def _on_exception(self, engine: Any, number: int, _user: Any) -> None:
        self._stop.exception = number
        engine.emu_stop()

    def _on_division(self, engine: Any, address: int, _size: int, _user: Any) -> None:
        if self._system.traps_division_by_zero:
            divisor = divide.divisor_register(self.memory.read(address, 4))
            if self.core.register(divisor) == 0:
                self._stop.divided_by_zero_at = address
                engine.emu_stop()

    def _on_pend(self) -> None:
        if self._system.event_on_pending:
            self._exceptions.event = True

    def _stop_soon(self) -> None:
        self.counter.state.stop = 1

    # --- what peripherals need ---

    def read_ram(self, address: int, size: int) -> bytes:
        return self.memory.read_ram(address, size)

    def write_ram(self, address: int, data: bytes) -> None:
        self.memory.write_ram(address, data)
        self._clock_readings.clear()  # a new question

    def transmit(self, data: bytes) -> None:
        self._output += data
        if len(self._clock_readings) >= 2:
            self.inference_instructions = self._clock_readings[-1] - self._clock_readings[0]
        self._stop_soon()

    def receiver_started(self) -> None:
        self._stop_soon()  # bytes that have waited may now be due

    def event(self, address: int, times: int) -> None:
        self._soc.ppi.event(address, times)

    def trigger_task(self, address: int, times: int) -> None:
        self._bus.trigger(address, times)

    def set_interrupt(self, number: int, active: bool) -> None:
        self._nvic.set_line(number, active)

    def set_cache(self, on: bool) -> None:
        self.counter.set_cache(on and self.counter.has_cache)

    def cache_counts(self) -> tuple[int, int]:
        return int(self.counter.state.fetch_hits), int(self.counter.state.fetch_lines)

    def cycles_now(self) -> int:
        """Cycles up to the peripheral access under way."""
        index = self._index_of_access()
        if index is not None:
            cycles, instructions = self._position.totals_at(index)
        else:
            cycles, instructions = int(self.counter.state.cycles), int(self.counter.state.instructions)
        if self._access is not None and not self._access[1]:
            self._clock_readings.append(instructions)
        return cycles

    def trace_enabled(self) -> bool:
        return self._system.trace_enabled

    def request_reset(self) -> None:
        self._reset_requested = True
        self._stop_soon()

    def active_exception(self) -> int:
        return self._exceptions.current
