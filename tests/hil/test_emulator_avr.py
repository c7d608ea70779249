"""The emulated AVR: cycles of the datasheet, a line with a pace of its own, and firmware that goes wrong."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from hil.board import load_board
from hil.emulator.avr import library
from hil.emulator.elf import BadElf
from hil.emulator.types import State
from hil.errors import EmulationError, ToolMissing
from tests.support.avr import assembled, machine_of, needs_simavr, run_to_sleep

pytestmark = needs_simavr

# Toggles the trigger pin (PD2) around `body`: OUT takes 1 cycle, so the edges are 1 cycle more apart.
TIMED = """
  ldi r16, 4
  out DDRD, r16
  ldi r17, 0
  {before}
  out PORTD, r16
  {body}
  out PORTD, r17
  cli
  sleep_forever: rjmp sleep_forever
  subroutine: ret
"""

# ATmega328P data sheet, "Instruction Set Summary", column "#Clocks".
DATASHEET = {
    "add r0, r1": 1,
    "adiw r24, 1": 2,
    "mul r0, r1": 2,
    "muls r18, r19": 2,
    "ld r0, X": 2,
    "ld r0, X+": 2,
    "ldd r0, Y+3": 2,
    "lds r0, 0x100": 2,
    "st X, r0": 2,
    "sts 0x100, r0": 2,
    "push r0": 2,
    "lpm r0, Z": 3,
    "lpm r0, Z+": 3,
    "rjmp 1f\n 1:": 2,
    "jmp 1f\n 1:": 3,
    "rcall subroutine": 3 + 4,
    "call subroutine": 4 + 4,
    "sez\n breq 1f\n 1:": 1 + 2,
    "clz\n breq 1f\n 1:": 1 + 1,
    "sbrs r17, 0\n nop": 1 + 1,
    "sbrc r17, 0\n nop": 2,
    "sbrc r17, 0\n jmp 1f\n 1:": 3,
}


@pytest.mark.parametrize("instruction", DATASHEET, ids=lambda text: text.replace("\n", ";"))
def test_instruction_takes_the_cycles_of_the_datasheet(instruction: str, tmp_path: Path) -> None:
    before = "ldi r26, 0\n ldi r27, 2\n ldi r28, 0\n ldi r29, 2\n ldi r30, 0\n ldi r31, 0"
    machine = machine_of(assembled(TIMED.format(before=before, body=instruction), tmp_path))
    machine.run(1000)
    (up, high), (down, low) = machine.trigger_edges()
    assert (high, low) == (True, False)
    assert down - up - 1 == DATASHEET[instruction]


INTERRUPTED = """
  jmp start
  .org TIMER1_OVF_vect_num * 4
  reti
  .org 0x200
  start:
  ldi r16, 0x14
  out DDRD, r16
  out DDRE_OR_D, r16
  ldi r17, 0
  ldi r18, 1
  sts TIMSK1, r18
  sts TCCR1B, r18
  ldi r18, 0xFF
  sts TCNT1H, r18
  ldi r18, 0xE0
  sts TCNT1L, r18
  {enable}
  out PORTE_OR_D, r16
  .rept 60
  nop
  .endr
  out PORTE_OR_D, r17
  cli
  forever: rjmp forever
"""


@pytest.mark.parametrize(
    ("chip", "board", "port", "response_and_reti"),
    [("atmega328p", "uno", "D", 4 + 4), ("atmega2560", "mega2560", "E", 5 + 5)],
)
def test_interrupt_takes_the_cycles_of_the_datasheet(
    chip: str, board: str, port: str, response_and_reti: int, tmp_path: Path
) -> None:
    """simavr itself charges nothing for the response; a timer overflows between the edges of the pin."""
    apart = []
    for enable in ("cli", "sei"):
        text = INTERRUPTED.format(enable=enable).replace("E_OR_D", port)
        machine = machine_of(assembled(text, tmp_path, chip=chip), board)
        machine.run(1000)
        (up, _), (down, _) = machine.trigger_edges()
        apart.append(down - up)
    assert apart[0] == 61
    assert apart[1] - apart[0] == response_and_reti


# UART 0 at 115,200 baud, as Arduino's Serial sets it up: divider 17 in eighths of a bit, 136 cycles to a bit.
SERIAL = """
  ldi r16, 16
  sts UBRR0L, r16
  ldi r16, 1 << U2X0
  sts UCSR0A, r16
  ldi r16, 1 << RXEN0 | 1 << TXEN0
  sts UCSR0B, r16
"""
ECHO = (
    SERIAL
    + """
  loop:
  lds r16, UCSR0A
  sbrs r16, RXC0
  rjmp loop
  lds r17, UDR0
  ldi r18, 4
  out DDRD, r18
  out PIND, r18
  full:
  lds r16, UCSR0A
  sbrs r16, UDRE0
  rjmp full
  sts UDR0, r17
  rjmp loop
