"""An Image: one Program built for one board.  What is flashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.program import Program


@dataclass(frozen=True, eq=False)
class Image:
    """The output of `Device.build`.

    Attributes:
        program: what it runs.
        board_id: for which board it was built.
        digest: SHA-256 (hex) over what goes to flash; of model, plan and profile for a simulated board.
        elf: the linked firmware; None for a simulated board, whose sizes are estimates.
        code_bytes: flash without the model's constants.
        weight_bytes: flash of the model's constants.
        static_bytes: RAM of .data and .bss without the arena and without the stack.
        arena_bytes: RAM of the arena.
        stack_reserved_bytes: RAM that the linker keeps for the stack.
        build_digest: 8 bytes that the firmware reports in INFO; they tell one build from another.
        tools: name -> version of what built it (compiler, PlatformIO, project).
        build_s: seconds that the build took; 0.0 where it was found in the cache.
    """

    program: Program
    board_id: str
    digest: str
    elf: Path | None
    code_bytes: int
    weight_bytes: int
    static_bytes: int
    arena_bytes: int
    stack_reserved_bytes: int
    build_digest: bytes
    tools: Mapping[str, str] = field(default_factory=dict)
    build_s: float = 0.0

    @property
    def flash_bytes(self) -> int:
        return self.code_bytes + self.weight_bytes
