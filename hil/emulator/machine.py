"""The machine: a Cortex-M core, memory and peripherals of one board, running one firmware.

host -> line -> receiver -> RAM     Unicorn runs blocks of code        RAM -> sender -> output -> host
                                    the counter charges them
                                    `stops` handles what Unicorn leaves open
                                    this file: sleep, interrupts, reset
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import unicorn
from unicorn import UcError
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc

from hil.board import Board
from hil.emulator import native
from hil.emulator.access import PeripheralAccess
from hil.emulator.blocks import make_block
from hil.emulator.chips import CHIPS
from hil.emulator.cores import CORES
from hil.emulator.cortex_m.core import Core
from hil.emulator.cortex_m.nvic import Nvic
from hil.emulator.counter import Counter, Hooks
from hil.emulator.elf import load_segments
from hil.emulator.exceptions import Exceptions, Lockup
from hil.emulator.instructions import Decoder
from hil.emulator.line import Line
from hil.emulator.memory import PAGE_BYTES, Memory
from hil.emulator.position import Position
from hil.emulator.registers import Bus
from hil.emulator.stops import Stops
from hil.emulator.surroundings import Surroundings
from hil.emulator.timing.types import NoTiming
from hil.emulator.types import State
from hil.errors import EmulationError

_NOWHERE = 0xFFFF_FFFE  # no code can be here, so running "until" it never ends by itself


class Machine:
    """One emulated board with a Cortex-M core; `open.open_machine` says which boards can be.

    Args:
        device: its name in error messages, e.g. "emulated:nrf52840_dk".
        hooks: how blocks are counted; by default in C where the host can compile it.

    Attributes:
        counter: instructions and cycles so far.
        failure_reason: as Emulator has it.
    """

    def __init__(self, board: Board, *, device: str = "emulated", hooks: Hooks | None = None) -> None:
        self.device = device
        chip, model = CHIPS[board.chip], CORES[board.core.architecture]
        self._timing = model.timing
        engine: Any = unicorn.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        engine.ctl_set_cpu_model(getattr(arm, model.unicorn_model))
        self._engine = engine
        self.counter = Counter(board, self._on_unknown_block)
        self._around = around = Surroundings(self.counter)
        self._line = Line(board.core.clock_hz, board.serial.baud)
        peripherals = chip.make_peripherals(board, around)
        self._receiver = peripherals.receiver
        nvic = Nvic(chip.interrupts, chip.priority_bits, self._on_pend, around.stop_soon)
        self._system = model.make_system(around, model.cpuid, chip.flash_base + chip.vectors_offset, board)
        self._bus = Bus((*peripherals.all, *model.make_counters(around, self._system), nvic, self._system))
        access = PeripheralAccess(self._bus, self._fail)
        self.memory = Memory(engine, board, self._bus.pages(PAGE_BYTES), access.read, access.write)
        self.core = Core(engine, self.memory)
        self._exceptions = Exceptions(
            self.core, nvic, self._system, self.counter, self._timing, self.memory.word
        )
        self._decoder = Decoder()
        self._position = Position(self.counter, self.core)
        access.position = self._position
        around.connect(self._position, self.memory, nvic.set_line, lambda: self._exceptions.current)
        self._stops = Stops(
            engine, chip, self.core, self._system, self.memory, self._position, self.counter,
            self._exceptions, self._fail,
        )  # fmt: skip
        self._failure: EmulationError | None = None
        self.failure_reason = ""
        self._sleeps_for_event: bool | None = None  # True in WFE, False in WFI, None awake
        (hooks or native.hooks()).attach(self.counter, engine)

    # --- from outside ---

    @property
    def inference_instructions(self) -> int | None:
        """As Emulator has it (docs/emulator.md says between which instructions)."""
        return self._around.inference_instructions

    @property
    def clock_cycles(self) -> int:
        """As Emulator has it."""
        return int(self.counter.state.cycles) + self._around.slept_cycles

    def load(self, elf: Path) -> None:
        """Erase flash, write the image to it, and reset.  Once per machine: what ran before stays compiled.

        Raises:
            BadElf: not a firmware for ARM, or bytes outside of flash.
        """
        segments = load_segments(elf)
        self.memory.load(segments)
        for segment in segments:
            self._stops.watch_divisions(segment)
        self.reset()

    def reset(self) -> None:
        """Reset core and peripherals; RAM keeps its bytes."""
        self._bus.reset()
        self._exceptions.reset()
        self.counter.forget_lines()
        self._sleeps_for_event = None
        self._around.reset_requested = False
        vectors = self._system.vectors
        entry = self.memory.word(vectors + 4)
        self.core.start(self.memory.word(vectors), entry)
        self.counter.jump(entry & ~1, 0)

    def send(self, data: bytes) -> None:
        """Put bytes on the line to the firmware."""
        self._line.send(data, self.clock_cycles)

    def take_output(self) -> bytes:
        """What the firmware has sent since the last call."""
        data = bytes(self._around.output)
        self._around.output.clear()
        return data

    def trigger_edges(self) -> list[tuple[int, bool]]:
        """Changes of the trigger pin since the last call."""
        edges = list(self._around.edges)
        self._around.edges.clear()
        return edges

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
            if self._around.reset_requested:
                self.reset()
            if self._around.output:
                return State.OUTPUT
            if self._sleeps_for_event is not None and not self._wake():
                return State.ASLEEP
            if state.cycles >= end:
                return State.RUNNING
            if self._line.deliver(self._receiver, self.clock_cycles):
                self._around.question_began()
            try:
                self._exceptions.take_interrupt()
                self._run_until(end)
            except Lockup:
                self._fail("the core locked up: a fault within a fault handler", self.core.pc)

    # --- the run loop's parts ---

    def _run_until(self, end: int) -> None:
        state = self.counter.state
        due = self._line.due(self._receiver)
        state.cycle_limit = end if due is None else min(end, due - self._around.slept_cycles)
        state.stop = int(self._exceptions.interrupt_waits())  # held back by a mask: look again at each block
        state.stopped = 0
        state.resume = 1
        self._stops.begin()
        try:
            self._engine.emu_start(self.core.pc | int(self.core.thumb), _NOWHERE)
        except UcError as error:
            if self._stops.after_error(error):
                self._sleeps_for_event = True
            return
        if not self._stops.after_return() and not state.stopped and self._position.ended_with("wfi"):
            self._sleeps_for_event = False

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
            now = self.clock_cycles
            then = self._line.burst(self._receiver, now)
            if then is None:
                return False
            self._around.question_began()
            self._around.slept_cycles += then - now

    def _fail(self, message: str, pc: int, address: int | None = None) -> None:
        if self._failure is None:
            self.failure_reason = message
            self._failure = EmulationError(
                message, device=self.device, address=pc if address is None else address, pc=pc
            )
        self.counter.state.stop = 1

    # --- called by the counter and the NVIC ---

    def _on_unknown_block(self, address: int, size: int) -> None:
        code = self.memory.read(address, size)
        try:
            block = make_block(self._decoder, self._timing, code, address)
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

    def _on_pend(self) -> None:
        if self._system.event_on_pending:
            self._exceptions.event = True
