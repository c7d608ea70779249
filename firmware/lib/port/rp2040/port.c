/* hil_port.h for a bare-metal RP2040: identity, trigger pin, reset.  One core works, the other stays in the
 * boot ROM. */
#include "clock.h"
#include "hil_port.h"
#include "parts.h"
#include "registers.h"
#include "uart.h"

#define PIN_TRIGGER 2u

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

void hil_port_init(void) {
  hil_clock_start();
  hil_port_trigger(0); /* the level, before the pin becomes an output */
  SIO_GPIO_OE_SET = 1u << PIN_TRIGGER;
  IO_BANK0_CTRL(PIN_TRIGGER) = FUNCTION_SIO;
  hil_uart_init();
}

size_t hil_port_read(uint8_t *data, size_t capacity) { return hil_uart_read(data, capacity); }

void hil_port_write(const uint8_t *data, size_t size) { hil_uart_write(data, size); }

void hil_port_discard(void) {
  while ((UART0_FR & UART_FR_RXFE) == 0) {
    (void)UART0_DR;
  }
}

int hil_port_instruction_cache(void) { return (XIP_CTRL & XIP_CTRL_EN) != 0; }

const char *hil_port_board(void) { return TEXT(HIL_BOARD); }

/* The chip has no number of its own; its flash has, and boot2 has read it. */
void hil_port_unit_id(uint8_t id[8]) {
  const uint32_t words[2] = {WATCHDOG_SCRATCH0, WATCHDOG_SCRATCH1};
  for (uint32_t i = 0; i < 8u; ++i) {
    id[i] = (uint8_t)(words[i / 4u] >> (8u * (i % 4u)));
  }
}

void hil_port_trigger(int on) {
  if (on) {
    SIO_GPIO_OUT_SET = 1u << PIN_TRIGGER;
  } else {
    SIO_GPIO_OUT_CLR = 1u << PIN_TRIGGER;
  }
}

/* By the watchdog: AIRCR would restart the core alone (DS 2.13), and leave clocks and flash as they are. */
void hil_port_reset(void) {
  PSM_WDSEL = PSM_WDSEL_ALL;
  WATCHDOG_CTRL = WATCHDOG_CTRL_TRIGGER;
  for (;;) {
  }
}
