"""What flash costs: data by the line, instructions by the line without the cache, almost nothing with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hil.board import Board
from hil.emulator.machine import Machine
from tests.support.arm_programs import assembly_elf, c_elf, dk, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

# Reads r6 words of flash, r7 bytes apart, from `table` on; `table` begins a line.
READS = """
    .globl main
    .thumb_func
main:
    ldr r5, =table
    movs r6, #{count}
1:  ldr r0, [r5]
    adds r5, #{step}
    subs r6, #1
    bne 1b
2:  wfe
    b 2b
    .ltorg
    .align 4
    .globl table
table:
    .rept 128
    .word 1
    .endr
"""


def flash_lines_read(folder: Path, *, count: int, step: int) -> int:
    machine = machine_of(assembly_elf(READS.format(count=count, step=step), folder))
    run_to_sleep(machine)
    return int(machine.counter.state.data_lines)


@pytest.mark.parametrize(
    ("count", "step", "lines"),
    [
        pytest.param(4, 4, 1, id="four words of one line"),
        pytest.param(8, 4, 2, id="eight words of two lines"),
        pytest.param(100, 0, 1, id="one word again and again"),
        pytest.param(8, 16, 8, id="one word of each line"),
    ],
)
def test_data_is_charged_by_the_line(count: int, step: int, lines: int, tmp_path: Path) -> None:
    nothing_read = flash_lines_read(tmp_path, count=1, step=4) - 1
    assert flash_lines_read(tmp_path, count=count, step=step) - nothing_read == lines


def test_word_across_two_lines_takes_both(tmp_path: Path) -> None:
    shifted = READS.replace("ldr r5, =table", "ldr r5, =table + 14")
    machine = machine_of(assembly_elf(shifted.format(count=1, step=4), tmp_path))
    run_to_sleep(machine)
    assert machine.counter.state.data_lines - (flash_lines_read(tmp_path, count=1, step=4) - 1) == 2


def test_each_line_costs_the_wait_states_of_the_profile(tmp_path: Path) -> None:
    elf = assembly_elf(READS.format(count=32, step=16), tmp_path)

    def cycles(wait_states: int) -> tuple[int, int]:
        board = dk()
        board = dataclasses.replace(board, flash=dataclasses.replace(board.flash, wait_states=wait_states))
        machine = machine_of(elf, board=board)
        run_to_sleep(machine)
        state = machine.counter.state
        return int(state.cycles), int(state.data_lines + state.fetch_lines)

    without, lines = cycles(0)
    for wait_states in (1, 2, 5):
        assert cycles(wait_states) == (without + wait_states * lines, lines)


# A loop of straight code, `size` bytes of it, run `rounds` times, with the cache on or off.
LOOP = """
    .globl main
    .thumb_func
main:
    ldr r0, =0x4001E540
    movs r1, #{cache}
    str r1, [r0]
    ldr r6, ={rounds}
    b 1f
    .ltorg
    .align 4
1:  .rept {size} / 2 - 4
    nop
    .endr
    subs r6, #1
    beq 2f
    b.w 1b
2:  wfe
    b 2b
"""


def run_loop(folder: Path, *, size: int, rounds: int, cache: bool, board: Board | None = None) -> Machine:
    machine = machine_of(
        assembly_elf(LOOP.format(size=size, rounds=rounds, cache=int(cache)), folder), board=board
    )
    run_to_sleep(machine)
    return machine


def test_without_the_cache_each_line_is_fetched_anew(tmp_path: Path) -> None:
    few = run_loop(tmp_path, size=256, rounds=10, cache=False).counter.state
    many = run_loop(tmp_path, size=256, rounds=110, cache=False).counter.state
    assert many.fetch_lines - few.fetch_lines == 100 * 256 // 16
    assert many.fetch_hits == 0


def test_loop_that_fits_into_the_cache_is_fetched_once(tmp_path: Path) -> None:
    few = run_loop(tmp_path, size=1024, rounds=10, cache=True).counter.state
    many = run_loop(tmp_path, size=1024, rounds=110, cache=True).counter.state
    assert many.fetch_lines == few.fetch_lines
    assert many.fetch_hits - few.fetch_hits >= 100 * 1024 // 16


def test_loop_of_twice_the_cache_misses_every_line(tmp_path: Path) -> None:
    """Least recently used lines go first, so a round finds nothing of the round before."""
    few = run_loop(tmp_path, size=4096, rounds=10, cache=True).counter.state
    many = run_loop(tmp_path, size=4096, rounds=110, cache=True).counter.state
    assert many.fetch_lines - few.fetch_lines == 100 * 4096 // 16


def test_cache_saves_the_wait_states(tmp_path: Path) -> None:
    on = run_loop(tmp_path, size=1024, rounds=200, cache=True).counter.state
    off = run_loop(tmp_path, size=1024, rounds=200, cache=False).counter.state
    assert on.instructions == off.instructions
    # 8 instructions of one cycle a line, and 2 wait states where it is fetched.
    assert 1.2 < off.cycles / on.cycles < 1.26


def test_board_without_a_cache_stays_without(tmp_path: Path) -> None:
    bare = dataclasses.replace(dk(), instruction_cache=None)
    machine = run_loop(tmp_path, size=256, rounds=10, cache=True, board=bare)
    off = run_loop(tmp_path, size=256, rounds=10, cache=False)
    assert machine.counter.state.cycles == off.counter.state.cycles


def test_profiling_counters_of_the_cache(tmp_path: Path) -> None:
    machine = machine_of(
        c_elf(
            """
            void handler(void) { for (;;) { } }
            int main(void) {
              REG(0x4001E540) = 0x101;
              for (volatile int i = 0; i < 100; i++) { }
              volatile uint32_t *out = (uint32_t *)0x20000000;
              out[0] = REG(0x4001E548);
              out[1] = REG(0x4001E54C);
              return 0;
            }
            """,
            tmp_path,
        )
    )
    run_to_sleep(machine)
    hits, misses = machine.memory.word(0x2000_0000), machine.memory.word(0x2000_0004)
    assert hits > 100
    assert 0 < misses < 20
