/* hil_port.h for STM32 chips without any library: cycle counter, identity, trigger pin, reset. */
#include "chip.h"
#include "clock.h"
#include "hil_port.h"
#include "parts.h"
#include "usart.h"

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

void hil_port_init(void) {
  hil_chip_start_clock();
  SCB_DEMCR |= SCB_DEMCR_TRCENA;
#ifdef CHIP_DWT_LOCKED
  DWT_LAR = DWT_LAR_KEY;
#endif
  DWT_CYCCNT = 0;
  DWT_CTRL |= DWT_CTRL_CYCCNTENA;
  hil_port_trigger(0); /* the level, before the pin becomes an output */
  GPIO_MODER(TRIGGER_PORT) =
      (GPIO_MODER(TRIGGER_PORT) & ~(3u << (2u * TRIGGER_PIN))) | (GPIO_MODE_OUTPUT << (2u * TRIGGER_PIN));
  hil_usart_init();
}

size_t hil_port_read(uint8_t *data, size_t capacity) { return hil_usart_read(data, capacity); }

void hil_port_write(const uint8_t *data, size_t size) { hil_usart_write(data, size); }

void hil_port_discard(void) { hil_usart_discard(); }

uint32_t hil_port_cycles(void) { return DWT_CYCCNT; }

uint32_t hil_port_clock_hz(void) { return CHIP_CLOCK_HZ; }

int hil_port_instruction_cache(void) { return hil_chip_instruction_cache(); }

const char *hil_port_board(void) { return TEXT(HIL_BOARD); }

/* 96 bits, of which 8 bytes are reported: position on the wafer xor lot number, then wafer and lot. */
void hil_port_unit_id(uint8_t id[8]) {
  const uint32_t words[2] = {HIL_REGISTER(UID_BASE) ^ HIL_REGISTER(UID_BASE + 8u),
                             HIL_REGISTER(UID_BASE + 4u)};
  for (uint32_t i = 0; i < 8u; ++i) {
    id[i] = (uint8_t)(words[i / 4u] >> (8u * (i % 4u)));
  }
}

void hil_port_trigger(int on) { GPIO_BSRR(TRIGGER_PORT) = 1u << (on ? TRIGGER_PIN : TRIGGER_PIN + 16u); }

void hil_port_reset(void) {
  __asm volatile("dsb" ::: "memory");
  SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
  for (;;) {
  }
}
