"""What must hold among the facts of a board, as a list of named checks.

The types say that a number is a number; these say that it can be true.  Each check yields a sentence for each
thing that it finds wrong, and its docstring says why it is asked.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hil.board.types import Board, Clock

Check = Callable[[Board], Iterator[str]]

# Board fields that are not facts about the board, and so need no source.
_NOT_FACTS = ("id", "name", "chip", "digest", "sources", "own_clock")


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def _numbers(value: Any, key: str = "") -> Iterator[str]:
    """Dotted keys of all numbers below `value`."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield key
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if key or field.name not in _NOT_FACTS:
                yield from _numbers(getattr(value, field.name), f"{key}.{field.name}".lstrip("."))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _numbers(item, f"{key}.{name}")
    elif isinstance(value, tuple):
        for item in value:
            if isinstance(item, Clock):
                yield from _numbers(item, f"{key}.{item.name}")


def _with_parents(key: str) -> Iterator[str]:
    """ "flash.size_bytes" -> "flash.size_bytes", "flash"."""
    parts = key.split(".")
    for count in range(len(parts), 0, -1):
        yield ".".join(parts[:count])


def _known_keys(board: Board) -> set[str]:
    """All dotted keys that a source may name: numbers, their tables, and text fields of tables."""
    keys = {parent for key in _numbers(board) for parent in _with_parents(key)}
    for field in dataclasses.fields(board):
        table = getattr(board, field.name)
        if dataclasses.is_dataclass(table):
            keys |= {f"{field.name}.{inner.name}" for inner in dataclasses.fields(table)}
    return keys


def every_number_names_its_source(board: Board) -> Iterator[str]:
    """A figure that nobody can trace cannot be trusted, nor corrected."""
    for key in _numbers(board):
        if not any(parent in board.sources for parent in _with_parents(key)):
            yield f'{key} has no source; add "{key}" (or its table) to [sources]'


def every_source_belongs_to_a_key(board: Board) -> Iterator[str]:
    """A source for a key that does not exist is a typo, and then the number meant is left without one."""
    known = _known_keys(board)
    for key, text in board.sources.items():
        if key not in known:
            yield f"sources names {key!r}, which this profile does not have"
        if not text.strip():
            yield f"the source of {key} is empty"


def id_is_an_identifier(board: Board) -> Iterator[str]:
    """The id becomes a PlatformIO environment, a C string and a folder name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", board.id):
        yield f"the file's name gives the id {board.id!r}; use lower-case letters, digits and _"


def chip_is_an_identifier(board: Board) -> Iterator[str]:
    """Looked up by the emulator; a chip that it does not know can still be measured and simulated."""
    if not re.fullmatch(r"[a-z][a-z0-9]*", board.chip):
        yield f"chip is {board.chip!r}, expected the part in lower-case letters and digits, e.g. nrf52840"


def clock_in_range(board: Board) -> Iterator[str]:
    """Catches MHz or kHz written where Hz is meant."""
    if not 100_000 <= board.core.clock_hz <= 2_000_000_000:
        yield f"core.clock_hz is {board.core.clock_hz}, expected 100 kHz to 2 GHz in Hz"


def clocks_need_no_more_wait_states_than_faster_ones(board: Board) -> Iterator[str]:
    """Flash takes its time, so a slower core waits fewer cycles for it; and no clock stands there twice."""
    own = Clock(board.core.clock_hz, board.flash.wait_states)
    clocks = sorted((own, *board.clocks), key=lambda clock: clock.hz)
    for slower, faster in itertools.pairwise(clocks):
        if slower.hz == faster.hz:
            yield f"clocks: {slower.name} stands there twice, or is core.clock_hz"
        elif slower.wait_states > faster.wait_states:
            yield (
                f"clocks: {slower.wait_states} wait states at {slower.name}, "
                f"but {faster.wait_states} at {faster.name}"
            )
    for clock in board.clocks:
        if not 100_000 <= clock.hz <= 2_000_000_000:
            yield f"clocks: hz is {clock.hz}, expected 100 kHz to 2 GHz in Hz"
        if not 0 <= clock.wait_states <= 200:
            yield f"clocks.{clock.name}.wait_states is {clock.wait_states}, expected 0 to 200 cycles per line"


def clocks_draw_what_is_plausible(board: Board) -> Iterator[str]:
    """A current at another clock is of the supply that [power] names, and grows with the clock."""
    for clock in board.clocks:
        current_a = clock.active_current_a
        if current_a is None:
            continue
        if board.power is None:
            yield f"clocks.{clock.name}.active_current_a needs [power], which names the voltage"
        elif not 1e-5 <= current_a <= 1.5 or (current_a > board.power.active_current_a) != (
            clock.hz > board.core.clock_hz
        ):
            yield (
                f"clocks.{clock.name}.active_current_a is {current_a} A, "
                f"but {board.power.active_current_a} A at {board.core.clock_hz / 1e6:g} MHz"
            )


def memories_are_32_bit(board: Board) -> Iterator[str]:
    """Sizes and addresses go into linker scripts and the emulator's memory map."""
    for name, memory in (("flash", board.flash), ("ram", board.ram)):
        if memory.size_bytes <= 0:
            yield f"{name}.size_bytes is {memory.size_bytes}, expected more than 0"
        if memory.base < 0 or memory.base + memory.size_bytes > 2**32:
            yield f"{name} ends at {memory.base + memory.size_bytes:#x}, beyond 32-bit addresses"


