/*
 * Reception without interrupts: the receiver's FIFO holds 32 bytes, and the reader empties it far faster than
 * the line fills it.  While an inference runs nobody reads; the host is silent then, but for a `Hello` of 14
 * bytes after each 2 s.  What finds the FIFO full is lost, and the protocol asks again.
 *
 * Sleeping: the interrupts of the receiver (a threshold of 4 bytes, or fewer and then a pause of 32 bits) are
 * enabled in the UART but not in the NVIC.  With SEVONPEND their becoming pending wakes WFE, and no handler
 * runs.  They stay raised until the FIFO is empty, so one that comes in between ends the WFE at once.
 */
#include "uart.h"

#include "clock.h"
#include "registers.h"

#define PIN_TX 0u
#define PIN_RX 1u

/* Baud rate divider in 64ths (DS 4.2.7.1). */
#define DIVIDER ((8u * CLOCK_HZ / HIL_BAUD + 1u) / 2u)

void hil_uart_init(void) {
  IO_BANK0_CTRL(PIN_TX) = FUNCTION_UART;
  IO_BANK0_CTRL(PIN_RX) = FUNCTION_UART;
  PADS_BANK0_GPIO(PIN_RX) = PAD_INPUT_PULLUP; /* no break condition while nothing drives the line */
  UART0_IBRD = DIVIDER / 64u;
  UART0_FBRD = DIVIDER % 64u;
  UART0_LCR_H = UART_LCR_H_8N1; /* takes the divider over */
  UART0_IFLS = 0;
  UART0_IMSC = UART_INT_RECEIVE;
  UART0_CR = UART_CR_ENABLE;
  SCB_SCR = SCB_SCR_SEVONPEND;
}

static int is_empty(void) { return (UART0_FR & UART_FR_RXFE) != 0; }

static void sleep_until_byte(void) {
  NVIC_ICPR(0) = 1u << UART0_INTERRUPT;
  if (is_empty()) {
    __asm volatile("dsb\n wfe" ::: "memory");
    hil_clock_align();
  }
}

size_t hil_uart_read(uint8_t *data, size_t capacity) {
  size_t count = 0;
  while (count < capacity && !is_empty()) {
    data[count++] = (uint8_t)UART0_DR;
  }
  if (count == 0) {
    sleep_until_byte();
  }
  return count;
}

void hil_uart_write(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    while ((UART0_FR & UART_FR_TXFF) != 0) {
    }
    UART0_DR = data[i];
  }
  while ((UART0_FR & UART_FR_BUSY) != 0) {
  }
}
