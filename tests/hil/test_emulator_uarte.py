"""The serial line: EasyDMA both ways, a ring that runs for ever, bytes counted through PPI and TIMER."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import EmulationError
from tests.support.arm_programs import c_elf, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

NO_HANDLER = "void handler(void) { for (;;) { } }\n"

# As the firmware's port does it: a ring of SIZE bytes, RXDRDY counted by TIMER1, sleep until something comes.
RING = """
void handler(void) { for (;;) { } }
#define SIZE 64
static uint8_t ring[SIZE];
static uint32_t taken;
static uint32_t received(void) { REG(0x40009040) = 1; return REG(0x40009540); }
int main(void) {
  open_line();
  REG(0x40009504) = 2; REG(0x40009508) = 3; REG(0x40009000) = 1;
  REG(0x4001F510) = 0x40002108; REG(0x4001F514) = 0x40009008; REG(0x4001F504) = 1;
  REG(0x40002304) = 1 << 2;
  REG(0xE000ED10) = 1 << 4;
  REG(0x40002534) = (uintptr_t)ring; REG(0x40002538) = SIZE; REG(0x40002200) = 1 << 5;
  REG(0x40002000) = 1;
  for (;;) {
    static uint8_t piece[SIZE];
    uint32_t count = 0;
    while (taken != received() && count < SIZE) piece[count++] = ring[taken++ % SIZE] ^ 0x20;
    if (count != 0) { send(piece, count); for (volatile int i = 0; i < BUSY; i++) { } continue; }
    REG(0x40002108) = 0; (void)REG(0x40002108);
    REG(0xE000E280) = 1 << 2;
    if (received() == taken) __asm volatile("dsb\\n wfe");
  }
}
"""


@pytest.mark.parametrize("busy", [0, 300])
def test_ring_loses_nothing_while_the_firmware_keeps_up(busy: int, tmp_path: Path) -> None:
    machine = machine_of(c_elf(RING.replace("BUSY", str(busy)), tmp_path))
    run_to_sleep(machine)
    sent = bytes((7 * k + 3) & 0xFF for k in range(3000))
    output = b""
    for start in range(0, len(sent), 700):
        machine.send(sent[start : start + 700])
        output += run_to_sleep(machine)
    assert output == bytes(b ^ 0x20 for b in sent)


def test_firmware_that_falls_behind_loses_bytes(tmp_path: Path) -> None:
    """64 bytes take 41,000 cycles on the line; the firmware is busy for some 1,400,000."""
    machine = machine_of(c_elf(RING.replace("BUSY", "100000"), tmp_path))
    run_to_sleep(machine)
    sent = bytes((7 * k + 3) & 0xFF for k in range(3000))
    machine.send(sent)
    output = run_to_sleep(machine)
    assert output[:8] == bytes(b ^ 0x20 for b in sent[:8])
    assert output != bytes(b ^ 0x20 for b in sent)


def test_line_has_the_speed_of_the_profile(tmp_path: Path) -> None:
    """At 1 Mbaud and 64 MHz a byte takes 640 cycles, awake or asleep."""
    text = (
        NO_HANDLER
        + """
    static volatile uint8_t buffer[100];
    int main(void) {
      open_line(); start_clock();
      REG(0x40002534) = (uintptr_t)buffer; REG(0x40002538) = 100;
      REG(0x40002000) = 1;
      while (REG(0x40002108) == 0) { }
      uint32_t first = REG(0xE0001004);
      while (REG(0x40002110) == 0) { }
      static volatile uint32_t took[2];
      took[0] = REG(0xE0001004) - first; took[1] = REG(0x4000253C);
      send(took, 8);
      return 0;
    }
    """
    )
    machine = machine_of(c_elf(text, tmp_path))
    machine.run(5000)
    machine.send(bytes(100))
    output = run_to_sleep(machine)
    took, amount = int.from_bytes(output[:4], "little"), int.from_bytes(output[4:], "little")
    assert amount == 100
    # The first portion (an eighth of the buffer) has come when the clock starts.
    assert 0.95 < took / (640 * (100 - 12)) < 1.05


def test_stopping_tells_how_much_came(tmp_path: Path) -> None:
    text = (
        NO_HANDLER
        + """
    static volatile uint8_t buffer[100];
    int main(void) {
      open_line();
      REG(0x40002534) = (uintptr_t)buffer; REG(0x40002538) = 100;
      REG(0x40002304) = 1 << 2; REG(0xE000ED10) = 1 << 4;
      REG(0x40002000) = 1;
      __asm volatile("wfe");
      REG(0x40002004) = 1;
      while (REG(0x40002144) == 0) { }
      static volatile uint32_t seen[2];
      seen[0] = REG(0x4000253C); seen[1] = REG(0x40002110);
      send(seen, 8);
      return 0;
    }
    """
    )
    machine = machine_of(c_elf(text, tmp_path))
    run_to_sleep(machine)
    machine.send(b"abc")
    assert run_to_sleep(machine) == (3).to_bytes(4, "little") + (1).to_bytes(4, "little")


def test_bytes_wait_for_a_receiver(tmp_path: Path) -> None:
    text = (
        NO_HANDLER
        + """
    static volatile uint8_t buffer[4];
    int main(void) {
      open_line();
      for (volatile int i = 0; i < 10000; i++) { }
      REG(0x40002534) = (uintptr_t)buffer; REG(0x40002538) = 4;
      REG(0x40002000) = 1;
      while (REG(0x40002110) == 0) { }
      send(buffer, 4);
      return 0;
    }
    """
    )
    machine = machine_of(c_elf(text, tmp_path))
    machine.send(b"wait")
    assert run_to_sleep(machine) == b"wait"


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        pytest.param("REG(0x40002008) = 1;", "PSEL.TXD disconnected", id="sends without a pin"),
        pytest.param("open_line(); REG(0x4000256C) = 1;", "UARTE0.CONFIG", id="hardware flow control"),
        pytest.param("open_line(); REG(0x40002000) = 1;", "buffer of 0 bytes", id="no buffer"),
        pytest.param(
            "open_line(); REG(0x40002538) = 4; REG(0x40002000) = 1;", "is not in RAM", id="buffer in flash"
        ),
        pytest.param("REG(0x40002500) = 4;", "only UARTE", id="the UART without DMA"),
    ],
)
def test_misuse_is_told(statements: str, words: str, tmp_path: Path) -> None:
    machine = machine_of(c_elf(NO_HANDLER + "int main(void) { " + statements + " return 0; }", tmp_path))
    with pytest.raises(EmulationError, match=words):
        run_to_sleep(machine)
