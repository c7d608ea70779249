"""Instructions are counted exactly, and the counter in C agrees with the one in Python in every figure."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from unicorn import UC_HOOK_CODE

from hil.emulator import native
from hil.emulator.counter import Counter, Hooks, PythonHooks
from hil.emulator.native import NativeHooks
from tests.support.arm_programs import assembly_elf, c_elf, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

# Loops, calls, a switch, division, conditional execution, tables in flash, code that outgrows the cache.
PROGRAM = """
void handler(void) { for (;;) { } }
static const uint8_t table[256] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9 };
static volatile uint32_t sink;
__attribute__((noinline)) static uint32_t collatz(uint32_t n) {
  uint32_t steps = 0;
  while (n != 1) { n = n & 1 ? 3 * n + 1 : n / 2; steps++; }
  return steps;
}
__attribute__((noinline)) static uint32_t choose(uint32_t n) {
  switch (n % 6) { case 0: return n + 7; case 1: return n * 3; case 2: return n ^ 85; case 3: return ~n;
                   case 4: return n << 3; default: return n / (n % 7 + 1); }
}
#define FOUR(x) x x x x
__attribute__((noinline)) static void big(void) { FOUR(FOUR(FOUR(FOUR(sink += 3; sink ^= 7;)))) }
int main(void) {
  REG(0x4001E540) = CACHE;
  for (uint32_t i = 1; i < 60; i++) {
    sink += collatz(i) + choose(i + sink) + table[sink & 255] + (i > 30 ? sink >> 3 : 1);
    if (i % 16 == 0) big();
  }
  return 0;
}
"""

FIGURES = ("cycles", "instructions", "taken", "data_lines", "fetch_lines", "fetch_hits")


def native_hooks(folder: Path) -> NativeHooks:
    command = native.compiler()
    if command is None:
        pytest.skip("needs a C compiler for this computer")
    library = native.build(folder, command)
    assert library is not None, "counter.c does not compile"
    return NativeHooks(library)


def figures(elf: Path, hooks: Hooks) -> dict[str, int]:
    machine = machine_of(elf, hooks=hooks)
    run_to_sleep(machine)
    return {name: int(getattr(machine.counter.state, name)) for name in FIGURES}


@pytest.mark.parametrize("cache", [0, 1])
def test_both_counters_agree(cache: int, tmp_path: Path) -> None:
    elf = c_elf(PROGRAM.replace("CACHE", str(cache)), tmp_path)
    found = figures(elf, native_hooks(tmp_path))
    assert found == figures(elf, PythonHooks())
    assert found["taken"] > 1000
    assert found["data_lines"] > 10
    assert found["fetch_lines"] > (200 if cache else 2000)


class WithCodeHook:
    """Another counter, and a hook that counts each single instruction."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.executed = 0

    def attach(self, counter: Counter, engine: Any) -> None:
        self._hooks.attach(counter, engine)
        engine.hook_add(UC_HOOK_CODE, self._count)

    def _count(self, _engine: Any, _address: int, _size: int, _user: Any) -> None:
        self.executed += 1


def test_instructions_are_counted_exactly(tmp_path: Path) -> None:
    # Unicorn's hook does not see instructions whose condition fails, so there are none here.
    elf = c_elf(PROGRAM.replace("CACHE", "1"), tmp_path, "-fno-if-conversion", "-fno-if-conversion2")
    one_by_one = WithCodeHook(native_hooks(tmp_path))
    assert figures(elf, one_by_one)["instructions"] == one_by_one.executed
    assert figures(elf, native_hooks(tmp_path))["instructions"] == one_by_one.executed
    assert one_by_one.executed > 10_000


def test_instruction_whose_condition_fails_counts(tmp_path: Path) -> None:
    """It takes its place in the pipeline, and QEMU's -icount counts it, too."""

    def instructions(condition: str) -> int:
        body = f"""
            .globl main
            .thumb_func
        main:
            movs r0, #1
            cmp r0, #1
            it {condition}
            add{condition} r0, r0, r0
        1:  wfe
            b 1b
        """
        machine = machine_of(assembly_elf(body, tmp_path))
        run_to_sleep(machine)
        return int(machine.counter.state.instructions)

    assert instructions("eq") == instructions("ne")


def test_stopping_in_between_changes_nothing(tmp_path: Path) -> None:
    elf = c_elf(PROGRAM.replace("CACHE", "1"), tmp_path)
    whole = figures(elf, native_hooks(tmp_path))
    machine = machine_of(elf, hooks=native_hooks(tmp_path))
    while machine.run(37).value != "asleep":
        pass
    assert {name: int(getattr(machine.counter.state, name)) for name in FIGURES} == whole


def test_two_runs_give_the_same_figures(tmp_path: Path) -> None:
    elf = c_elf(PROGRAM.replace("CACHE", "1"), tmp_path)
    assert figures(elf, native_hooks(tmp_path)) == figures(elf, native_hooks(tmp_path))


def test_library_is_compiled_once(tmp_path: Path) -> None:
    command = native.compiler()
    if command is None:
        pytest.skip("needs a C compiler for this computer")
    first = native.build(tmp_path, command)
    assert first is not None
    written = first.stat().st_mtime_ns
    assert native.build(tmp_path, command) == first
    assert first.stat().st_mtime_ns == written
    assert list(tmp_path.iterdir()) == [first]


def test_compiler_that_fails_is_done_without(tmp_path: Path) -> None:
    false = shutil.which("false")
    assert false is not None
    assert native.build(tmp_path, false) is None
    assert list(tmp_path.iterdir()) == []


def test_without_a_compiler_python_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "there-is-no-such-compiler")
    native.hooks.cache_clear()
    try:
        assert isinstance(native.hooks(), PythonHooks)
    finally:
        native.hooks.cache_clear()
