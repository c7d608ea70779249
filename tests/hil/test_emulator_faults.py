"""What is not modelled is an error with its place; what the core traps reaches the firmware's handler."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hil.emulator.machine import Machine
from hil.errors import EmulationError
from tests.support.arm_programs import (
    STACK_TOP,
    assembly_elf,
    c_elf,
    machine_of,
    needs_compiler,
    run_to_sleep,
)

pytestmark = needs_compiler

# The handler sends: number, pc of the frame, lr, CFSR, HFSR, BFAR, stack pointer, r1 of the frame.
REPORTER = """
    .globl on_exception
    .thumb_func
on_exception:
    mrs r0, msp
    mov r4, lr
    ldr r3, =0x20000400
    mrs r1, ipsr
    str r1, [r3]
    ldr r1, [r0, #24]
    str r1, [r3, #4]
    str r4, [r3, #8]
    ldr r2, =0xE000ED28
    ldr r1, [r2]
    str r1, [r3, #12]
    ldr r1, [r2, #4]
    str r1, [r3, #16]
    ldr r1, [r2, #16]
    str r1, [r3, #20]
    str r0, [r3, #24]
    ldr r1, [r0, #4]
    str r1, [r3, #28]
    ldr r5, =0x40002000
    movs r6, #6
    ldr r7, =0x50C
    str r6, [r5, r7]
    ldr r7, =0x524
    ldr r6, =0x10000000
    str r6, [r5, r7]
    ldr r7, =0x500
    movs r6, #8
    str r6, [r5, r7]
    ldr r7, =0x544
    str r3, [r5, r7]
    ldr r7, =0x548
    movs r6, #32
    str r6, [r5, r7]
    movs r6, #1
    str r6, [r5, #8]
1:  wfe
    b 1b
    .ltorg
"""
ENABLE_FAULTS = """
    ldr r0, =0xE000ED24
    ldr r1, =0x00070000
    str r1, [r0]
    ldr r0, =0xE000ED14
    ldr r1, =0x210
    str r1, [r0]
"""
MAIN = """
    .globl main
    .thumb_func
main:
    {setup}
    movs r0, #0
    movs r1, #17
    {body}
1:  wfe
    b 1b
    .ltorg
"""
BUS, USAGE, HARD, MEMORY = 5, 6, 3, 4
FORCED = 1 << 30


def report(body: str, folder: Path, *, own_handlers: bool = True) -> tuple[Machine, dict[str, int]]:
    """Run `body` until its fault is reported."""
    setup = ENABLE_FAULTS if own_handlers else ""
    machine = machine_of(assembly_elf(MAIN.format(setup=setup, body=body) + REPORTER, folder))
    names = ("number", "pc", "link", "cfsr", "hfsr", "bfar", "sp", "r1")
    return machine, dict(zip(names, struct.unpack("<8I", run_to_sleep(machine)), strict=True))


def code_at(machine: Machine, address: int) -> bytes:
    return machine.memory.read(address, 2)


def test_read_where_nothing_is_takes_a_bus_fault_that_can_be_reported(tmp_path: Path) -> None:
    body = "ldr r2, =0x30000004\n adds r1, #1\n adds r1, #1\n ldr r3, [r2]\n adds r1, #100"
    machine, found = report(body, tmp_path)
    assert found["number"] == BUS
    assert found["cfsr"] == 1 << 9 | 1 << 15
    assert found["bfar"] == 0x3000_0004
    assert found["r1"] == 19, "what ran before the fault has run, what comes after it has not"
    assert code_at(machine, found["pc"]) == bytes.fromhex("1368")  # ldr r3, [r2]
    assert found["link"] == 0xFFFF_FFF9
    assert found["sp"] == STACK_TOP - 32


def test_write_below_ram_takes_a_bus_fault(tmp_path: Path) -> None:
    machine, found = report("ldr r2, =0x1FFFFFF8\n str r1, [r2]", tmp_path)
    assert (found["number"], found["bfar"]) == (BUS, 0x1FFF_FFF8)
    assert code_at(machine, found["pc"]) == bytes.fromhex("1160")


def test_write_to_flash_takes_a_bus_fault(tmp_path: Path) -> None:
    _, found = report("ldr r2, =0x00004000\n str r1, [r2]", tmp_path)
    assert (found["number"], found["bfar"]) == (BUS, 0x4000)


def test_jump_to_nowhere_takes_a_bus_fault(tmp_path: Path) -> None:
    _, found = report("ldr r2, =0x30000001\n bx r2", tmp_path)
    assert (found["number"], found["cfsr"], found["pc"]) == (BUS, 1 << 8, 0x3000_0000)


def test_jump_into_a_peripheral_takes_a_memory_fault(tmp_path: Path) -> None:
    _, found = report("ldr r2, =0x40030001\n bx r2", tmp_path)
    assert (found["number"], found["cfsr"]) == (MEMORY, 1)


def test_undefined_instruction(tmp_path: Path) -> None:
    machine, found = report("adds r1, #1\n udf #7\n adds r1, #1", tmp_path)
    assert (found["number"], found["cfsr"], found["r1"]) == (USAGE, 1 << 16, 18)
    assert code_at(machine, found["pc"]) == bytes.fromhex("07de")


def test_jump_without_the_thumb_bit(tmp_path: Path) -> None:
    _, found = report("ldr r2, =0x00000200\n bx r2", tmp_path)
    assert (found["number"], found["cfsr"], found["pc"]) == (USAGE, 1 << 17, 0x200)


@pytest.mark.parametrize("instruction", ["sdiv r3, r1, r0", "udiv r3, r1, r0"])
def test_division_by_zero_is_trapped_where_the_firmware_asks_for_it(instruction: str, tmp_path: Path) -> None:
    _, found = report(f"adds r1, #1\n {instruction}\n adds r1, #1", tmp_path)
    assert (found["number"], found["cfsr"], found["r1"]) == (USAGE, 1 << 25, 18)


def test_division_by_zero_gives_zero_where_it_does_not(tmp_path: Path) -> None:
    _, found = report("sdiv r1, r1, r0\n udf #0", tmp_path, own_handlers=False)
    assert found["r1"] == 0
    assert found["cfsr"] == 1 << 16


def test_fault_without_a_handler_of_its_own_becomes_a_hard_fault(tmp_path: Path) -> None:
    _, found = report("ldr r2, =0x30000000\n ldr r3, [r2]", tmp_path, own_handlers=False)
    assert (found["number"], found["hfsr"], found["bfar"]) == (HARD, FORCED, 0x3000_0000)


def test_breakpoint_without_a_debugger_is_a_hard_fault(tmp_path: Path) -> None:
    _, found = report("bkpt 0", tmp_path)
    assert (found["number"], found["hfsr"]) == (HARD, 1 << 31)


def test_stack_overflow_is_reported_although_nothing_can_be_stacked(tmp_path: Path) -> None:
    body = "ldr r2, =0x20000010\n mov sp, r2\n push {r0-r7}"
    _, found = report_without_frame(body, tmp_path)
    assert found == (BUS, 1 << 9 | 1 << 12 | 1 << 15)


def report_without_frame(body: str, folder: Path) -> tuple[Machine, tuple[int, int]]:
    handler = REPORTER.replace("mrs r0, msp", f"ldr r0, ={STACK_TOP - 64}")
    machine = machine_of(assembly_elf(MAIN.format(setup=ENABLE_FAULTS, body=body) + handler, folder))
    words = struct.unpack("<8I", run_to_sleep(machine))
    return machine, (words[0], words[3])


def test_time_and_instructions_of_what_did_not_run_are_not_charged(tmp_path: Path) -> None:
    short, _ = report("udf #7", tmp_path)
    long, _ = report("udf #7\n .rept 100\n nop\n .endr", tmp_path)
    assert long.counter.state.instructions == short.counter.state.instructions


def fails(body: str, folder: Path) -> EmulationError:
    machine = machine_of(assembly_elf(MAIN.format(setup="", body=body) + REPORTER, folder))
    with pytest.raises(EmulationError) as caught:
        run_to_sleep(machine)
    with pytest.raises(EmulationError):
        machine.run(1000)
    pc = caught.value.pc
    assert f"address 0x{caught.value.address:08x}, pc 0x{pc:08x}" in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param(0x4000_4000, "a peripheral is read", id="peripheral that is not modelled"),
        pytest.param(
            0x4000_2F00, "UARTE0 has no register at offset 0xf00", id="register of a known peripheral"
        ),
        pytest.param(0x4000_2000, "UARTE0.TASKS_STARTRX is write-only", id="task that is read"),
        pytest.param(0xE000_E010, "SCB has no register at offset 0x010", id="SysTick"),
        pytest.param(0xE004_0000, "the private peripheral bus is read", id="another block of the core"),
        pytest.param(0x1000_0F00, "FICR has no register", id="factory information"),
        pytest.param(0x1200_0000, "QSPI flash is read", id="external flash"),
        pytest.param(0x0080_0000, "the RAM's second address", id="RAM by its other name"),
    ],
)
def test_read_of_what_is_not_modelled_is_told(address: int, words: str, tmp_path: Path) -> None:
    error = fails(f"ldr r2, ={address}\n adds r1, #1\n ldr r3, [r2]\n adds r1, #1", tmp_path)
    assert words in str(error)
    assert error.address == address
    elf_machine = machine_of(tmp_path / "program.elf")
    assert code_at(elf_machine, error.pc) == bytes.fromhex("1368")


@pytest.mark.parametrize(
    ("address", "value", "words"),
    [
        (0x4000_9504, 0, None),  # TIMER1.MODE = timer: fine until it is started
        (0x4001_E540, 0x10, "bits 0x00000010 of NVMC.ICACHECNF are not modelled"),
        (0xE000_ED14, 0x208, "bits 0x00000008 of SCB.CCR are not modelled"),
        (0x1000_0060, 1, "FICR.DEVICEID[0] is read-only"),
        (0x4000_9000, 1, "timer mode"),
        (0xE000_ED0C, 4, "without its key"),
    ],
)
def test_write_of_what_is_not_modelled_is_told(
    address: int, value: int, words: str | None, tmp_path: Path
) -> None:
    body = f"ldr r2, ={address}\n ldr r3, ={value}\n str r3, [r2]"
    if words is None:
        run_to_sleep(machine_of(assembly_elf(MAIN.format(setup="", body=body), tmp_path)))
        return
    error = fails(body, tmp_path)
    assert words in str(error)
    assert error.address == address


def test_access_in_the_wrong_width_is_told(tmp_path: Path) -> None:
    assert "with 1 bytes instead of 4" in str(fails("ldr r2, =0x40002500\n strb r1, [r2]", tmp_path))


def test_dma_from_flash_is_told(tmp_path: Path) -> None:
    text = """
    void handler(void) { for (;;) { } }
    static const char text[] = "in flash";
    int main(void) { open_line(); send(text, 8); return 0; }
    """
    with pytest.raises(EmulationError, match="is not in RAM"):
        run_to_sleep(machine_of(c_elf(text, tmp_path)))


def test_other_baud_rate_than_the_profiles_is_told(tmp_path: Path) -> None:
    text = """
    void handler(void) { for (;;) { } }
    int main(void) { REG(0x40002524) = 0x01D60000; REG(0x40002500) = 8; return 0; }
    """
    with pytest.raises(EmulationError, match=r"stands for 11\d,\d{3} baud, the board profile says 1,000,000"):
        run_to_sleep(machine_of(c_elf(text, tmp_path)))


def test_floating_point_unit_that_is_off_is_told(tmp_path: Path) -> None:
    error = fails("ldr r2, =0xE000ED88\n str r0, [r2]\n dsb\n isb\n vadd.f32 s0, s0, s0", tmp_path)
    assert "CPACR" in str(error)


def test_fault_in_the_fault_handler_locks_up(tmp_path: Path) -> None:
    text = (
        MAIN.format(setup="", body="udf #0") + "\n.globl on_exception\n.thumb_func\non_exception:\n udf #1\n"
    )
    machine = machine_of(assembly_elf(text, tmp_path))
    with pytest.raises(EmulationError, match="locked up"):
        run_to_sleep(machine)
