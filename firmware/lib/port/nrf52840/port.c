/*
 * hil_port.h for a bare-metal nRF52840 or nRF52833: clocks, instruction cache, cycle counter, identity,
 * trigger pin, reset.
 */
#include "hil_port.h"
#include "parts.h"
#include "pins.h"
#include "registers.h"
#include "uarte.h"

#define CLOCK_HZ 64000000u
#if HIL_CLOCK_HZ != CLOCK_HZ
#error "the nRF52840 runs at 64 MHz, HIL_CLOCK_HZ must be 64000000"
#endif

/* The crystal oscillator starts well within this.  Should it not, the internal oscillator goes on, whose
 * error of a per cent or two a UART just bears; so waiting for ever would be worse. */
#define HFXO_TIMEOUT_CYCLES (CLOCK_HZ / 100u)

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

/* Silicon of revision 3 and later locks its debug port at each reset unless UICR and firmware both say
 * otherwise.  Where UICR leaves it open, leave it open, so that the next image can be flashed without erasing
 * the chip (PS v1.7, 4.8 "Debug and trace"; Nordic's nrf52_handle_approtect does the same). */
static void keep_debug_port_open(void) {
  if ((UICR_APPROTECT & APPROTECT_PALL_MASK) == APPROTECT_HW_DISABLED) {
    APPROTECT_DISABLE = APPROTECT_SW_DISABLE;
  }
}

static void start_crystal(void) {
  const uint32_t start = DWT_CYCCNT;
  CLOCK_EVENTS_HFCLKSTARTED = 0;
  CLOCK_TASKS_HFCLKSTART = 1;
  while (CLOCK_EVENTS_HFCLKSTARTED == 0 && DWT_CYCCNT - start < HFXO_TIMEOUT_CYCLES) {
  }
}

void hil_port_init(void) {
  keep_debug_port_open();
  SCB_DEMCR |= SCB_DEMCR_TRCENA;
  DWT_CYCCNT = 0;
  DWT_CTRL |= DWT_CTRL_CYCCNTENA;
  NVMC_ICACHECNF = NVMC_ICACHECNF_CACHEEN;
  POWER_DCDCEN = HAS_DCDC_INDUCTOR;
  start_crystal();
  hil_port_trigger(0); /* the level, before the pin becomes an output */
  PIN_CNF(PIN_TRIGGER) = PIN_CNF_OUTPUT;
  hil_uarte_init();
}

size_t hil_port_read(uint8_t *data, size_t capacity) { return hil_uarte_read(data, capacity); }

void hil_port_write(const uint8_t *data, size_t size) { hil_uarte_write(data, size); }

void hil_port_discard(void) { hil_uarte_discard(); }

uint32_t hil_port_cycles(void) { return DWT_CYCCNT; }

uint32_t hil_port_clock_hz(void) { return CLOCK_HZ; }

int hil_port_instruction_cache(void) { return (NVMC_ICACHECNF & NVMC_ICACHECNF_CACHEEN) != 0; }

const char *hil_port_board(void) { return TEXT(HIL_BOARD); }

void hil_port_unit_id(uint8_t id[8]) {
  const uint32_t words[2] = {FICR_DEVICEID0, FICR_DEVICEID1};
  for (uint32_t i = 0; i < 8u; ++i) {
    id[i] = (uint8_t)(words[i / 4u] >> (8u * (i % 4u)));
  }
}

void hil_port_trigger(int on) {
  if (on) {
    P0_OUTSET = 1u << PIN_TRIGGER;
  } else {
    P0_OUTCLR = 1u << PIN_TRIGGER;
  }
}

void hil_port_reset(void) {
  __asm volatile("dsb" ::: "memory");
  SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
  for (;;) {
  }
}