def flash_and_ram_do_not_overlap(board: Board) -> Iterator[str]:
    """Two memories cannot share an address (AVR has two address spaces and is exempt)."""
    if board.core.architecture.startswith("avr"):
        return
    flash, ram = board.flash, board.ram
    if flash.base < ram.base + ram.size_bytes and ram.base < flash.base + flash.size_bytes:
        yield (
            f"flash {flash.base:#x}+{flash.size_bytes:#x} and ram {ram.base:#x}+{ram.size_bytes:#x} overlap"
        )


def flash_line_is_a_power_of_two(board: Board) -> Iterator[str]:
    """The emulator finds a line by masking the address."""
    if not _is_power_of_two(board.flash.line_bytes):
        yield f"flash.line_bytes is {board.flash.line_bytes}, expected a power of two"


def wait_states_in_range(board: Board) -> Iterator[str]:
    """Catches nanoseconds written where cycles are meant."""
    if not 0 <= board.flash.wait_states <= 200:
        yield f"flash.wait_states is {board.flash.wait_states}, expected 0 to 200 cycles per line"


def caches_hold_whole_sets(board: Board) -> Iterator[str]:
    """A cache is lines x ways x sets, and the set is found by masking the address."""
    for name, cache in (("instruction_cache", board.instruction_cache), ("data_cache", board.data_cache)):
        if cache is None:
            continue
        if not _is_power_of_two(cache.line_bytes):
            yield f"{name}.line_bytes is {cache.line_bytes}, expected a power of two"
        elif cache.ways <= 0 or cache.size_bytes % (cache.line_bytes * cache.ways):
            yield (
                f"{name}: {cache.size_bytes} bytes are not whole sets of {cache.ways} ways "
                f"x {cache.line_bytes} bytes"
            )
        elif not _is_power_of_two(cache.size_bytes // (cache.line_bytes * cache.ways)):
            yield f"{name}: {cache.size_bytes} bytes do not make a power of two of sets"


def data_goes_through_one_cache(board: Board) -> Iterator[str]:
    """A unified cache is written once, as instruction_cache; a read is charged by one cache."""
    instructions, data = board.instruction_cache, board.data_cache
    if data is None:
        return
    if data.unified:
        yield "data_cache.unified is true; write a unified cache as instruction_cache"
    if instructions is not None and instructions.unified:
        yield "instruction_cache is unified, so reads of data go through it; remove data_cache"


def power_is_plausible(board: Board) -> Iterator[str]:
    """Catches mV and mA written where V and A are meant: energy would be a thousand times too large."""
    power = board.power
    if power is None:
        return
    if not 0.6 <= power.voltage_v <= 12:
        yield f"power.voltage_v is {power.voltage_v}, expected 0.6 to 12 V"
    if not 1e-5 <= power.active_current_a <= 1.5:
        yield f"power.active_current_a is {power.active_current_a}, expected 0.00001 to 1.5 A"


def idle_draws_less_than_active(board: Board) -> Iterator[str]:
    """Otherwise the two were mixed up, or one is in another unit."""
    power = board.power
    if power is None or power.idle_current_a is None:
        return
    if not 0 <= power.idle_current_a < power.active_current_a:
        yield (
            f"power.idle_current_a is {power.idle_current_a}, expected 0 to less than "
            f"{power.active_current_a} A (power.active_current_a)"
        )


def endurance_in_range(board: Board) -> Iterator[str]:
    """Flash is not flashed again once 90 % of this are used up: a small typo would bar a new board."""
    if not 100 <= board.flash.endurance_cycles <= 10_000_000:
        yield f"flash.endurance_cycles is {board.flash.endurance_cycles}, expected 100 to 10,000,000"


def baud_in_range(board: Board) -> Iterator[str]:
    """What serial adapters can do."""
    if not 1200 <= board.serial.baud <= 12_000_000:
        yield f"serial.baud is {board.serial.baud}, expected 1200 to 12,000,000"


def usb_ids_are_well_formed(board: Board) -> Iterator[str]:
    """Compared as text with what the operating system reports."""
    for key in ("usb_ids", "bootloader_usb_ids"):
        for text in getattr(board.serial, key):
            if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", text):
                yield f'serial.{key} holds {text!r}, expected "vid:pid" in lower-case hex, e.g. "2341:805a"'


def bootloader_can_be_told_from_the_firmware(board: Board) -> Iterator[str]:
    """Where both show the same id, a port does not tell which of the two waits behind it."""
    serial = board.serial
    for text in sorted(set(serial.usb_ids) & set(serial.bootloader_usb_ids)):
        yield f"serial.usb_ids and serial.bootloader_usb_ids both hold {text!r}; a port is one or the other"
    if serial.touch_1200 and not serial.bootloader_usb_ids:
        yield "serial.touch_1200 starts a bootloader; serial.bootloader_usb_ids does not say how it appears"


def stack_fits(board: Board) -> Iterator[str]:
    """The linker reserves it at the top of RAM, aligned to 8 as the ARM procedure call standard asks."""
    stack = board.build.stack_bytes
    if not 0 < stack < board.ram.size_bytes:
        yield f"build.stack_bytes is {stack}, expected 1 to {board.ram.size_bytes - 1} (ram.size_bytes)"
    elif stack % 8:
        yield f"build.stack_bytes is {stack}, expected a multiple of 8"


def simulator_has_a_default(board: Board) -> Iterator[str]:
    """Operators without coefficients of their own are charged by DEFAULT."""
    if "DEFAULT" not in board.simulator.operators:
        yield "simulator.operators has no DEFAULT"


def simulator_costs_are_not_negative(board: Board) -> Iterator[str]:
    """No operator gives time back."""
    for name, cost in board.simulator.operators.items():
        for field in dataclasses.fields(cost):
            value = getattr(cost, field.name)
            if not 0 <= value < float("inf"):
                yield f"simulator.operators.{name}.{field.name} is {value}, expected 0 or more"


def simulator_firmware_leaves_room(board: Board) -> Iterator[str]:
    """An empty firmware that fills the board would let no model fit."""
    simulator = board.simulator
    if not 0 < simulator.code_bytes < board.flash.size_bytes:
        yield f"simulator.code_bytes is {simulator.code_bytes}, flash has {board.flash.size_bytes}"
    if simulator.static_bytes < 0 or simulator.stack_bytes < 0:
        yield "simulator.static_bytes and simulator.stack_bytes must not be negative"
    if simulator.static_bytes + board.build.stack_bytes >= board.ram.size_bytes:
        yield (
            f"simulator.static_bytes {simulator.static_bytes} and build.stack_bytes "
            f"{board.build.stack_bytes} fill all of ram ({board.ram.size_bytes})"
        )


CHECKS: tuple[Check, ...] = (
    every_number_names_its_source,
    every_source_belongs_to_a_key,
    id_is_an_identifier,
    chip_is_an_identifier,
    clock_in_range,
    clocks_need_no_more_wait_states_than_faster_ones,
    clocks_draw_what_is_plausible,
    memories_are_32_bit,
    flash_and_ram_do_not_overlap,
    flash_line_is_a_power_of_two,
    wait_states_in_range,
    caches_hold_whole_sets,
    data_goes_through_one_cache,
    power_is_plausible,
    idle_draws_less_than_active,
    endurance_in_range,
    baud_in_range,
    usb_ids_are_well_formed,
    bootloader_can_be_told_from_the_firmware,
    stack_fits,
    simulator_has_a_default,
    simulator_costs_are_not_negative,
    simulator_firmware_leaves_room,
)


def failures(board: Board) -> list[str]:
    """What is wrong with `board`, as "name of the check: sentence" in the order of CHECKS."""
    return [
        f"{check.__name__.replace('_', ' ')}: {sentence}" for check in CHECKS for sentence in check(board)
    ]
