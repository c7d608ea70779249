/*
 * Reception without interrupts.
 *
 * EasyDMA writes into one ring for ever: the shortcut ENDRX -> STARTRX starts the same buffer again when it
 * is full, and RXD.PTR is not changed in between (PS v1.7, "UARTE", reception).  How far it has come cannot
 * be read from the UARTE while it runs, so PPI leads each RXDRDY event to a counter, TIMER1.  Bytes are lost
 * only when the reader falls a whole ring behind, whatever the core is doing meanwhile; an interrupt per byte
 * would have to be served within the depth of the hardware's FIFO, 40 us at 1 Mbaud, and would disturb the
 * cycle counts.
 *
 * Two things make the count trustworthy:
 *  - RXDRDY "is likely to occur before the corresponding data has been transferred to Data RAM" (same place),
 * so a byte is read only after SETTLE_LOOPS, more than 1 us, which is many times what the bus needs for one
 * byte.
 *  - Should a byte ever be counted and not stored, the count would be off for good.  That takes an overrun, a
 * framing error or a break, and each raises ERROR; then the receiver is stopped, flushed and started with a
 * count of 0.  The frame is lost, the line is not.
 *
 * Sleeping: the UARTE's interrupt is enabled in the UARTE but not in the NVIC.  With SEVONPEND its becoming
 * pending wakes WFE, and no handler runs.  The events are cleared before the count is looked at, so a byte
 * that comes in between ends the WFE at once.
 */
#include "uarte.h"

#include "pins.h"
#include "registers.h"

/* UARTE_BAUDRATE_BAUDRATE_Baud... of nrf52840_bitfields.h; the actual rates are 1000000, 457143, 231884 and
 * 115108. */
#if HIL_BAUD == 1000000
#define BAUDRATE 0x10000000u
#elif HIL_BAUD == 460800
#define BAUDRATE 0x07400000u
#elif HIL_BAUD == 230400
#define BAUDRATE 0x03B00000u
#elif HIL_BAUD == 115200
#define BAUDRATE 0x01D60000u
#else
#error "HIL_BAUD must be 1000000, 460800, 230400 or 115200"
#endif

#define RING_BYTES   1024u /* a power of two: the count wraps at 2^32 */
#define BOUNCE_BYTES 64u
#define SETTLE_LOOPS 32u     /* at least 2 cycles each: more than 1 us at 64 MHz */
#define DMA_LIMIT    0xFFFFu /* TXD.MAXCNT has 16 bits */

static uint8_t ring[RING_BYTES];
static uint32_t taken; /* bytes read from the ring since the counter was cleared */

static uint32_t received(void) {
  TIMER1_TASKS_CAPTURE0 = 1;
  return TIMER1_CC0;
}

static void start_reception(void) {
  TIMER1_TASKS_CLEAR = 1;
  taken = 0;
  UARTE0_RXD_PTR = (uint32_t)(uintptr_t)ring;
  UARTE0_RXD_MAXCNT = RING_BYTES;
  UARTE0_SHORTS = UARTE_SHORTS_ENDRX_STARTRX;
  UARTE0_TASKS_STARTRX = 1;
}

/* Stop the receiver and empty its FIFO, as PS v1.7, "UARTE", describes: up to four bytes come in after
 * STOPRX, so FLUSHRX wants more room than that. */
static void stop_reception(void) {
  UARTE0_SHORTS = 0;
  UARTE0_EVENTS_RXTO = 0;
  UARTE0_TASKS_STOPRX = 1;
  while (UARTE0_EVENTS_RXTO == 0) {
  }
  UARTE0_EVENTS_ENDRX = 0;
  UARTE0_RXD_PTR = (uint32_t)(uintptr_t)ring;
  UARTE0_RXD_MAXCNT = RING_BYTES;
  UARTE0_TASKS_FLUSHRX = 1;
  while (UARTE0_EVENTS_ENDRX == 0) {
  }
  UARTE0_EVENTS_ENDRX = 0;
  UARTE0_ERRORSRC = UARTE0_ERRORSRC; /* write 1 to clear */
  UARTE0_EVENTS_ERROR = 0;
}

