"""Where in its block the core is.  Unicorn keeps registers exact at each access, the program counter not."""

from __future__ import annotations

from hil.emulator.blocks import Block
from hil.emulator.cortex_m.core import Core
from hil.emulator.counter import Counter


class Position:
    """All blocks that have run, and the place within the last one."""

    def __init__(self, counter: Counter, core: Core) -> None:
        self._counter = counter
        self._core = core
        self._blocks: dict[tuple[int, int], Block] = {}
        self._located = (0, -1)  # instruction count at the block, position of the last access in it

    def add(self, block: Block) -> None:
        """Remember a block that is about to run."""
        self._blocks[block.address, block.size] = block

    def block(self) -> Block | None:
        """The block that runs, or ran last."""
        return self._blocks.get((self._counter.state.block, self._counter.state.block_bytes))

    def index_of_access(self, address: int, store: bool) -> int | None:
        """Position in the block of the instruction whose peripheral access is under way."""
        block = self.block()
        if block is None:
            return None
        entered = int(self._counter.state.instructions)
        after = self._located[1] if self._located[0] == entered else -1
        index = block.index_of_access(address, store, self._core.register, after)
        if index is not None:
            self._located = (entered, index)
        return index

    def totals_at(self, index: int) -> tuple[int, int]:
        """Cycles and instructions before the instruction at `index` of the block that runs."""
        cycles, instructions = int(self._counter.state.cycles), int(self._counter.state.instructions)
        block = self.block()
        if block is None:
            return cycles, instructions
        return cycles - (block.cycles - block.before[index]), instructions - (len(block.instructions) - index)