"""
)


def test_bytes_come_at_the_pace_of_the_baud_rate(tmp_path: Path) -> None:
    """The echo toggles the pin at each byte, which come 16 MHz * 10 / 115,200 = 1,388 cycles apart."""
    machine = machine_of(assembled(ECHO, tmp_path))
    text = bytes(range(200))
    machine.send(text)
    echo = b""
    while len(echo) < len(text):
        assert machine.run(10_000) is not State.ASLEEP
        echo += machine.take_output()
    assert echo == text
    cycles = [cycle for cycle, _ in machine.trigger_edges()]
    apart = [after - before for before, after in itertools.pairwise(cycles)]
    assert len(apart) == 199
    assert all(abs(cycles - 1388) < 20 for cycles in apart)


def test_bytes_leave_at_the_pace_of_the_divider(tmp_path: Path) -> None:
    """Ten bits of 136 cycles to a byte, and up to a round of the loop until the next one is handed over."""
    send = """
      ldi r18, 4
      out DDRD, r18
      loop:
      lds r16, UCSR0A
      sbrs r16, UDRE0
      rjmp loop
      sts UDR0, r17
      out PIND, r18
      rjmp loop
    """
    machine = machine_of(assembled(SERIAL + send, tmp_path))
    machine.run(50_000)
    cycles = [cycle for cycle, _ in machine.trigger_edges()][3:]  # the first ones fill the transmitter
    assert len(cycles) > 20
    assert (cycles[-1] - cycles[0]) / (len(cycles) - 1) == pytest.approx(1360 + 4, abs=4)


def test_firmware_that_falls_behind_loses_bytes(tmp_path: Path) -> None:
    slow = ECHO.replace(
        "lds r17, UDR0", "ldi r24, 0\n ldi r25, 8\n wait: sbiw r24, 1\n brne wait\n lds r17, UDR0"
    )
    machine = machine_of(assembled(slow, tmp_path))
    machine.send(bytes(range(100)))
    machine.run(1_000_000)
    echo = machine.take_output()
    assert 10 < len(echo) < 50
    assert list(echo) == sorted(echo)


def test_sleep_ends_with_a_byte_and_costs_nothing_until_then(tmp_path: Path) -> None:
    text = (
        """
      jmp start
      .org USART_RX_vect_num * 4
      lds r17, UDR0
      sts UDR0, r17
      reti
      .org 0x200
      start:
    """
        + SERIAL
        + """
      ldi r16, 1 << RXEN0 | 1 << TXEN0 | 1 << RXCIE0
      sts UCSR0B, r16
      ldi r16, 1 << SE
      out SMCR, r16
      sei
      again:
      sleep
      rjmp again
    """
    )
    machine = machine_of(assembled(text, tmp_path))
    assert run_to_sleep(machine) == b""
    asleep_at = machine.clock_cycles
    assert machine.run(10**9) is State.ASLEEP
    assert machine.clock_cycles - asleep_at < 10_000
    machine.send(b"wake")
    assert run_to_sleep(machine) == b"wake"


def test_reset_marks_the_chip_as_emulated_and_keeps_ram(tmp_path: Path) -> None:
    """What a real chip cannot show: letters in the general purpose registers, which a reset clears."""
    text = (
        SERIAL
        + """
      in r17, GPIOR0
      sts UDR0, r17
      wait: lds r16, UCSR0A
      sbrs r16, UDRE0
      rjmp wait
      lds r17, 0x200
      inc r17
      sts 0x200, r17
      sts UDR0, r17
      ldi r16, 0
      out GPIOR0, r16
      halt: rjmp halt
    """
    )
    machine = machine_of(assembled(text, tmp_path))
    machine.run(10_000)
    first = machine.take_output()
    machine.reset()
    machine.run(10_000)
    second = machine.take_output()
    assert (first[:1], second[:1]) == (b"E", b"E")
    assert second[1] == first[1] + 1


def test_watchdog_resets(tmp_path: Path) -> None:
    text = SERIAL + "sts UDR0, r17\n ldi r16, 1 << WDE\n sts WDTCSR, r16\n cli\n halt: rjmp halt"
    machine = machine_of(assembled(text, tmp_path))
    machine.run(1_000_000)
    assert len(machine.take_output()) >= 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cli\n ldi r16, 1\n out SMCR, r16\n sleep", "sleeps with interrupts off"),
        (".word 0xFFFF", "the core stopped"),
        ("ldi r30, 0\n ldi r31, 0x60\n ijmp", "the core stopped"),
    ],
    ids=["sleeps for ever", "illegal opcode", "jumps out of the program"],
)
def test_firmware_that_stops_is_told_and_the_process_lives(text: str, reason: str, tmp_path: Path) -> None:
    machine = machine_of(assembled(text, tmp_path))
    with pytest.raises(EmulationError, match=reason) as first:
        machine.run(100_000)
    assert machine.failure_reason
    with pytest.raises(EmulationError) as again:
        machine.run(100_000)
    assert again.value is first.value


def test_image_beyond_flash_or_for_another_core_is_refused(tmp_path: Path) -> None:
    large = assembled(".org 0x8000\n nop", tmp_path, chip="atmega2560")
    with pytest.raises(BadElf, match="flash ends at 0x8000"):
        machine_of(large)
    other = tmp_path / "other.elf"
    other.write_bytes(large.read_bytes().replace(b"\x53\x00", b"\x28\x00", 1))  # EM_AVR -> EM_ARM
    with pytest.raises(BadElf, match="AVR"):
        machine_of(other)


def test_without_compiler_or_simavr_the_remedy_is_a_command(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing) as no_compiler:
        library.build(tmp_path, None)
    assert no_compiler.value.remedy == "sudo apt-get install gcc libc6-dev"
    fails = tmp_path / "cc"
    fails.write_text("#!/bin/sh\necho 'fatal error: simavr/sim_avr.h: No such file' >&2\nexit 1\n")
    fails.chmod(0o755)
    with pytest.raises(ToolMissing, match=r"simavr/sim_avr\.h") as no_simavr:
        library.build(tmp_path, str(fails))
    assert "libsimavr-dev" in (no_simavr.value.remedy or "")


def test_boards_that_are_emulated() -> None:
    from hil.emulator.open import can_emulate

    assert can_emulate(load_board("uno"))
    assert can_emulate(load_board("mega2560"))
