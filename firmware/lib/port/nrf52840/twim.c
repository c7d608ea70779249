/*
 * hil_port_i2c on TWIM0, 400 kHz.  The pins' own pull-ups (13 kOhm) help out where the sensor's
 * board has none.
 *
 * The peripheral is on during a transfer alone, so that it adds nothing to the idle current that is measured.
 */
#include "hil_port.h"
#include "pins.h"
#include "registers.h"

#define TIMEOUT_CYCLES (64000000u / 200u) /* 5 ms; a transfer of 5 bytes takes 0.13 ms */

static void enable(void) {
  PIN_CNF(PIN_SCL) = PIN_CNF_OPEN_DRAIN;
  PIN_CNF(PIN_SDA) = PIN_CNF_OPEN_DRAIN;
  TWIM0_PSEL_SCL = PIN_SCL;
  TWIM0_PSEL_SDA = PIN_SDA;
  TWIM0_FREQUENCY = TWIM_FREQUENCY_K400;
  TWIM0_ENABLE = TWIM_ENABLE_ENABLED;
}

/* Whether the transfer came to its end. */
static int wait_until_stopped(void) {
  const uint32_t start = DWT_CYCCNT;
  while (TWIM0_EVENTS_STOPPED == 0) {
    if (TWIM0_EVENTS_ERROR != 0) {
      TWIM0_EVENTS_ERROR = 0;
      TWIM0_TASKS_STOP = 1; /* nobody acknowledged: let go of the bus */
    }
    if (DWT_CYCCNT - start > TIMEOUT_CYCLES) {
      return 0;
    }
  }
  return 1;
}

int hil_port_i2c(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  enable();
  TWIM0_ADDRESS = address;
  TWIM0_TXD_PTR = (uint32_t)(uintptr_t)out;
  TWIM0_TXD_MAXCNT = (uint32_t)out_size;
  TWIM0_RXD_PTR = (uint32_t)(uintptr_t)in;
  TWIM0_RXD_MAXCNT = (uint32_t)in_size;
  TWIM0_SHORTS = in_size > 0 ? TWIM_SHORTS_LASTTX_STARTRX | TWIM_SHORTS_LASTRX_STOP : TWIM_SHORTS_LASTTX_STOP;
  TWIM0_EVENTS_STOPPED = 0;
  TWIM0_EVENTS_ERROR = 0;
  __asm volatile("dsb" ::: "memory"); /* the bytes are in RAM before EasyDMA reads them */
  TWIM0_TASKS_STARTTX = 1;
  const int stopped = wait_until_stopped();
  const uint32_t errors = TWIM0_ERRORSRC;
  TWIM0_ERRORSRC = errors; /* write 1 to clear */
  TWIM0_ENABLE = 0;
  __asm volatile("" ::: "memory"); /* EasyDMA has written `in` */
  return stopped && errors == 0 ? 0 : -1;
}