void hil_uarte_init(void) {
  P0_OUTSET = 1u << PIN_TXD; /* idle level, before the pin becomes an output */
  PIN_CNF(PIN_TXD) = PIN_CNF_OUTPUT;
  PIN_CNF(PIN_RXD) = PIN_CNF_INPUT_PULLUP; /* no break condition while nothing drives the line */

  TIMER1_MODE = TIMER_MODE_LOW_POWER_COUNTER;
  TIMER1_BITMODE = TIMER_BITMODE_32;
  TIMER1_TASKS_START = 1;
  PPI_CH0_EEP = UARTE0_EVENTS_RXDRDY_ADDRESS;
  PPI_CH0_TEP = TIMER1_TASKS_COUNT_ADDRESS;
  PPI_CHENSET = 1;

  UARTE0_PSEL_TXD = PIN_TXD;
  UARTE0_PSEL_RXD = PIN_RXD;
  UARTE0_BAUDRATE = BAUDRATE;
  UARTE0_CONFIG = UARTE_CONFIG_8N1;
  UARTE0_INTENSET = UARTE_INT_RXDRDY | UARTE_INT_ERROR;
  UARTE0_ENABLE = UARTE_ENABLE_ENABLED;
  SCB_SCR = SCB_SCR_SEVONPEND;
  start_reception();
}

static void sleep_until_byte(void) {
  UARTE0_EVENTS_RXDRDY = 0;
  (void)UARTE0_EVENTS_RXDRDY; /* the write has arrived when this read returns (PS v1.7, 6.1, "Interrupt
                                 clearing"; the core's write buffer drains first) */
  NVIC_ICPR(0) = 1u << UARTE0_INTERRUPT;
  if (received() == taken && UARTE0_EVENTS_ERROR == 0) {
    __asm volatile("dsb\n wfe" ::: "memory");
  }
}

size_t hil_uarte_read(uint8_t *data, size_t capacity) {
  if (UARTE0_EVENTS_ERROR != 0) {
    stop_reception();
    start_reception();
    return 0;
  }
  const uint32_t waiting = received() - taken;
  if (waiting == 0) {
    sleep_until_byte();
    return 0;
  }
  if (waiting > RING_BYTES) { /* the oldest are overwritten: give up all; the protocol asks again */
    taken += waiting;
    return 0;
  }
  for (uint32_t i = 0; i < SETTLE_LOOPS; ++i) {
    __asm volatile("" ::: "memory");
  }
  const size_t count = waiting < capacity ? waiting : capacity;
  for (size_t i = 0; i < count; ++i) {
    data[i] = ring[taken++ % RING_BYTES];
  }
  return count;
}

void hil_uarte_discard(void) { taken = received(); }

static void send(const uint8_t *data, uint32_t size) {
  UARTE0_TXD_PTR = (uint32_t)(uintptr_t)data;
  UARTE0_TXD_MAXCNT = size;
  UARTE0_EVENTS_ENDTX = 0;
  __asm volatile("dsb" ::: "memory"); /* the bytes are in RAM before EasyDMA reads them */
  UARTE0_TASKS_STARTTX = 1;
  while (UARTE0_EVENTS_ENDTX == 0) {
  }
}

void hil_uarte_write(const uint8_t *data, size_t size) {
  static uint8_t bounce[BOUNCE_BYTES];
  /* EasyDMA reads Data RAM only (PS v1.7, 4.6): what lies in flash goes by way of `bounce`. */
  const int in_ram = (uintptr_t)data >> 29 == 1;
  const size_t limit = in_ram ? DMA_LIMIT : BOUNCE_BYTES;
  while (size > 0) {
    const size_t count = size < limit ? size : limit;
    if (in_ram) {
      send(data, (uint32_t)count);
    } else {
      for (size_t i = 0; i < count; ++i) {
        bounce[i] = data[i];
      }
      send(bounce, (uint32_t)count);
    }
    data += count;
    size -= count;
  }
}
