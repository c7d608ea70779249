"""Emulated STM32: what a firmware may rely on, and what it is told when it does something wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import EmulationError
from tests.support.arm_programs import needs_compiler, run_to_sleep
from tests.support.stm32_programs import program

pytestmark = needs_compiler

CLOCKS = "RCC_AHB1ENR |= 0x43; RCC_APB1ENR |= 1u << 28; RCC_APB2ENR |= 1u << 4;"
OVER_DRIVE = "PWR_CR1 |= 3u << 16;"
PLL_216 = "RCC_PLLCFGR = 8 | 216 << 6 | 9 << 24; RCC_CR |= 1u << 24;"
PLL_200 = "RCC_PLLCFGR = 8 | 200 << 6 | 9 << 24; RCC_CR |= 1u << 24;"
SEVEN = "FLASH_ACR = 7;"
SWITCH = "RCC_CFGR = 2;"


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        pytest.param("open_line(BRR_1M);", "USART1 is enabled without a clock", id="no clock"),
        pytest.param(CLOCKS + "open_line(937);", "BRR stands for 115,261 baud", id="another baud rate"),
        pytest.param(CLOCKS + "USART_SEND = 1;", "sends while it is off", id="sends while off"),
        pytest.param(CLOCKS + "USART_CR1 = 1u << 10;", "CR1 are not modelled", id="parity"),
        pytest.param("GPIO_MODER(TRIGGER_PORT) = 0;", "GPIOG is written without a clock", id="port off"),
        pytest.param(CLOCKS + OVER_DRIVE + PLL_200 + SEVEN + SWITCH, "200,000,000 Hz", id="too slow"),
        pytest.param(CLOCKS + OVER_DRIVE + SEVEN + SWITCH, "clocked at 0 Hz", id="PLL off"),
        pytest.param(CLOCKS + OVER_DRIVE + PLL_216 + SWITCH, "0 wait states", id="flash too fast"),
        pytest.param(CLOCKS + PLL_216 + SEVEN + SWITCH, "over-drive is off", id="voltage too low"),
        pytest.param("SCB_DEMCR |= SCB_DEMCR_TRCENA; DWT_CTRL |= 1;", "locked", id="counter locked"),
        pytest.param("SCB_CCR |= SCB_CCR_DC;", "0 of 128 lines invalidated", id="stale cache"),
    ],
)
def test_what_would_not_work_on_the_chip_is_told(statements: str, message: str, tmp_path: Path) -> None:
    machine = program(f"int main(void) {{ {statements} return 0; }}", tmp_path)
    with pytest.raises(EmulationError, match=message):
        run_to_sleep(machine)


RECEIVE = """
int main(void) {
  hil_chip_start_clock();
  open_line(BRR_1M);
  uint32_t taken = 0, overruns = 0;
  while (taken < COUNT && overruns == 0) {
    for (volatile int i = 0; i < BUSY; i++) { }
    const uint32_t status = USART_STATUS;
    if (status & USART_STATUS_ORE) { overruns++; USART_ICR = USART_ICR_ORECF; }
    while (USART_STATUS & USART_STATUS_RXNE) { (void)USART_RECEIVED; taken++; }
  }
  send(taken); send(overruns);
  return 0;
}
"""


def test_a_reader_that_keeps_up_loses_nothing(tmp_path: Path) -> None:
    machine = program(RECEIVE.replace("COUNT", "200").replace("BUSY", "100"), tmp_path)
    machine.send(bytes(200))
    assert words(run_to_sleep(machine)) == [200, 0]


def test_a_reader_that_falls_behind_is_told_of_lost_bytes(tmp_path: Path) -> None:
    machine = program(RECEIVE.replace("COUNT", "200").replace("BUSY", "20000"), tmp_path)
    machine.send(bytes(200))
    taken, overruns = words(run_to_sleep(machine))
    assert overruns == 1
    assert taken < 200


def test_a_byte_takes_its_time(tmp_path: Path) -> None:
    """At 1 Mbaud and 216 MHz 2160 cycles; they come in portions of 8 while the core is awake."""
    text = """
    int main(void) {
      hil_chip_start_clock();
      start_clock();
      open_line(BRR_1M);
      uint32_t first = 0;
      for (int n = 0; n < 80; n++) {
        while ((USART_STATUS & USART_STATUS_RXNE) == 0) { }
        (void)USART_RECEIVED;
        if (n == 0) first = DWT_CYCCNT;
      }
      send(DWT_CYCCNT - first);
      return 0;
    }
    """
    machine = program(text, tmp_path)
    machine.send(bytes(80))
    (took,) = words(run_to_sleep(machine))
    assert 0.98 < took / (2160 * 72) < 1.02


def test_the_trigger_pin_is_seen(tmp_path: Path) -> None:
    text = """
    int main(void) {
      hil_chip_start_clock();
      GPIO_BSRR(TRIGGER_PORT) = 1u << TRIGGER_PIN;
      GPIO_MODER(TRIGGER_PORT) = GPIO_MODE_OUTPUT << (2 * TRIGGER_PIN);
      GPIO_BSRR(TRIGGER_PORT) = 1u << (TRIGGER_PIN + 1);
      GPIO_BSRR(TRIGGER_PORT) = 0x10000u << TRIGGER_PIN;
      return 0;
    }
    """
    machine = program(text, tmp_path)
    run_to_sleep(machine)
    edges = machine.trigger_edges()
    assert [level for _, level in edges] == [True, False]
    assert edges[0][0] < edges[1][0]


def test_a_predicted_loop_takes_one_cycle_a_round(tmp_path: Path) -> None:
    """As measured on Cortex-M7 (rust-embedded/cortex-m issue 430)."""
    text = """
    static uint32_t loop(uint32_t rounds) {
      const uint32_t start = DWT_CYCCNT;
      __asm volatile(".p2align 3\\n1: subs %0, #1\\n bne 1b" : "+r"(rounds) : : "cc");
      return DWT_CYCCNT - start;
    }
    int main(void) {
      hil_chip_start_clock();
      start_clock();
      RCC_APB2ENR |= 1u << 4;
      open_line(BRR_1M);
      const uint32_t few = loop(1000), many = loop(11000);
      send(many - few);
      return 0;
    }
    """
    (difference,) = words(run_to_sleep(program(text, tmp_path)))
    assert 10_000 <= difference < 10_100


def test_constants_are_read_through_the_data_cache(tmp_path: Path) -> None:
    text = """
    static const uint8_t table[2048] __attribute__((aligned(32))) = {1};
    static uint32_t sum(void) {
      uint32_t total = 0;
      for (uint32_t i = 0; i < sizeof table; i += 32) total += ((volatile const uint8_t *)table)[i];
      return total;
    }
    int main(void) {
      hil_chip_start_clock();
      start_clock();
      open_line(BRR_1M);
      uint32_t took[3];
      for (int n = 0; n < 3; n++) { uint32_t start = DWT_CYCCNT; (void)sum(); took[n] = DWT_CYCCNT - start; }
      for (int n = 0; n < 3; n++) send(took[n]);
      return 0;
    }
    """
    first, second, third = words(run_to_sleep(program(text, tmp_path)))
    assert second == third
    assert 64 * 7 <= first - second < 64 * 7 + 100  # 64 lines of 7 wait states, and a few of code
