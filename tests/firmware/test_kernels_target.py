"""The kernels as the target compiles them: without a warning, and asking no more than memcpy and memset."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from hil.codegen import generate
from hil.graph import read
from tests.firmware.host import KERNELS, RUNTIME, WARNINGS, compile_c
from tests.support.network_cases import fixed_networks

CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2")
SOURCES = sorted(KERNELS.glob("*.c"))

needs_arm_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
)


def compile_for_target(source: Path, folder: Path) -> ELFFile:
    target = folder / f"{source.stem}.o"
    compile_c(
        *(*CORTEX_M4, *WARNINGS, f"-I{KERNELS}", f"-I{RUNTIME}", "-c", source, "-o", target),
        compiler="arm-none-eabi-gcc",
    )
    return ELFFile(target.open("rb"))


@needs_arm_gcc
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_kernel_asks_for_no_library(source: Path, tmp_path: Path) -> None:
    """No heap, no division routine, no 64-bit helper, no float, no mutable data."""
    elf = compile_for_target(source, tmp_path)
    undefined = {
        s.name for s in elf.get_section_by_name(".symtab").iter_symbols() if s["st_shndx"] == "SHN_UNDEF"
    }
    undefined.discard("")
    assert {name for name in undefined if not name.startswith("hil_")} <= {"memcpy", "memset"}
    for section in (".data", ".bss"):
        assert elf.get_section_by_name(section)["sh_size"] == 0


@needs_arm_gcc
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_kernel_file_is_named_like_its_function(source: Path, tmp_path: Path) -> None:
    """A file is one kernel, or a part that kernels share and another header declares."""
    elf = compile_for_target(source, tmp_path)
    symbols = elf.get_section_by_name(".symtab").iter_symbols()
    public = {
        s.name for s in symbols if s["st_info"]["bind"] == "STB_GLOBAL" and s["st_shndx"] != "SHN_UNDEF"
    }
    kernels, *parts = (
        set(re.findall(r"\bhil_\w+_s8\b", header.read_text()))
        for header in sorted(KERNELS.glob("*.h"), key=lambda path: path.name != "hil_kernels.h")
    )
    assert public
    assert all(name.startswith("hil_") and name.endswith("_s8") for name in public)
    assert public == {source.stem} or (public <= set().union(*parts) and not public & kernels)


@needs_arm_gcc
def test_weights_and_arena_have_sections_of_their_own(tmp_path: Path) -> None:
    program = generate(read(fixed_networks()[0].model))
    model = tmp_path / "model.c"
    model.write_text(program.sources["model.c"])
    elf = compile_for_target(model, tmp_path)
    weights = elf.get_section_by_name(".hil_weights")
    arena = elf.get_section_by_name(".hil_arena")
    padding = 3 * program.sources["model.c"].count("HIL_WEIGHTS")  # each constant starts on a word
    assert program.weight_bytes <= weights["sh_size"] <= program.weight_bytes + padding
    assert weights["sh_flags"] & 0x1 == 0  # SHF_WRITE: it can stay in flash
    assert arena["sh_size"] == program.plan.arena_bytes
    assert arena["sh_addralign"] == 16
