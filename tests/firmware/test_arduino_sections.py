"""Where a model lies in an image that a foreign linker script lays out, as those of Arduino cores do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hil import toolchain
from hil.elf import Elf, read_elf
from hil.resources import firmware_dir
from tests.support.firmware import needs_toolchain

pytestmark = needs_toolchain

ARENA_BYTES, WEIGHT_BYTES = 5008, 1000
FLASH = 0x26000

# Knows neither weights nor arena, has a section between code and initial values (the linker puts weights
# before it, and else would refuse them as overlapping), and makes a heap of what is left.
SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x26000, LENGTH = 100K  RAM (rwx) : ORIGIN = 0x20006000, LENGTH = 232K }
ENTRY(start)
SECTIONS {
  .text : { *(.text*) *(.rodata*) } > FLASH
  .ARM.exidx : { *(.ARM.exidx*) } > FLASH
  initial_values = .;
  .data : AT (initial_values) { *(.data*) } > RAM
  .bss : { *(.bss*) *(COMMON) } > RAM
  .heap (NOLOAD) : { heap_start = .; . = ORIGIN(RAM) + LENGTH(RAM) - 2K; } > RAM
  .stack (NOLOAD) : { . = . + 2K; } > RAM
}
"""
SOURCE = """
#include <stdint.h>
#include "hil_sections.h"
int8_t hil_arena[5008] HIL_ARENA;
static const int8_t weights[1000] HIL_WEIGHTS = {1, 2, 3};
int number = 5;
static int zero[100];
int start(void) { return hil_arena[number] + weights[number] + zero[number]; }
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Elf:
    folder = tmp_path_factory.mktemp("arduino")
    (folder / "image.ld").write_text(SCRIPT)
    (folder / "image.c").write_text(SOURCE)
    kernels = firmware_dir() / "lib" / "kernels"
    command = [
        str(toolchain.find_compiler().path),
        *("-mcpu=cortex-m4", "-mthumb", "-O2", "-fdata-sections", "-DARDUINO=10819", "-Wall", "-Werror"),
        *(f"-I{kernels}", "-nostdlib", "-Wl,--gc-sections", "-Wl,-T,image.ld"),
        *("image.c", "-o", "image.elf"),
    ]
    subprocess.run(command, cwd=folder, check=True)
    return read_elf(Path(folder / "image.elf"))


def test_the_arena_takes_no_flash(image: Elf) -> None:
    assert image.arena_bytes == ARENA_BYTES
    assert sum(len(segment.data) for segment in image.segments) < ARENA_BYTES


def test_weights_lie_in_flash_and_initial_values_behind_them(image: Elf) -> None:
    assert image.weight_bytes == WEIGHT_BYTES
    end = max(segment.address + len(segment.data) for segment in image.segments)
    assert FLASH + WEIGHT_BYTES < image.symbols["initial_values"] < end < FLASH + 100 * 1024


def test_the_heap_begins_behind_the_arena_and_counts_as_free(image: Elf) -> None:
    assert image.symbols["heap_start"] >= image.symbols["hil_arena"] + ARENA_BYTES
    assert image.static_bytes < 1000
    assert image.stack_bytes == 2048
