"""Caches of data, and one cache for both: what they charge, and that both counters agree on it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hil.board import Board, Cache
from hil.emulator.counter import PythonHooks
from hil.emulator.machine import Machine
from tests.hil.test_emulator_counter import PROGRAM, native_hooks
from tests.support.arm_programs import assembly_elf, c_elf, dk, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

FIGURES = ("cycles", "instructions", "data_lines", "data_hits", "fetch_lines", "fetch_hits")

# Reads `words` words of flash, 16 bytes apart, `rounds` times over.
READS = """
    .globl main
    .thumb_func
main:
    movs r7, #{rounds}
1:  ldr r5, =table
    movs r6, #{words}
2:  ldr r0, [r5]
    adds r5, #16
    subs r6, #1
    bne 2b
    subs r7, #1
    bne 1b
3:  wfe
    b 3b
    .ltorg
    .align 4
    .globl table
table:
    .space 4096
"""


def board_with(
    *, instructions: Cache | None = None, data: Cache | None = None, wait_states: int = 5
) -> Board:
    flash = dataclasses.replace(dk().flash, wait_states=wait_states)
    return dataclasses.replace(dk(), flash=flash, instruction_cache=instructions, data_cache=data)


def run(elf: Path, board: Board, folder: Path, *, instructions: bool = False, data: bool = False) -> Machine:
    machine = machine_of(elf, board=board, hooks=native_hooks(folder))
    if instructions:
        machine.counter.set_cache(True)
    if data:
        machine.counter.set_data_cache(True)
    run_to_sleep(machine)
    return machine


def test_table_that_fits_into_the_data_cache_is_read_once(tmp_path: Path) -> None:
    board = board_with(data=Cache(1024, 16, 4, True))
    few, many = (
        run(assembly_elf(READS.format(rounds=rounds, words=32), tmp_path), board, tmp_path, data=True)
        for rounds in (2, 12)
    )
    assert many.counter.state.data_lines == few.counter.state.data_lines
    assert many.counter.state.data_hits - few.counter.state.data_hits >= 10 * 32


def test_table_of_twice_the_data_cache_misses_every_line(tmp_path: Path) -> None:
    board = board_with(data=Cache(1024, 16, 4, True))
    few, many = (
        run(assembly_elf(READS.format(rounds=rounds, words=128), tmp_path), board, tmp_path, data=True)
        for rounds in (2, 12)
    )
    assert many.counter.state.data_lines - few.counter.state.data_lines >= 10 * 128


def test_data_cache_that_is_off_is_not_asked(tmp_path: Path) -> None:
    elf = assembly_elf(READS.format(rounds=5, words=32), tmp_path)
    off = run(elf, board_with(data=Cache(1024, 16, 4, True)), tmp_path, data=False)
    without = run(elf, board_with(), tmp_path)
    assert off.counter.state.data_hits == 0
    assert off.counter.state.cycles == without.counter.state.cycles


def test_miss_costs_the_wait_states_of_all_fetches_that_fill_the_line(tmp_path: Path) -> None:
    """Lines of 64 bytes from a flash that gives 16 at a time."""
    elf = assembly_elf(READS.format(rounds=1, words=64), tmp_path)
    cache = Cache(4096, 64, 2, True)
    slow = run(elf, board_with(data=cache, wait_states=3), tmp_path, data=True).counter.state
    fast = run(elf, board_with(data=cache, wait_states=0), tmp_path, data=True).counter.state
    assert slow.data_lines == fast.data_lines
    assert slow.cycles - fast.cycles == 3 * (4 * slow.data_lines + slow.fetch_lines)


def test_unified_cache_holds_code_and_data(tmp_path: Path) -> None:
    """Data of twice its size drives the code out; a data cache of its own spares it."""
    cache = Cache(1024, 16, 1, True, unified=True)
    elf = assembly_elf(READS.format(rounds=20, words=128), tmp_path)
    unified = run(elf, board_with(instructions=cache), tmp_path, instructions=True).counter.state
    own = dataclasses.replace(cache, unified=False)
    split = run(
        elf, board_with(instructions=own, data=own), tmp_path, instructions=True, data=True
    ).counter.state
    assert unified.data_lines >= 20 * 128
    assert split.fetch_lines < 10
    assert unified.fetch_lines > 20
    assert unified.fetch_hits > 1000
    small = run(
        assembly_elf(READS.format(rounds=20, words=16), tmp_path),
        board_with(instructions=dataclasses.replace(cache, ways=2)),
        tmp_path,
        instructions=True,
    ).counter.state
    assert small.fetch_lines + small.data_lines < 40


@pytest.mark.parametrize("unified", [False, True])
def test_both_counters_agree_about_caches(unified: bool, tmp_path: Path) -> None:
    instructions = Cache(256, 16, 4, True, unified=unified)
    board = board_with(instructions=instructions, data=None if unified else Cache(64, 32, 2, True))
    elf = c_elf(PROGRAM.replace("CACHE", "1"), tmp_path)
    found = []
    for hooks in (native_hooks(tmp_path), PythonHooks()):
        machine = machine_of(elf, board=board, hooks=hooks)
        machine.counter.set_data_cache(True)
        run_to_sleep(machine)
        found.append({name: int(getattr(machine.counter.state, name)) for name in FIGURES})
    assert found[0] == found[1]
    assert found[0]["data_hits"] > 10
    assert found[0]["fetch_hits"] > 1000
