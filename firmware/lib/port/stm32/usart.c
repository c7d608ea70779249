/*
 * Reception by interrupt, into a ring.
 *
 * Half of these chips hold one received byte, so it has to be fetched within the time of the next: 87 us at
 * 115200 baud, 10 us at 1 Mbaud.  DMA would do it without the core, but is another peripheral in each of the
 * four, and on STM32F746 has to stay clear of the data cache.  The interrupt is some 30 instructions a byte,
 * the same everywhere, and the host is silent while an inference runs, but for a `Hello` of 14 bytes after
 * each 2 s: 0.001 % of the cycles.
 *
 * Bytes are lost only when the reader falls a whole ring behind; then it is the newest, and the protocol asks
 * again.
 *
 * Sleeping: an interrupt sets the core's event register, so a byte that comes between the look at the ring
 * and WFE ends the WFE at once.  Fault handlers read the line, too, where no interrupt can come: there
 * `hil_usart_interrupt` is called like a function, and SEVONPEND lets the pending interrupt end the sleep.
 */
#include "usart.h"

#include "chip.h"

#ifdef USART_LOW_POWER
#define BRR ((uint32_t)((256ull * USART_CLOCK_HZ + HIL_BAUD / 2u) / HIL_BAUD))
#else
#define BRR ((USART_CLOCK_HZ + HIL_BAUD / 2u) / HIL_BAUD)
#endif

#if !defined(USART_LOW_POWER) && USART_CLOCK_HZ < 16u * HIL_BAUD
#error "the USART's clock is too slow for HIL_BAUD: it takes 16 samples of each bit"
#endif

#define RING_BYTES 1024u /* a power of two: the counts wrap at 2^32 */

static volatile uint8_t ring[RING_BYTES];
static volatile uint32_t received; /* bytes, changed by the interrupt only */
static uint32_t taken;             /* bytes, changed by the reader only */

/* Give the pin to the USART. */
static void connect(uint32_t port, uint32_t pin) {
  volatile uint32_t *functions = pin < 8u ? &GPIO_AFRL(port) : &GPIO_AFRH(port);
  const uint32_t shift = 4u * (pin % 8u);
  *functions = (*functions & ~(0xFu << shift)) | (USART_FUNCTION << shift);
  GPIO_MODER(port) = (GPIO_MODER(port) & ~(3u << (2u * pin))) | (GPIO_MODE_ALTERNATE << (2u * pin));
}

void hil_usart_init(void) {
  connect(USART_TX_PORT, USART_TX_PIN);
  connect(USART_RX_PORT, USART_RX_PIN);
  GPIO_PUPDR(USART_RX_PORT) |= GPIO_PULL_UP << (2u * USART_RX_PIN); /* no break while nothing drives it */
  received = 0;
  taken = 0;
  USART_BRR = BRR;
  USART_CR1 = USART_CR1_UE | USART_CR1_RE | USART_CR1_TE | USART_CR1_RXNEIE;
  SCB_SCR = SCB_SCR_SEVONPEND;
  NVIC_ISER(USART_INTERRUPT / 32u) = 1u << (USART_INTERRUPT % 32u);
}

void hil_usart_interrupt(void) {
  for (;;) {
    const uint32_t status = USART_STATUS;
#if USART_VERSION == 2
    if ((status & USART_STATUS_ORE) != 0) {
      USART_ICR = USART_ICR_ORECF;
    }
#endif
    if ((status & USART_STATUS_RXNE) == 0) {
      return;
    }
    const uint8_t byte = (uint8_t)USART_RECEIVED;
    if (received - taken < RING_BYTES) {
      ring[received % RING_BYTES] = byte;
      received = received + 1u;
    }
  }
}

static int in_a_handler(void) {
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  return exception != 0;
}

static void sleep_until_byte(void) {
  if (in_a_handler()) {
    NVIC_ICPR(USART_INTERRUPT / 32u) = 1u << (USART_INTERRUPT % 32u);
    hil_usart_interrupt();
  }
  if (received == taken) {
    __asm volatile("dsb\n wfe" ::: "memory");
  }
}

size_t hil_usart_read(uint8_t *data, size_t capacity) {
  const uint32_t waiting = received - taken;
  if (waiting == 0) {
    sleep_until_byte();
    return 0;
  }
  const size_t count = waiting < capacity ? waiting : capacity;
  for (size_t i = 0; i < count; ++i) {
    data[i] = ring[taken++ % RING_BYTES];
  }
  return count;
}

void hil_usart_discard(void) {
  if (in_a_handler()) {
    hil_usart_interrupt();
  }
  taken = received;
}

void hil_usart_write(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    while ((USART_STATUS & USART_STATUS_TXE) == 0) {
    }
    USART_SEND = data[i];
  }
  while ((USART_STATUS & USART_STATUS_TC) == 0) {
  }
}
