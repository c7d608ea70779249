"""The second boot stage of the RP2040: what the boot ROM asks of it, and what it does to the flash."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType
from typing import Any

import pytest
import unicorn
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc

from hil.resources import firmware_dir
from tests.support.arm_programs import needs_compiler

PORT = firmware_dir() / "lib" / "port" / "rp2040"
RAM, FLASH, FIRMWARE = 0x2004_1F00, 0x1000_0000, 0x1000_0100  # where the boot ROM puts it; where it goes
STACK, ENTRY = 0x2000_1000, 0x1000_0200
SSI, WATCHDOG, PADS, SYSTEM = 0x1800_0000, 0x4005_8000, 0x4002_0000, 0xE000_E000
UNIQUE = bytes.fromhex("e66118604b1f7b2a")


def image() -> bytes:
    text = (PORT / "boot2_image.c").read_text()
    return bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})\b", text))


def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("boot2_make", PORT / "boot2" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_crc_is_the_one_that_the_boot_rom_computes() -> None:
    crc32 = make().crc32_mpeg2
    assert crc32(b"123456789") == 0x0376_E6E7  # the check value of CRC-32/MPEG-2
    assert len(image()) == 256
    assert crc32(image()[:252]) == int.from_bytes(image()[252:], "little")


@needs_compiler
def test_the_image_is_that_of_its_source() -> None:
    module = make()
    assert module.image(module.assemble(PORT / "boot2" / "boot2.S")) == image()


class SerialFlash:
    """SSI with a W25Q16JV behind it, as far as the second boot stage asks.

    Attributes:
        modes: for each time that it was switched on, control registers and all words that were sent.
    """

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.received: list[int] = []
        self.modes: list[tuple[dict[int, int], list[int]]] = []

    def read(self, offset: int) -> int:
        if offset == 0x28:
            return 1 << 2 | 1 << 1 | (1 << 3 if self.received else 0)
        assert offset == 0x60
        return self.received.pop(0)

    def write(self, offset: int, value: int) -> None:
        if offset == 0x08:
            if value:
                self.modes.append((dict(self.registers), []))
        elif offset == 0x60:
            registers, sent = self.modes[-1]
            sent.append(value)
            if registers[0x00] >> 21 & 3 == 0:  # one line each way: a byte comes back for each byte
                command, place = sent[0], len(sent) - 1
                assert command == 0x4B
                self.received.append(UNIQUE[place - 5] if place >= 5 else 0xFF)
        else:
            self.registers[offset] = value


def run() -> tuple[SerialFlash, dict[int, int], Any]:
    """Run the image as the boot ROM does; returns the flash, all other words written, and the core."""
    engine = unicorn.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
    engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
    flash, words = SerialFlash(), {PADS + 0x08: 0x52}
    engine.mem_map(0x2000_0000, 0x4_2000)
    engine.mem_map(FLASH, 0x1000)
    engine.mem_write(RAM, image())
    engine.mem_write(FIRMWARE, STACK.to_bytes(4, "little") + (ENTRY | 1).to_bytes(4, "little"))
    engine.mmio_map(
        SSI, 0x1000, lambda _u, o, _s, _d: flash.read(o), None,
        lambda _u, o, _s, v, _d: flash.write(o, v), None,
    )  # fmt: skip
    for base in (WATCHDOG, PADS, SYSTEM):
        engine.mmio_map(
            base, 0x1000, lambda _u, o, _s, b: words[b + o], base,
            lambda _u, o, _s, v, b: words.update({b + o: v}), base,
        )  # fmt: skip
    engine.emu_start(RAM | 1, ENTRY, count=100_000)
    return flash, words, engine


def test_the_flash_is_read_by_four_lines_without_a_command_from_then_on() -> None:
    flash, _, _ = run()
    (_, number), (once, sent), (for_good, nothing) = flash.modes
    assert number == [0x4B] + 12 * [0]
    assert sent == [0xEB, 0xA0]  # fast read quad I/O; address 0 and the mode bits of continuous reading
    quad_32_bits = 2 << 21 | 31 << 16 | 3 << 8
    address_and_mode, wait_4 = 8 << 2, 4 << 11
    assert once[0x00] == for_good[0x00] == quad_32_bits
    assert once[0xF4] == address_and_mode | wait_4 | 2 << 8 | 1
    assert for_good[0xF4] == address_and_mode | wait_4 | 0xA0 << 24 | 2
    assert for_good[0x14] == 2  # half the core's clock
    assert nothing == []


def test_the_number_of_the_flash_is_left_for_the_firmware() -> None:
    _, words, _ = run()
    left = words[WATCHDOG + 0x0C].to_bytes(4, "little") + words[WATCHDOG + 0x10].to_bytes(4, "little")
    assert left == UNIQUE


def test_the_firmware_is_started_by_its_own_vectors() -> None:
    _, words, engine = run()
    assert words[SYSTEM + 0xD08] == FIRMWARE
    assert engine.reg_read(arm.UC_ARM_REG_PC) == ENTRY
    assert engine.reg_read(arm.UC_ARM_REG_SP) == STACK


@needs_compiler
def test_a_program_that_is_too_long_is_refused() -> None:
    with pytest.raises(SystemExit, match="252 is the most"):
        make().image(bytes(253))
