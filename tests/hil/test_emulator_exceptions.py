"""Interrupts, sleep, reset: what Unicorn leaves to the machine."""

from __future__ import annotations

import struct
from pathlib import Path

from hil.emulator.types import State
from tests.support.arm_programs import c_elf, machine_of, needs_compiler, run_to_sleep

pytestmark = needs_compiler

# Interrupt 2 is UARTE0's; it receives into one byte and echoes it, incremented, with a count of interrupts.
ECHO_BY_INTERRUPT = """
static volatile uint8_t received[1];
static volatile uint32_t interrupts;
static volatile uint32_t number;
void handler(void) {
  __asm volatile("mrs %0, ipsr" : "=r"(number));
  if (REG(0x40002110)) {
    REG(0x40002110) = 0;
    (void)REG(0x40002110);
    interrupts++;
    static uint8_t answer[2];
    answer[0] = received[0] + 1;
    answer[1] = (uint8_t)interrupts;
    REG(0x40002000) = 1;
    send(answer, 2);
  }
}
int main(void) {
  open_line();
  REG(0x40002534) = (uintptr_t)received; REG(0x40002538) = 1;
  REG(0x40002304) = 1 << 4;
  REG(0xE000E100) = 1 << 2;
  REG(0x40002000) = 1;
  MAIN_LOOP
  return 0;
}
"""


def echo(text: str, data: bytes, folder: Path) -> bytes:
    machine = machine_of(c_elf(text, folder))
    assert run_to_sleep(machine) == b""
    machine.send(data)
    return run_to_sleep(machine)


def test_interrupt_wakes_a_sleeping_core_and_returns(tmp_path: Path) -> None:
    for sleep in ("wfi", "wfe"):
        text = ECHO_BY_INTERRUPT.replace("MAIN_LOOP", f'for (;;) __asm volatile("{sleep}");')
        assert echo(text, b"abc", tmp_path) == b"b\x01c\x02d\x03"


def test_interrupt_comes_into_running_code_and_leaves_it_unharmed(tmp_path: Path) -> None:
    loop = """
      float sum = 0; uint32_t rounds = 0;
      while (interrupts < 3) { sum += 0.5f; rounds++; }
      static volatile uint32_t result[2];
      result[0] = rounds; result[1] = (uint32_t)(sum * 2);
      send(result, 8);
    """
    machine = machine_of(c_elf(ECHO_BY_INTERRUPT.replace("MAIN_LOOP", loop), tmp_path))
    assert machine.run(1000) is State.RUNNING
    machine.send(b"xyz")
    output = run_to_sleep(machine)
    assert output[:6] == b"y\x01z\x02{\x03"
    rounds, doubled_sum = struct.unpack("<2I", output[6:])
    assert rounds == doubled_sum > 3


def test_handler_may_use_the_floating_point_registers(tmp_path: Path) -> None:
    """s0 to s15 are the caller's to lose in C, so the core has to keep them over an interrupt."""
    clobber = "".join(f"vmov.f32 s{n}, #2.0\\n" for n in range(16))
    text = ECHO_BY_INTERRUPT.replace("interrupts++;", f'interrupts++; __asm volatile("{clobber}");')
    loop = """
      uint32_t rounds = 0;
      float sum;
      __asm volatile("vmov.f32 s0, #0.5\\n vmov.f32 s1, #0.5" ::: "s0", "s1");
      while (interrupts < 3) { rounds++; __asm volatile("vadd.f32 s0, s0, s1" ::: "s0"); }
      __asm volatile("vmov.f32 %0, s0" : "=t"(sum));
      static volatile uint32_t result[2];
      result[0] = rounds; result[1] = (uint32_t)(sum * 2);
      send(result, 8);
    """
    machine = machine_of(c_elf(text.replace("MAIN_LOOP", loop), tmp_path))
    machine.run(1000)
    machine.send(b"xyz")
    rounds, doubled_sum = struct.unpack("<2I", run_to_sleep(machine)[6:])
    assert doubled_sum == rounds + 1


def test_masked_interrupt_waits_until_it_is_let_in(tmp_path: Path) -> None:
    loop = """
      __asm volatile("cpsid i");
      static volatile uint8_t before, after;
      while (REG(0x40002110) == 0) { }
      for (volatile int i = 0; i < 50; i++) { }
      before = interrupts;
      __asm volatile("cpsie i\\n isb");
      after = interrupts;
      static uint8_t seen[2];
      seen[0] = before; seen[1] = after;
      send(seen, 2);
    """
    machine = machine_of(c_elf(ECHO_BY_INTERRUPT.replace("MAIN_LOOP", loop), tmp_path))
    machine.run(1000)
    machine.send(b"q")
    assert run_to_sleep(machine) == b"r\x01" + b"\x00\x01"


