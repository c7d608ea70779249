"""Where in its block the core is.  Unicorn keeps registers exact at each access, the program counter not."""

from __future__ import annotations

from hil.emulator.blocks import Block
from hil.emulator.cortex_m.core import Core
from hil.emulator.counter import Counter


class Position:
    """All blocks that have run, and the place within the last one."""

    _UNKNOWN = -1

    def __init__(self, counter: Counter, core: Core) -> None:
        self._counter = counter
        self._core = core
        self._blocks: dict[tuple[int, int], Block] = {}
        self._located = (0, -1)  # instruction count at the block, position of the last access in it
        self._access: tuple[int, bool] | None = None  # address of the peripheral access under way; a store?
        self._index: int | None = self._UNKNOWN  # of its instruction in the block, once somebody has asked

    def add(self, block: Block) -> None:
        """Remember a block that is about to run."""
        self._blocks[block.address, block.size] = block

    def block(self) -> Block | None:
        """The block that runs, or ran last."""
        return self._blocks.get((self._counter.state.block, self._counter.state.block_bytes))

    def ended_with(self, name: str) -> bool:
        """Whether the core stands behind a block whose last instruction is `name`."""
        block = self.block()
        return (
            block is not None and self._core.pc == block.end and block.instructions[-1].text.startswith(name)
        )

    def begin_access(self, address: int, store: bool) -> None:
        """A peripheral access begins."""
        self._access = (address, store)
        self._index = self._UNKNOWN

    def end_access(self) -> None:
        """It is done."""
        self._access = None

    def address(self) -> int:
        """Of the instruction whose peripheral access is under way, as far as that can be told."""
        block = self.block()
        index = self._index_of_access(block) if block is not None else None
        return self._core.pc if block is None or index is None else block.instructions[index].address

    def totals(self) -> tuple[int, int]:
        """Cycles and instructions so far: before the instruction whose peripheral access is under way."""
        cycles, instructions = int(self._counter.state.cycles), int(self._counter.state.instructions)
        block = self.block()
        index = self._index_of_access(block) if block is not None else None
        if block is None or index is None:
            return cycles, instructions
        return cycles - (block.cycles - block.before[index]), instructions - (len(block.instructions) - index)

    def _index_of_access(self, block: Block) -> int | None:
        if self._access is None:
            return None
        if self._index == self._UNKNOWN:
            entered = int(self._counter.state.instructions)
            after = self._located[1] if self._located[0] == entered else -1
            self._index = block.index_of_access(*self._access, self._core.register, after)
            if self._index is not None:
                self._located = (entered, self._index)
        return self._index
