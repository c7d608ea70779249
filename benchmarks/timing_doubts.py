"""What the doubtful rules of the emulated cores' timing are worth: each one changed alone.

    python benchmarks/timing_doubts.py kws.tflite ic.tflite

Prints cycles of one inference, and by how much they change.  The tables of docs/emulator.md come from here.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import patch

from hil import firmware
from hil.api import compile_model
from hil.bench import input_bytes
from hil.board import Board, load_board
from hil.devices.emulated import EmulatedTransport
from hil.emulator import cores
from hil.emulator.instructions import Instruction
from hil.emulator.open import open_machine
from hil.emulator.stm32.clock import Clock
from hil.emulator.timing import cortex_m7, cortex_m33, kinds
from hil.link import Link

Doubt = tuple[str, Callable[[], AbstractContextManager[object]]]
_LISTED = kinds.LISTS | kinds.DOUBLES


def _slower(module: object, function: str, names: frozenset[str]) -> AbstractContextManager[object]:
    """One cycle more for each of the instructions `names`."""
    before = getattr(module, function)

    def changed(instruction: Instruction) -> object:
        found = before(instruction)
        if instruction.name not in names:
            return found
        return found + 1 if isinstance(found, int) else dataclasses.replace(found, alone=found.alone + 1)

    return patch.object(module, function, changed)


def _leaving(
    architecture: str, change: Callable[[tuple[int, int]], tuple[int, int]]
) -> AbstractContextManager[object]:
    """Another charge for leaving a block."""
    model = cores.CORES[architecture]
    timing = dataclasses.replace(model.timing, leaving=lambda last: change(model.timing.leaving(last)))
    return patch.dict(cores.CORES, {architecture: dataclasses.replace(model, timing=timing)})


def _anywhere() -> AbstractContextManager[object]:
    issues = {n: dataclasses.replace(i, first=False) for n, i in cortex_m7._ISSUES.items()}
    return patch.object(cortex_m7, "_ISSUES", issues)


M7: tuple[Doubt, ...] = (
    ("never two at once", lambda: patch.object(cortex_m7._Pipeline, "_joins", lambda *_: False)),
    ("lists a cycle longer", lambda: _slower(cortex_m7, "_issue", kinds.LISTS)),
    ("packed operations behind a partner", _anywhere),
    ("every branch guessed right", lambda: _leaving("cortex-m7", lambda _: (0, 0))),
    ("wrong guesses twice as dear", lambda: _leaving("cortex-m7", lambda c: (2 * c[0], 2 * c[1]))),
)
M33: tuple[Doubt, ...] = (
    ("no pairs", lambda: patch.object(cortex_m33, "_pairs", lambda *_: False)),
    ("lists and pairs of words a cycle longer", lambda: _slower(cortex_m33, "_cycles", _LISTED)),
    ("loads a cycle longer", lambda: _slower(cortex_m33, "_cycles", cortex_m33._LOADS)),
    ("nothing waits", lambda: patch.object(cortex_m33, "_waits", lambda *_: False)),
    ("a taken branch costs 2", lambda: _leaving("cortex-m33", lambda _: (2, 0))),
)

# Arm's table of the Cortex-M0+ leaves no doubt; what a miss of RP2040's cache costs does.
BOARDS: tuple[tuple[str, tuple[Doubt, ...], tuple[float, ...]], ...] = (
    ("pico", (), (0.5, 0)),
    ("disco_f746ng", M7, (2,)),
    ("nucleo_u575zi", M33, (2,)),
)


def _cycles(board: Board, elf: Path) -> int:
    machine = open_machine(board, f"emulated:{board.id}")
    machine.load(elf)
    link = Link(EmulatedTransport(machine, board.id), board.id)
    link.write_input(input_bytes(link.hello().input_bytes))
    return link.run().cycles


def _doubts(
    board: Board, elf: Path, doubts: tuple[Doubt, ...], misses: tuple[float, ...]
) -> Iterator[tuple[str, int]]:
    for name, changed in (("as charged", nullcontext), *doubts):
        with changed():
            yield name, _cycles(board, elf)
    for factor in misses:
        flash = dataclasses.replace(board.flash, wait_states=int(factor * board.flash.wait_states))
        with patch.object(Clock, "check", lambda *_: None):  # the firmware sets the wait states that are real
            yield f"misses {factor:g} times as long", _cycles(dataclasses.replace(board, flash=flash), elf)


def main(models: list[str]) -> None:
    """Print a table for each board and model."""
    for board_id, doubts, misses in BOARDS:
        board = load_board(board_id)
        for model in models:
            elf = firmware.build(compile_model(model, board=board), board).elf
            assert elf is not None
            charged = 0
            for name, cycles in _doubts(board, elf, doubts, misses):
                charged = charged or cycles
                print(
                    f"{board_id:14} {Path(model).stem:4} {name:40} {cycles:>11,} {cycles / charged - 1:+7.1%}"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