def test_masked_interrupt_ends_wfi(tmp_path: Path) -> None:
    loop = """
      __asm volatile("cpsid i\\n wfi");
      static uint8_t seen[1];
      seen[0] = 100 + interrupts;
      send(seen, 1);
      __asm volatile("cpsie i");
    """
    assert echo(ECHO_BY_INTERRUPT.replace("MAIN_LOOP", loop), b"q", tmp_path) == b"d" + b"r\x01"


def test_pending_interrupt_that_is_not_enabled_ends_wfe_where_the_firmware_asks_for_it(
    tmp_path: Path,
) -> None:
    text = """
    void handler(void) { for (;;) { } }
    static volatile uint8_t received[1];
    int main(void) {
      open_line();
      REG(0x40002534) = (uintptr_t)received; REG(0x40002538) = 1;
      REG(0x40002304) = 1 << 4;
      REG(0xE000ED10) = SEVONPEND;
      REG(0x40002000) = 1;
      __asm volatile("wfe");
      static uint8_t seen[1];
      seen[0] = received[0];
      send(seen, 1);
      return 0;
    }
    """
    assert echo(text.replace("SEVONPEND", "1 << 4"), b"w", tmp_path) == b"w"
    assert echo(text.replace("SEVONPEND", "0"), b"w", tmp_path) == b""


def test_event_set_before_wfe_lets_it_pass(tmp_path: Path) -> None:
    text = """
    void handler(void) { for (;;) { } }
    static uint8_t done[1];
    int main(void) {
      open_line();
      done[0] = 1;
      for (int i = 0; i < 3; i++) { __asm volatile("sev\\n wfe"); send(done, 1); }
      __asm volatile("wfe");
      send(done, 1);
      return 0;
    }
    """
    assert run_to_sleep(machine_of(c_elf(text, tmp_path))) == b"\x01\x01\x01"


def test_supervisor_call_returns_behind_itself(tmp_path: Path) -> None:
    text = """
    static volatile uint32_t calls, number;
    void handler(void) { calls++; __asm volatile("mrs %0, ipsr" : "=r"(number)); }
    int main(void) {
      open_line();
      static volatile uint8_t seen[3];
      __asm volatile("svc #1\\n svc #2");
      uint32_t now;
      __asm volatile("mrs %0, ipsr" : "=r"(now));
      seen[0] = calls; seen[1] = number; seen[2] = now;
      send(seen, 3);
      return 0;
    }
    """
    assert run_to_sleep(machine_of(c_elf(text, tmp_path))) == bytes([2, 11, 0])


def test_clock_stands_still_while_the_core_sleeps(tmp_path: Path) -> None:
    machine = machine_of(
        c_elf(ECHO_BY_INTERRUPT.replace("MAIN_LOOP", 'for (;;) __asm volatile("wfe");'), tmp_path)
    )
    run_to_sleep(machine)
    before = machine.counter.state.cycles
    assert machine.run(10**6) is State.ASLEEP
    assert machine.counter.state.cycles == before


def test_system_reset_starts_again_and_keeps_ram(tmp_path: Path) -> None:
    text = """
    void handler(void) { for (;;) { } }
    int main(void) {
      volatile uint32_t *starts = (uint32_t *)0x20008000;
      open_line();
      *starts += 1;
      static volatile uint32_t seen[3];
      start_clock();
      seen[0] = *starts; seen[1] = REG(0x4001E540); seen[2] = REG(0xE0001004) < 1000;
      send(seen, 12);
      REG(0x4001E540) = 1;
      for (volatile int i = 0; i < 10000; i++) { }
      if (*starts < 3) { REG(0xE000ED0C) = 0x05FA0004; for (;;) { } }
      return 0;
    }
    """
    machine = machine_of(c_elf(text, tmp_path))
    words = struct.unpack("<9I", run_to_sleep(machine))
    assert words == (1, 0, 1, 2, 0, 1, 3, 0, 1)


def test_unit_calls_itself_emulated(tmp_path: Path) -> None:
    text = """
    void handler(void) { for (;;) { } }
    int main(void) {
      static volatile uint32_t id[2];
      open_line();
      id[0] = REG(0x10000060); id[1] = REG(0x10000064);
      send(id, 8);
      return 0;
    }
    """
    assert run_to_sleep(machine_of(c_elf(text, tmp_path))) == b"EMULATED"


def test_hang_uses_up_what_it_is_granted_and_no_more(tmp_path: Path) -> None:
    machine = machine_of(c_elf("void handler(void) {} int main(void) { for (;;) { } }", tmp_path))
    assert machine.run(100_000) is State.RUNNING
    assert 100_000 <= machine.counter.state.cycles < 101_000
