"""The firmware project itself: environments, flags, linker script."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path

import pytest

from hil import toolchain
from hil.firmware.template import load_template, write_files
from hil.resources import firmware_dir
from hil.toolchain import run_platformio
from tests.support.firmware import needs_toolchain

PORT = Path("lib/port/nrf52840")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def project(cache: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write_files(load_template().files, folder)
    return folder


def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(firmware_dir() / "platformio.ini")
    return parser


def link(project: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Link `source` with nothing but the linker script."""
    (project / "only.c").write_text(source)
    compiler = str(toolchain.find_compiler().path)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
    script = f"-Wl,-T{project / 'lib/port/cortex_m/image.ld'}"
    sizes = {
        "HIL_STACK_BYTES": 4096,
        "HIL_FLASH_BASE": 0,
        "HIL_FLASH_BYTES": 1 << 20,
        "HIL_RAM_BYTES": 1 << 18,
    }
    given = [f"-Wl,--defsym={name}={size}" for name, size in sizes.items() if name not in str(options)]
    command = [compiler, *flags, "-nostdlib", *given, *options, script, str(project / "only.c")]
    return subprocess.run(
        [*command, "-o", str(project / "only.elf")], capture_output=True, text=True, check=False
    )


MINIMAL = 'void hil_reset_handler(void) {}\n__attribute__((section(".hil_arena"))) char hil_arena[{arena}];\n'


def minimal(arena: int) -> str:
    return (
        MINIMAL.replace("{arena}", str(arena))
        .replace("{}\n", "{ hil_arena[0] = 1; }\n")
        .replace("void hil_reset", "extern char hil_arena[];\nvoid hil_reset")
    )


def test_every_source_folder_of_the_core_is_built() -> None:
    named = set(re.findall(r"\+<([^>]+)/>", config()["cortex_m"]["port_src_filter"]))
    root = firmware_dir()
    holding = {p.parent.relative_to(root).as_posix() for p in root.rglob("*.c") if ".pio" not in p.parts}
    ports = {folder for folder in holding if folder.startswith("lib/port/")}
    assert holding - ports | {"lib/port/cortex_m"} <= named


def test_warnings_are_errors() -> None:
    flags = config()["cortex_m"]["port_flags"].split()
    assert {"-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Werror"} <= set(flags)


@needs_toolchain
def test_platformio_reads_the_figures_of_board_ini(project: Path) -> None:
    (project / "board.ini").write_text("[board]\nstack_bytes = 12345\n")
    run = run_platformio(["project", "config", "--json-output"], folder=project, timeout_s=60.0)
    environments = dict(json.loads(run.stdout))
    flags = dict(environments["env:nrf52840_dk"])["build_flags"]
    assert "-Wl,--defsym=HIL_STACK_BYTES=12345" in " ".join(flags)


@needs_toolchain
def test_without_a_model_the_linker_names_what_is_missing(project: Path) -> None:
    run = run_platformio(["run", "-s", "-e", "nrf52840_dk"], folder=project, timeout_s=300.0)
    assert run.returncode != 0
    assert "undefined reference to `hil_model'" in run.stdout


@needs_toolchain
def test_ram_overflow_is_a_link_error_to_the_byte(project: Path) -> None:
    assert link(project, minimal(262_144 - 4096)).returncode == 0
    run = link(project, minimal(262_144 - 4096 + 1))
    assert run.returncode != 0
    assert "region `RAM' overflowed by 1 byte" in run.stderr


@needs_toolchain
def test_flash_overflow_is_a_link_error(project: Path) -> None:
    source = minimal(16) + '__attribute__((section(".hil_weights"), used)) const char weights[5000] = {1};\n'
    assert link(project, source, "-Wl,--defsym=HIL_FLASH_BYTES=8192").returncode == 0
    run = link(project, source, "-Wl,--defsym=HIL_FLASH_BYTES=4096")
    assert run.returncode != 0
    assert "region `FLASH' overflowed by" in run.stderr


@needs_toolchain
def test_a_stack_too_small_for_the_runtime_is_refused(project: Path) -> None:
    run = link(project, minimal(16), "-Wl,--defsym=HIL_STACK_BYTES=512")
    assert "the stack must have at least 1024 bytes" in run.stderr


def test_each_register_stands_in_the_header_once() -> None:
    text = (firmware_dir() / PORT / "registers.h").read_text()
    addresses = re.findall(r"HIL_REGISTER\((0x[0-9A-F]+)u", text)
    assert len(addresses) == len(set(addresses)) > 40


def test_no_register_is_touched_that_the_header_does_not_list() -> None:
    for source in (firmware_dir() / PORT).glob("*.c"):
        code = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.DOTALL)
        assert not re.search(r"\bHIL_REGISTER\b|0x4000[0-9A-F]{4}|0x5000[0-9A-F]{4}|0xE000[0-9A-F]{4}", code)
