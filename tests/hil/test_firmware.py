"""Program + Board -> Image, with the real compiler."""

from __future__ import annotations

import dataclasses
import json
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hil import firmware
from hil.board import load_board
from hil.elf import Elf, read_elf
from hil.errors import (
    BuildFailed,
    CacheError,
    DeviceTimeout,
    DoesNotFit,
    FlashFailed,
    HostError,
    InputError,
    ToolMissing,
)
from hil.firmware import registry
from hil.firmware.template import load_template, write_files
from hil.image import Image
from tests.support.firmware import conv_program, dk, needs_toolchain, with_flash, with_ram, with_source


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One cache for the module: builds after the first are warm."""
    monkeypatch.setenv("HILNAS_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture
def image(cache: Path) -> Image:
    return firmware.build(conv_program(), dk())


def elf_of(image: Image) -> Elf:
    assert image.elf is not None
    return read_elf(image.elf)


@needs_toolchain
def test_sizes_are_those_of_the_plan_and_the_linker(image: Image) -> None:
    program = conv_program()
    assert image.arena_bytes == program.plan.arena_bytes
    assert program.weight_bytes <= image.weight_bytes < program.weight_bytes + 16
    assert image.stack_reserved_bytes == dk().build.stack_bytes
    assert 1000 < image.code_bytes < 64_000
    assert 0 < image.static_bytes < 16_000
    segments = elf_of(image).segments
    assert image.flash_bytes == sum(len(segment.data) for segment in segments)
    assert image.board_id == "nrf52840_dk"
    assert set(image.tools) == {"arm-none-eabi-gcc", "platformio", "hilnas"}


@needs_toolchain
def test_the_core_finds_its_vectors_and_the_stack_lies_at_the_bottom_of_ram(image: Image) -> None:
    elf = elf_of(image)
    vectors = struct.unpack("<64I", elf.segments[0].data[:256])
    assert elf.segments[0].address == 0
    assert vectors[0] == elf.symbols["__hil_stack_top"] == 0x2000_0000 + image.stack_reserved_bytes
    assert elf.symbols["__hil_stack_bottom"] == 0x2000_0000
    assert vectors[1] == elf.entry == elf.symbols["hil_reset_handler"] | 1
    assert set(vectors[2:]) == {elf.symbols["hil_fault_handler"] | 1}
    assert elf.symbols["hil_arena"] % 16 == 0


@needs_toolchain
def test_the_firmware_has_no_heap(image: Image) -> None:
    symbols = elf_of(image).symbols
    assert not {"malloc", "_malloc_r", "_sbrk", "free"} & set(symbols)


@needs_toolchain
def test_the_same_program_is_not_built_twice(image: Image) -> None:
    again = firmware.build(conv_program(), dk())
    assert again.build_s == 0.0
    assert again.digest == image.digest
    assert again.elf == image.elf


@needs_toolchain
def test_other_weights_make_another_image(image: Image) -> None:
    other = firmware.build(conv_program(seed=1), dk())
    assert other.build_s > 0.0
    assert other.digest != image.digest


@needs_toolchain
def test_a_damaged_kept_image_is_built_anew(image: Image) -> None:
    assert image.elf is not None
    image.elf.write_bytes(b"\x7fEL")
    assert firmware.build(conv_program(), dk()).digest == image.digest
    assert elf_of(image).digest == image.digest


@needs_toolchain
def test_the_elf_does_not_depend_on_where_and_when_it_was_built(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image.elf is not None
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "a longer path"))
    elsewhere = firmware.build(conv_program(), dk())
    assert elsewhere.build_s > 0.0
    assert elsewhere.elf is not None
    assert elsewhere.elf.read_bytes() == image.elf.read_bytes()


@needs_toolchain
def test_builds_at_the_same_time_do_not_meet(cache: Path) -> None:
    programs = [conv_program(seed=seed) for seed in range(10, 13)]
    with ThreadPoolExecutor(len(programs)) as pool:
        images = list(pool.map(lambda program: firmware.build(program, dk()), programs))
    for program, image in zip(programs, images, strict=True):
        weights = elf_of(image)
        digest = bytes.fromhex(program.digest)
        assert any(digest in segment.data for segment in weights.segments)
    assert len({image.digest for image in images}) == len(programs)


@needs_toolchain
def test_figures_of_the_board_reach_the_firmware(cache: Path) -> None:
    board = dk()
    roomy = dataclasses.replace(board, build=dataclasses.replace(board.build, stack_bytes=8192))
    image = firmware.build(conv_program(), roomy)
    assert image.stack_reserved_bytes == 8192
    slow = dataclasses.replace(board, serial=dataclasses.replace(board.serial, baud=115_200))
    assert firmware.build(conv_program(), slow).digest != image.digest


@needs_toolchain
def test_a_baud_rate_that_the_uart_lacks_is_refused_by_the_compiler(cache: Path) -> None:
    board = dk()
    odd = dataclasses.replace(board, serial=dataclasses.replace(board.serial, baud=12_345))
    with pytest.raises(BuildFailed) as error:
        firmware.build(conv_program(), odd)
    assert "HIL_BAUD must be" in error.value.log


def test_too_large_an_arena_is_told_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no compiler to be found
    program = conv_program(32, size=64)
    with pytest.raises(DoesNotFit) as error:
        firmware.build(program, with_ram(dk(), 65_536))
    assert error.value.resource == "ram"
    assert error.value.available_bytes == 65_536
    assert error.value.parts["arena"] == program.plan.arena_bytes
    assert "CONV_2D" in error.value.by
    assert not any(tmp_path.iterdir())


def test_too_many_weights_are_told_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    program = conv_program(256)
    with pytest.raises(DoesNotFit) as error:
        firmware.build(program, with_flash(dk(), 4096))
    assert error.value.resource == "flash"
    assert error.value.parts["weights"] == program.weight_bytes


@needs_toolchain
def test_ram_that_overflows_in_the_linker_is_told_with_figures(image: Image) -> None:
    wanted = image.arena_bytes + image.static_bytes + image.stack_reserved_bytes
    available = image.arena_bytes + image.stack_reserved_bytes + 16
    unknown = dataclasses.replace(dk(), simulator=dataclasses.replace(dk().simulator, static_bytes=0))
    with pytest.raises(DoesNotFit) as error:
        firmware.build(conv_program(), with_ram(unknown, available))
    assert error.value.resource == "ram"
    assert error.value.available_bytes == available
    assert wanted <= error.value.needed_bytes < wanted + 32  # the linker counts gaps for alignment
    assert sum(error.value.parts.values()) == error.value.needed_bytes
    assert error.value.parts["arena"] == image.arena_bytes


@needs_toolchain
def test_flash_that_overflows_in_the_linker_is_told_with_figures(image: Image) -> None:
    available = 4096
    with pytest.raises(DoesNotFit) as error:
        firmware.build(conv_program(), with_flash(dk(), available))
    assert error.value.resource == "flash"
    assert abs(error.value.needed_bytes - image.flash_bytes) < 64
    assert error.value.parts["weights"] == conv_program().weight_bytes


def sizes(image: Image) -> tuple[int, ...]:
    return image.code_bytes, image.weight_bytes, image.static_bytes, image.arena_bytes


@needs_toolchain
def test_exactly_enough_ram_is_enough(image: Image) -> None:
    elf = elf_of(image)
    end = max(s.address + s.size_bytes for s in elf.sections if s.in_ram)
    tight = firmware.build(conv_program(), with_ram(dk(), end - 0x2000_0000))
    assert sizes(tight) == sizes(image)
    assert tight.build_digest != image.build_digest  # another profile, another build
    with pytest.raises(DoesNotFit):
        firmware.build(conv_program(), with_ram(dk(), end - 0x2000_0000 - 1))


@needs_toolchain
@pytest.mark.parametrize("text", ["#error broken on purpose\n", "static int unused_on_purpose;\n"])
def test_errors_and_warnings_fail_the_build_with_a_log(cache: Path, text: str) -> None:
    with pytest.raises(BuildFailed) as error:
        firmware.build(with_source(conv_program(), text), dk())
    assert "purpose" in error.value.log
    assert "purpose" in error.value.message


@needs_toolchain
def test_a_failed_build_does_not_spoil_the_next(image: Image) -> None:
    with pytest.raises(BuildFailed):
        firmware.build(with_source(conv_program(), "#error\n"), dk())
    comment = with_source(conv_program(), "/* the same code again */\n")
    assert sizes(firmware.build(comment, dk())) == sizes(image)


def test_a_board_without_firmware_is_refused_with_a_way_on() -> None:
    board = replace(dk(), build=replace(dk().build, environment="not_ours"))
    with pytest.raises(InputError, match="no environment 'not_ours'") as error:
        firmware.build(conv_program(), board)
    assert "simulated:nrf52840_dk" in (error.value.remedy or "")


def test_a_board_that_needs_the_registry_is_not_built_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path))
    monkeypatch.setattr(registry, "registry_answers", lambda: False)
    with pytest.raises(ToolMissing, match="cannot be reached") as error:
        firmware.build(conv_program(), load_board("nano33ble"))
    assert "connect this computer to the internet once" in (error.value.remedy or "")


def test_without_a_compiler_nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="arm-none-eabi-gcc"):
        firmware.build(conv_program(), dk())


@needs_toolchain
def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HILNAS_CACHE", str(tmp_path / "file"))
    with pytest.raises(CacheError, match="cannot be"):
        firmware.build(conv_program(), dk())


def test_files_that_are_right_already_are_left_untouched(tmp_path: Path) -> None:
    files = load_template().files
    write_files(files, tmp_path)
    before = {path: (tmp_path / path).stat().st_mtime_ns for path in files}
    (tmp_path / "src" / "model.c").write_text("int of_an_earlier_model;")
    write_files(files, tmp_path)
    assert {path: (tmp_path / path).stat().st_mtime_ns for path in files} == before
    assert not (tmp_path / "src" / "model.c").exists()


def test_what_is_no_elf_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.elf").write_bytes(b"not an ELF file")
    with pytest.raises(HostError, match="not an ELF file"):
        read_elf(tmp_path / "x.elf")
    with pytest.raises(HostError, match="cannot be read"):
        read_elf(tmp_path / "absent.elf")


# ---- upload


def uploader(folder: Path, body: str) -> str:
    """A command that stands for a programmer."""
    script = folder / "uploader.py"
    script.write_text(f"import json, pathlib, sys\n{body}\n")
    return f"{sys.executable} {script}"


@needs_toolchain
def test_the_uploader_gets_the_very_elf_and_the_port(image: Image, tmp_path: Path) -> None:
    assert image.elf is not None
    note = tmp_path / "note.json"
    command = uploader(
        tmp_path,
        f"json.dump([pathlib.Path(sys.argv[1]).read_bytes().hex(), sys.argv[2]], open({str(note)!r}, 'w'))",
    )
    firmware.upload(image, dk(), "/dev/pts/99", device="d", timeout_s=120.0, command=command)
    assert json.loads(note.read_text()) == [image.elf.read_bytes().hex(), "/dev/pts/99"]


@needs_toolchain
def test_the_command_may_stand_in_the_environment(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "note"
    command = uploader(tmp_path, f"pathlib.Path({str(note)!r}).write_text(sys.argv[2])")
    monkeypatch.setenv("HILNAS_UPLOAD_COMMAND", command)
    firmware.upload(image, dk(), "PORT", device="d", timeout_s=120.0)
    assert note.read_text() == "PORT"


@needs_toolchain
def test_a_failing_uploader_is_told_with_what_it_printed(image: Image, tmp_path: Path) -> None:
    command = uploader(tmp_path, "sys.exit('the probe is asleep')")
    with pytest.raises(FlashFailed) as error:
        firmware.upload(image, dk(), "PORT", device="d", timeout_s=120.0, command=command)
    assert "the probe is asleep" in error.value.log


@needs_toolchain
def test_without_a_probe_tool_the_message_names_what_to_install(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HILNAS_UPLOAD_COMMAND", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FlashFailed) as error:
        firmware.upload(image, dk(), "PORT", device="d", timeout_s=120.0)
    assert "pyocd" in error.value.log


@needs_toolchain
def test_an_uploader_past_its_deadline_is_a_timeout(image: Image, tmp_path: Path) -> None:
    command = uploader(tmp_path, "import time; time.sleep(600)")
    with pytest.raises(DeviceTimeout, match="did not end within"):
        firmware.upload(image, dk(), "PORT", device="d", timeout_s=3.0, command=command)


def test_an_image_without_firmware_cannot_be_uploaded() -> None:
    image = Image(conv_program(), "nrf52840_dk", "00", None, 0, 0, 0, 0, 0, bytes(8))
    with pytest.raises(FlashFailed, match="holds no firmware"):
        firmware.upload(image, dk(), "PORT", device="d", timeout_s=1.0)
